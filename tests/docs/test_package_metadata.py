"""The package's metadata: the repository's address, and README as the package index shows it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import package_metadata as package  # noqa: E402 - a tool, not a package

REPOSITORY = "https://github.com/acme/terraform-aws-openai-ekm"
README = (ROOT / "README.md").read_text(encoding="utf-8")
GITHUB = {"GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "acme/of-github"}


def repository(folder: Path, origin: str) -> Path:
    """A repository with a remote."""
    subprocess.run(["git", "init", "--quiet", folder], check=True)
    subprocess.run(["git", "-C", folder, "remote", "add", "origin", origin], check=True)
    return folder


@pytest.mark.parametrize(
    "address",
    [
        REPOSITORY,
        f"{REPOSITORY}.git",
        "https://user:token@github.com/acme/terraform-aws-openai-ekm.git",
        "https://GitHub.com/acme/terraform-aws-openai-ekm/",
        "git@github.com:acme/terraform-aws-openai-ekm.git",
        "ssh://git@github.com:22/acme/terraform-aws-openai-ekm.git",
    ],
)
def test_a_public_remote_is_an_https_address(address: str) -> None:
    """Guards against: credentials of a remote that are published with the package."""
    assert package.public(address) == REPOSITORY


@pytest.mark.parametrize(
    "address",
    [
        "",
        "/srv/git/terraform-aws-openai-ekm",
        "../terraform-aws-openai-ekm",
        "file:///srv/git/terraform-aws-openai-ekm",
        "http://github.com/acme/terraform-aws-openai-ekm",
        "git://github.com/acme/terraform-aws-openai-ekm",
        "https://localhost/acme/terraform-aws-openai-ekm",
        "https://10.0.0.1/acme/terraform-aws-openai-ekm",
        "https://[::1]/acme/terraform-aws-openai-ekm",
        "https://[::1/acme",
        "git@git:acme/terraform-aws-openai-ekm",
        "git@git.corp:acme/terraform-aws-openai-ekm",
        "https://git.internal/acme/terraform-aws-openai-ekm",
        "https://github.com",
        "https://github.com/acme",
        "https://github.com/acme/../terraform-aws-openai-ekm",
        "https://github.com/acme/a) [b](c",
    ],
)
def test_a_remote_that_is_not_public_is_none(address: str) -> None:
    """Guards against: a machine's path or an internal host that is published with the package."""
    assert package.public(address) is None


def test_github_names_the_repository_before_the_remote_does(tmp_path: Path) -> None:
    """GitHub's variables win; without them the remote `origin` counts."""
    root = repository(tmp_path, REPOSITORY)
    assert package.repository_url(GITHUB, root) == "https://github.com/acme/of-github"
    assert package.repository_url({}, root) == REPOSITORY


def test_a_folder_within_another_repository_has_no_address(tmp_path: Path) -> None:
    """Guards against: an unpacked sdist that takes the address of the repository around it."""
    inside = repository(tmp_path, REPOSITORY) / "unpacked"
    inside.mkdir()
    assert package.repository_url({}, inside) is None


def test_links_go_to_the_tag_only_where_the_source_is_at_it(tmp_path: Path) -> None:
    """Guards against: links of an untagged build to a tag that does not exist yet."""
    root = repository(tmp_path, REPOSITORY)
    who = ("-c", "user.name=A", "-c", "user.email=a@b.io")
    commit = ("git", "-C", root, *who, "commit", "--quiet", "--allow-empty", "-m", "One")
    subprocess.run(commit, check=True)
    assert package.ref_of({}, root, "1.2.3") == "HEAD"
    assert package.ref_of({"GITHUB_REF": "refs/tags/v1.2.3"}, root, "1.2.3") == "v1.2.3"
    assert package.ref_of({"GITHUB_REF": "refs/tags/v1.2.4"}, root, "1.2.3") == "HEAD"
    subprocess.run(["git", "-C", root, "tag", "v1.2.3"], check=True)
    assert package.ref_of({}, root, "1.2.3") == "v1.2.3"


def test_every_link_of_the_index_is_absolute() -> None:
    """Guards against: links of README that lead nowhere on the package index."""
    text = package.index_readme(README, REPOSITORY, "v1.2.3")
    targets = re.findall(r"\]\(([^)]+)\)", text)
    assert len(targets) > 25
    assert [each for each in targets if not each.startswith("https://")] == []
    assert f"]({REPOSITORY}/blob/v1.2.3/docs/proof.md#what-was-not-seen)" in text
    assert f"]({REPOSITORY}/blob/v1.2.3/README.md#the-admin-key)" in text
    assert "<owner>" not in text


def test_the_first_screen_of_the_index_says_how_to_install() -> None:
    """Guards against: `make demo` on the index, where there is no Makefile."""
    text = package.index_readme(README, REPOSITORY, "v1.2.3")
    screen = "\n".join(text.splitlines()[:40])
    assert "pip install openai-ekm-aws" in screen
    assert "make demo" not in text
    assert "<!-- in a checkout -->" not in text
    assert "-->" not in screen


def test_without_an_address_links_stay_as_they_are() -> None:
    """Guards against: links to a repository that nobody named."""
    text = package.index_readme(README, None, "HEAD")
    assert "](docs/proof.md)" in text
    assert "pip install openai-ekm-aws" in text
