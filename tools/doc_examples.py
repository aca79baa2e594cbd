"""The examples as documents print them: the tested files, with the module's registry source.

The files in examples/ call the module as `../..`, so that tests run them. A reader needs its
source and version in the registry: the repository's owner comes from .github/CODEOWNERS, and the
version from the package.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

MARKER = re.compile(r"<!-- (example [a-z-]+) -->")
LOCAL = re.compile(
    r'^  source(?P<space> +)= "\.\./\.\.(?P<inner>/modules/[a-z-]+)?"$', re.MULTILINE
)
REGISTRY = re.compile(
    r'(?P<source>source\s*=\s*)"[^"/]+/openai-ekm/aws(?P<inner>//[a-z/-]+)?"'
    r'(?P<between>\n\s*version\s*=\s*)"[^"]+"'
)
# In a git source, a workflow's `uses:` or an argument; with a version where a tag is named.
REPOSITORY = re.compile(
    r"(?P<owner>[^\s/\"'`(]+)/terraform-aws-openai-ekm"
    r"(?P<place>[\w./-]*(?:\?ref=|@)v)?(?P<version>(?(place)\d+\.\d+\.\d+))"
)
OWNER = re.compile(r"^\* @(?P<owner>[^\s/]+)", re.MULTILINE)
VERSION = re.compile(r'^__version__ = "(?P<version>[^"]+)"$', re.MULTILINE)


def pages(root: Path) -> list[Path]:
    """Return the pages that may show the module's source; the upgrade guide names old versions."""
    found = [root / "README.md", *root.glob("docs/**/*.md"), *root.glob("examples/*/README.md")]
    return [page for page in found if page != root / "docs" / "upgrading.md"]


def markers(page: str) -> list[str]:
    """Return the markers of a page's examples: `example fleet`."""
    return MARKER.findall(page)


def example(root: Path, marker: str) -> str:
    """Return an example's main.tf as a block of Markdown, with the registry source.

    Raises:
        ValueError: The file does not call the module as `../..` exactly once.
    """
    file = root / "examples" / marker.removeprefix("example ") / "main.tf"
    owner, version = release(root)

    def source(found: re.Match[str]) -> str:
        # `version` is one letter longer than `source`: terraform fmt puts the signs in one column.
        space = found["space"] if len(found["space"]) > 1 else "  "
        inner = f"/{found['inner']}" if found["inner"] else ""
        address = f"{owner}/openai-ekm/aws{inner}"
        return f'  source{space}= "{address}"\n  version{space[:-1]}= "{version}"'

    written = file.read_text(encoding="utf-8")
    text = LOCAL.sub(source, written)
    if [found["inner"] for found in LOCAL.finditer(written)].count(None) != 1:
        raise ValueError(f'{file} must call the module by `source = "../.."` once')
    return f"\n```hcl\n{text.rstrip()}\n```\n"


def with_release(root: Path, page: str) -> str:
    """Return a page with the owner and the version in each source of the module."""
    owner, version = release(root)
    address = rf'\g<source>"{owner}/openai-ekm/aws\g<inner>"\g<between>"{version}"'
    page = REGISTRY.sub(address, page)
    return REPOSITORY.sub(
        lambda found: (
            f"{owner}/terraform-aws-openai-ekm"
            + (f"{found['place']}{version}" if found["place"] else "")
        ),
        page,
    )


def release(root: Path) -> tuple[str, str]:
    """Return the repository's owner and the version."""
    owner = OWNER.search((root / ".github" / "CODEOWNERS").read_text(encoding="utf-8"))
    file = root / "scripts" / "openai_ekm" / "_version.py"
    version = VERSION.search(file.read_text(encoding="utf-8"))
    if owner is None or version is None:
        raise ValueError("CODEOWNERS must have a line `* @OWNER`, and _version.py the version")
    return owner["owner"], version["version"]
