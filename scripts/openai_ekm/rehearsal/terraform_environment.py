"""Where Terraform and its providers come from, and the environment in which they run."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from openai_ekm.errors import BadInput
from openai_ekm.rehearsal.environment import GO, cache_folder, clean
from openai_ekm.rehearsal.localstack import CUSTOMER_ACCOUNT
from openai_ekm.terraform import selected_program

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from openai_ekm.rehearsal.emulator import EmulatorProcess
    from openai_ekm.rehearsal.localstack import LocalStack

__all__ = [
    "find_mirror",
    "find_terraform",
    "process_environment",
    "provider_settings",
    "rehearsal_environment",
]

PROVIDER = Path("registry.terraform.io", "hashicorp", "aws")
# Folders whose direct members may be a mirror, when the user names none.
MIRROR_PARENTS = (Path("/opt"), Path("/usr/local/share"))


def find_terraform(named: str | None = None, *, path: str | None = None) -> str:
    """Return the Terraform program to run.

    Args:
        named: A path or name to use instead of what `--terraform` and EKM_TERRAFORM say.
        path: Folders to search, as in `PATH`; this process's when absent.

    Raises:
        BadInput: There is none.
    """
    named = named or selected_program()
    found = shutil.which(named or "terraform", path=path)
    if found is None:
        raise BadInput(
            "terraform_missing",
            f"Terraform was not found{f' at {named}' if named else ' on PATH'}.",
            remedy="Install Terraform 1.9 or later: https://developer.hashicorp.com/terraform/install",
        )
    return found


def implicit_mirrors(environment: Mapping[str, str]) -> list[Path]:
    """Return the folders that Terraform itself looks into before it downloads.

    Source: https://developer.hashicorp.com/terraform/cli/config/config-file#implied-local-mirror-directories
    """
    home = Path(environment.get("HOME") or Path.home())
    data = environment.get("XDG_DATA_HOME") or str(home / ".local" / "share")
    shared = environment.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share"
    return [
        home / ".terraform.d" / "plugins",
        home / "Library" / "Application Support" / "io.terraform" / "plugins",
        *(Path(folder, "terraform", "plugins") for folder in (data, *shared.split(":"))),
    ]


def find_mirror(
    environment: Mapping[str, str] | None = None, *, parents: Iterable[Path] = MIRROR_PARENTS
) -> Path | None:
    """Return a provider mirror that Terraform would not find by itself, or None.

    `EKM_TF_MIRROR` names one. Otherwise nothing is needed when Terraform's implicit folders hold
    the AWS provider; else a folder right under `parents` that does, in mirror layout.

    Args:
        environment: Where to look for `EKM_TF_MIRROR`; this process's environment when absent.
        parents: Folders whose direct members may be a mirror.

    Raises:
        BadInput: `EKM_TF_MIRROR` names a folder that is no mirror.
    """
    env = os.environ if environment is None else environment
    named = env.get("EKM_TF_MIRROR")
    if named:
        if not Path(named, PROVIDER).is_dir():
            raise BadInput(
                "mirror_without_provider",
                f"EKM_TF_MIRROR names {named}, which holds no {PROVIDER}.",
                at_fault="EKM_TF_MIRROR",
                remedy="Name a folder made by `terraform providers mirror`, or unset it.",
            )
        return Path(named)
    if any((folder / PROVIDER).is_dir() for folder in implicit_mirrors(env)):
        return None
    for parent in parents:
        if not parent.is_dir():
            continue
        for folder in sorted(parent.iterdir()):
            if (folder / PROVIDER).is_dir():
                return folder
    return None


def provider_settings(environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the variables that make `terraform init` find providers on this machine.

    The user's settings win: `TF_CLI_ARGS_init`, and a `TF_CLI_CONFIG_FILE` that is there. With
    neither and no mirror, providers are downloaded once, into a cache folder of this product.

    Args:
        environment: Where to look; this process's environment when absent.
    """
    env = os.environ if environment is None else environment
    if "TF_CLI_ARGS_init" in env or Path(env.get("TF_CLI_CONFIG_FILE") or os.devnull).is_file():
        return {}
    mirror = find_mirror(env)
    if mirror is not None:
        return {"TF_CLI_ARGS_init": shlex.quote(f"-plugin-dir={mirror}")}
    if "TF_PLUGIN_CACHE_DIR" in env:
        return {}
    cache = cache_folder(env) / "terraform-plugins"
    cache.mkdir(parents=True, exist_ok=True)
    return {
        "TF_PLUGIN_CACHE_DIR": str(cache),
        # A root without a lock file would otherwise download past the cache.
        "TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE": "1",
    }


def rehearsal_environment(
    aws: LocalStack, openai: EmulatorProcess, *, account: str, region: str
) -> dict[str, str]:
    """Return the variables of Terraform and of the registrar that it starts.

    Args:
        aws: Where AWS is.
        openai: Where OpenAI is.
        account: The customer's account.
        region: AWS Region.
    """
    return {
        **aws.environment(account, region),
        **openai.environment(),
        # The module's launcher then finds the `ekm-register` of this very environment.
        "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", ""))),
    }


def process_environment(aws: LocalStack, openai: EmulatorProcess, *, region: str) -> dict[str, str]:
    """Return the whole environment of a process that starts Terraform by itself.

    Args:
        aws: Where AWS is.
        openai: Where OpenAI is.
        region: AWS Region.
    """
    return GO | clean(
        rehearsal_environment(aws, openai, account=CUSTOMER_ACCOUNT, region=region),
        provider_settings(),
    )
