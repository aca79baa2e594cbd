"""What the package's metadata says about its repository, filled at build (a hatch metadata hook).

The repository's address is not in the source, so that a fork names itself. It comes from
GITHUB_SERVER_URL and GITHUB_REPOSITORY, or from the git remote `origin` where that is a public
https or ssh address. Without one, the package has no URLs and README's links stay relative.
"""

from __future__ import annotations

import ipaddress
import os
import re
import subprocess  # nosec B404 # each call says below why it is safe
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from hatchling.metadata.plugin.interface import MetadataHookInterface

if TYPE_CHECKING:
    from collections.abc import Mapping

# `git@host:owner/name`, which is no URL.
SCP_LIKE = re.compile(r"^(?:[^@/:]+@)?(?P<host>[^@/:]+):(?P<path>[^/].*)$")
PATH = re.compile(r"^(?:[A-Za-z0-9._-]+/)+[A-Za-z0-9._-]+$")
# A host name's last label that no public domain has.
PRIVATE = {"corp", "example", "home", "internal", "invalid", "lan", "local", "localhost", "test"}
LINK = re.compile(r"(?<=\]\()(?!https?:|mailto:)(?P<target>[^)\s]+)(?=\))")
# On the index, the text in the second comment stands for the part between the first and second.
CHECKOUT = re.compile(
    r"<!-- in a checkout -->\n.*?<!-- on the package index\n(?P<text>.*?)\n-->\n", re.DOTALL
)
OWNER = "<owner>"  # until .github/CODEOWNERS names one


class PackageMetadata(MetadataHookInterface):
    """Fills `urls` and `readme`; a build from the sdist has both already."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Fill what the metadata does not have."""
        root = Path(self.root)
        repository = repository_url(os.environ, root)
        ref = ref_of(os.environ, root, metadata["version"])
        if repository and "urls" not in metadata:
            metadata["urls"] = urls(repository, ref)
        if "readme" not in metadata:
            text = (root / "README.md").read_text(encoding="utf-8")
            metadata["readme"] = {
                "content-type": "text/markdown",
                "text": index_readme(text, repository, ref),
            }


def repository_url(environment: Mapping[str, str], root: Path) -> str | None:
    """Return the public https address of the repository, or None where none is known."""
    server, name = (environment.get(f"GITHUB_{each}") for each in ("SERVER_URL", "REPOSITORY"))
    if server and name:
        return public(f"{server}/{name}")
    return public(_git(root, "remote", "get-url", "origin"))


def public(address: str) -> str | None:
    """Return a git remote as an https address without credentials; None if it is not public."""
    if "://" in address:
        try:
            parts = urlsplit(address)
            host, path = parts.hostname or "", parts.path
        except ValueError:
            return None
        if parts.scheme not in {"https", "ssh"}:
            return None
    elif found := SCP_LIKE.match(address):
        host, path = found["host"].lower(), found["path"]
    else:
        return None
    path = path.strip("/").removesuffix(".git")
    if not PATH.match(path) or ".." in path or not _public_host(host):
        return None
    return f"https://{host}/{path}"


def _public_host(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        name, _, last = host.rpartition(".")
        return bool(name) and last not in PRIVATE and re.fullmatch(r"[a-z0-9.-]+", host) is not None
    return False


def ref_of(environment: Mapping[str, str], root: Path, version: str) -> str:
    """Return the version's tag where the source is at it, else HEAD: the tag may not exist yet."""
    tag = f"v{version}"
    named = environment.get("GITHUB_REF") == f"refs/tags/{tag}"
    return tag if named or tag in _git(root, "tag", "--points-at", "HEAD").split() else "HEAD"


def urls(repository: str, ref: str) -> dict[str, str]:
    """Return the project's URLs by their labels."""
    return {
        "Repository": repository,
        "Documentation": f"{repository}/blob/{ref}/README.md",
        "Changelog": f"{repository}/blob/{ref}/CHANGELOG.md",
        "Issues": f"{repository}/issues",
        "Security": f"{repository}/security/policy",
    }


def index_readme(text: str, repository: str | None, ref: str) -> str:
    """Return the README for the package index: how to install, and absolute links."""
    text = CHECKOUT.sub(lambda found: found["text"] + "\n", text)
    if repository is None:
        return text
    text = text.replace(OWNER, repository.split("/")[3])
    # The index gives headings no anchors: a link within the page leads to the repository, too.
    readme = f"{repository}/blob/{ref}/README.md"
    return LINK.sub(lambda found: urljoin(readme, found["target"]), text)


def _git(root: Path, *words: str) -> str:
    if not (root / ".git").exists():  # an unpacked sdist inside somebody else's repository
        return ""
    try:
        done = subprocess.run(  # nosec B603, B607 # the git on PATH, fixed words
            ["git", *words], cwd=root, capture_output=True, text=True, check=False
        )
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
