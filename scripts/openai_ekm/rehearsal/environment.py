"""The environment of what a rehearsal starts: nothing of the user's own accounts gets in."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from openai_ekm.loopback import keep_from_proxies

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["GO", "cache_folder", "clean"]

# A rehearsal that met a profile, an endpoint or a key of the user's would leave the machine.
DROPPED_PREFIXES = ("AWS_", "OPENAI_", "EKM_", "TF_VAR_", "LOCALSTACK_")
DROPPED = frozenset({"TF_WORKSPACE", "TF_DATA_DIR", "TF_LOG", "TF_CLI_ARGS", "PYTHONPATH"})
# Where the user says which tools and folders to use; no rehearsal target among them.
KEPT = frozenset({"EKM_CACHE_DIR", "EKM_PYTHON", "EKM_TERRAFORM", "EKM_TF_MIRROR", "EKM_DEBUG"})
# Terraform and its providers collect garbage less often: a third less processor time, for about
# 100 MB more memory.
GO = {"GOGC": "400"}


def clean(*settings: Mapping[str, str], base: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return an environment without the user's AWS, OpenAI and Terraform inputs.

    A proxy of the user's stays, for what is not on this machine.

    Args:
        settings: Variables to set, later ones winning.
        base: What to start from; this process's environment when absent.
    """
    start = os.environ if base is None else base
    result = {
        name: value
        for name, value in start.items()
        if name in KEPT or not (name in DROPPED or name.startswith(DROPPED_PREFIXES))
    }
    for setting in settings:
        result.update(setting)
    return result | keep_from_proxies(result)


def cache_folder(environment: Mapping[str, str] | None = None) -> Path:
    """Return the user's cache folder of this product: `EKM_CACHE_DIR`, else the XDG place.

    Args:
        environment: Where to look; this process's environment when absent.
    """
    env = os.environ if environment is None else environment
    if env.get("EKM_CACHE_DIR"):
        return Path(env["EKM_CACHE_DIR"])
    base = env.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "openai-ekm-aws"
