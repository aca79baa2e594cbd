"""Terraform's providers are found where this machine has them."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import pytest

from openai_ekm.errors import BadInput
from openai_ekm.rehearsal.terraform_environment import (
    PROVIDER,
    find_mirror,
    find_terraform,
    provider_settings,
)

if TYPE_CHECKING:
    from pathlib import Path


def mirror(folder: Path) -> Path:
    """Make a folder in mirror layout."""
    (folder / PROVIDER / "5.100.0").mkdir(parents=True)
    return folder


def test_a_mirror_that_is_named_is_used(tmp_path: Path) -> None:
    """A user with a mirror of their own would download, or fail without a network."""
    named = mirror(tmp_path / "named")
    settings = provider_settings({"HOME": str(tmp_path), "EKM_TF_MIRROR": str(named)})
    assert settings == {"TF_CLI_ARGS_init": shlex.quote(f"-plugin-dir={named}")}
    spaced = mirror(tmp_path / "with a space")
    settings = provider_settings({"HOME": str(tmp_path), "EKM_TF_MIRROR": str(spaced)})
    assert settings == {"TF_CLI_ARGS_init": f"'-plugin-dir={spaced}'"}


def test_a_named_folder_that_is_no_mirror_is_refused(tmp_path: Path) -> None:
    """A mistyped mirror would end in Terraform's message about an unavailable provider."""
    with pytest.raises(BadInput, match="holds no registry") as caught:
        find_mirror({"EKM_TF_MIRROR": str(tmp_path)})
    assert caught.value.id == "mirror_without_provider"


def test_terraforms_own_folder_needs_no_setting(tmp_path: Path) -> None:
    """-plugin-dir would shut out the providers that Terraform finds by itself."""
    mirror(tmp_path / ".terraform.d" / "plugins")
    mirror(tmp_path / "opt" / "other")
    assert find_mirror({"HOME": str(tmp_path)}, parents=[tmp_path / "opt"]) is None


def test_a_mirror_right_under_a_known_parent_is_found(tmp_path: Path) -> None:
    """A test machine without a network could not run a single plan."""
    (tmp_path / "a-file").touch()
    (tmp_path / "empty").mkdir()
    found = mirror(tmp_path / "providers")
    environment = {"HOME": str(tmp_path / "home"), "XDG_DATA_DIRS": str(tmp_path / "none")}
    assert find_mirror(environment, parents=[tmp_path / "absent", tmp_path]) == found


def test_what_the_user_set_wins(tmp_path: Path) -> None:
    """A user's own Terraform set-up would be overruled."""
    configuration = tmp_path / "terraformrc"
    configuration.touch()
    assert provider_settings({"TF_CLI_ARGS_init": "-upgrade"}) == {}
    assert provider_settings({"TF_CLI_CONFIG_FILE": str(configuration)}) == {}


def test_a_download_goes_through_one_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every workspace would download the provider anew, hundreds of megabytes each time."""
    monkeypatch.setattr("openai_ekm.rehearsal.terraform_environment.find_mirror", lambda _: None)
    settings = provider_settings({"EKM_CACHE_DIR": str(tmp_path)})
    assert settings["TF_PLUGIN_CACHE_DIR"] == str(tmp_path / "terraform-plugins")
    assert (tmp_path / "terraform-plugins").is_dir()


def test_no_terraform_is_one_line_that_says_what_to_do(tmp_path: Path) -> None:
    """A machine without Terraform would see a Python error about a missing file."""
    with pytest.raises(BadInput, match="Terraform was not found on PATH") as caught:
        find_terraform(path=str(tmp_path))
    assert caught.value.id == "terraform_missing"
    assert "Install Terraform" in str(caught.value.remedy)
    with pytest.raises(BadInput, match="not found at /nowhere/terraform"):
        find_terraform("/nowhere/terraform")
