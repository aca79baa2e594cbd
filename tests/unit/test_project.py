"""The address of a page of the documentation, from the metadata of an installed distribution."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from openai_ekm import project
from openai_ekm._version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

README = "https://github.com/acme/terraform-aws-openai-ekm/blob/v1.2.3/README.md"


@pytest.fixture(autouse=True)
def _read_anew() -> Iterator[None]:
    project._readme_url.cache_clear()
    yield
    project._readme_url.cache_clear()


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that stands before all others, with the metadata of an installed distribution."""
    folder = tmp_path / "openai_ekm_aws-0.dist-info"
    folder.mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    return folder


def written(folder: Path, *lines: str, version: str = __version__) -> None:
    """Write METADATA."""
    head = ("Metadata-Version: 2.4", f"Name: {project.DISTRIBUTION}", f"Version: {version}")
    (folder / "METADATA").write_text("\n".join([*head, *lines, "", "Read me"]), encoding="utf-8")


def test_a_page_is_found_beside_the_readme(install: Path) -> None:
    """A page's address is that of the README's tag, whatever other URLs stand before it."""
    written(install, "Project-URL: Issues, https://x.io/i", f"Project-URL: Documentation, {README}")
    assert (
        project.documentation_address("docs/proof.md#what-was-not-seen")
        == "https://github.com/acme/terraform-aws-openai-ekm/blob/v1.2.3/docs/proof.md#what-was-not-seen"
    )


def test_a_package_without_urls_has_no_page(install: Path) -> None:
    """Guards against: a made-up address where the build knew none."""
    written(install, "Project-URL: Issues, https://x.io/i")
    assert project.documentation_address("docs/errors.md") == "docs/errors.md"


def test_another_version_beside_the_source_is_not_asked(install: Path) -> None:
    """Guards against: the pages of an installed version in the messages of a newer source."""
    written(install, f"Project-URL: Documentation, {README}", version="0.0.1")
    assert project.documentation_address("docs/errors.md") == "docs/errors.md"


def test_source_that_is_not_installed_has_no_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Guards against: a traceback where the launcher runs the source itself."""
    monkeypatch.setattr(project, "DISTRIBUTION", "openai-ekm-aws-not-installed")
    assert project.documentation_address("docs/errors.md") == "docs/errors.md"
