"""The page of a pack of evidence: one HTML file that a person reads. No I/O but its own templates.

Way through the code: `render` takes a pack, asks one module of this package for each section's
values (`summary`, `access`, `usage`, `timeline`, …), and fills the templates. `text` makes every
value from outside safe to show, `palette` holds every colour, `picture` and `plots` hold geometry.
"""

from openai_ekm.evidence.page.render import write_page

__all__ = ["write_page"]
