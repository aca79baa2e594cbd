"""Where the project's pages are, as the installed distribution's own metadata says.

The source has no address: the build writes it into the metadata (tools/package_metadata.py).
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, metadata
from typing import Final
from urllib.parse import urljoin

from openai_ekm._version import __version__

__all__ = ["DISTRIBUTION", "documentation_address"]

DISTRIBUTION: Final = "openai-ekm-aws"
_LABEL: Final = "Documentation"  # the README, at the version's tag


def documentation_address(page: str) -> str:
    """Return what a reader opens: the URL of a page, for the version that runs, or its path.

    Args:
        page: path from the root of the repository, with a heading's anchor where one is meant:
            `docs/proof.md#what-was-not-seen`.

    Returns:
        The URL, or the path where none is known: the package was built from a folder without a
        public repository, or it runs from source, as the module's launcher runs it.
    """
    readme = _readme_url()
    return page if readme is None else urljoin(readme, page)


@cache
def _readme_url() -> str | None:
    try:
        found = metadata(DISTRIBUTION)
    except PackageNotFoundError:
        return None
    if found["Version"] != __version__:  # another installation's, found beside this source
        return None
    for line in found.get_all("Project-URL") or ():
        label, _, url = str(line).partition(",")
        if label.strip() == _LABEL:
            return url.strip()
    return None
