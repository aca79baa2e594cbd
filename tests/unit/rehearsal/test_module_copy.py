"""A root module is copied with all that it reaches, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from openai_ekm.errors import BadInput
from openai_ekm.rehearsal.module_copy import copy_root, local_modules

if TYPE_CHECKING:
    from pathlib import Path


def write(file: Path, text: str = "") -> Path:
    """Write a file with its folders."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root module beside unrelated folders, reaching a module that reaches another."""
    write(tmp_path / "infra/prod/main.tf", 'module "ekm" {\n  source = "../../vendor/ekm"\n}\n')
    write(tmp_path / "infra/prod/terraform.tfstate", "{}")
    write(tmp_path / "infra/prod/.terraform/modules/modules.json", "{}")
    write(tmp_path / "infra/prod/.terraform.lock.hcl")
    write(tmp_path / "infra/prod/files/names.json", "[]")
    write(tmp_path / "vendor/ekm/main.tf", 'module "key" {\n  source = "./modules/key"\n}\n')
    write(tmp_path / "vendor/ekm/modules/key/main.tf", 'module "x" {\n  source = "a/b/aws"\n}\n')
    write(tmp_path / "vendor/ekm/.git/HEAD")
    write(tmp_path / "private/secret.txt")
    return tmp_path / "infra" / "prod"


def test_relative_sources_hold_in_the_copy(root: Path, tmp_path: Path) -> None:
    """Init would not find the module that the root is about."""
    copy = copy_root(root, tmp_path / "copy")
    assert copy == tmp_path / "copy" / "infra" / "prod"
    assert (copy / "../../vendor/ekm/modules/key/main.tf").is_file()
    assert (copy / "files" / "names.json").is_file()


def test_state_caches_and_neighbours_stay_behind(root: Path, tmp_path: Path) -> None:
    """A rehearsal would begin from real state, or copy a home folder."""
    copy_root(root, tmp_path / "copy")
    names = {file.name for file in (tmp_path / "copy").rglob("*")}
    assert names.isdisjoint({"terraform.tfstate", ".terraform", ".git", "private", "secret.txt"})
    assert ".terraform.lock.hcl" in names


def test_the_original_is_not_written_to(root: Path, tmp_path: Path) -> None:
    """A rehearsal would leave files in the user's checkout."""
    before = sorted(tmp_path.rglob("*"))
    copy = copy_root(root, tmp_path / "copy")
    write(copy / "main.tf", "changed")
    assert [p for p in sorted(tmp_path.rglob("*")) if "copy" not in p.parts] == before
    assert "changed" not in (root / "main.tf").read_text()


def test_only_local_sources_are_followed(root: Path) -> None:
    """A registry address would be taken for a folder."""
    assert [folder.name for folder in local_modules(root)] == ["prod", "ekm", "key"]


def test_a_folder_without_terraform_is_refused(tmp_path: Path) -> None:
    """A mistyped root would end in an empty plan that proves nothing."""
    with pytest.raises(BadInput, match=r"holds no \.tf file") as caught:
        local_modules(tmp_path)
    assert caught.value.id == "not_a_module"
