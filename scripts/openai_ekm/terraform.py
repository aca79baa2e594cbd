"""Run Terraform or OpenTofu, and read its JSON and the module's version.

The JSON may come with lines of a wrapper or a version manager around it, with a byte order mark, or
in UTF-16. One reader takes all of these; a notice names what it skipped.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess  # nosec B404 # each call says below why it is safe
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from openai_ekm.calls_log import log_call
from openai_ekm.errors import BadInput
from openai_ekm.json_reader import UnreadableJsonError, decode_text, find_object

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "find_module_version",
    "find_program",
    "is_saved_plan",
    "module_instances",
    "read_outputs",
    "read_printed",
    "run_output",
    "run_show",
    "run_show_state",
    "run_version",
    "select_instance",
    "select_program",
    "selected_program",
]

TIMEOUT: Final = 120  # seconds; reading outputs may go through a remote backend
# What asdf, mise, tfenv and tenv say when no version of Terraform is chosen for a folder.
_NO_VERSION: Final = re.compile(
    r"no (?:preset )?version (?:is set|installed for command)|version could not be resolved"
    r"|no versions? of terraform installed|failure during terraform call|reshim",
    re.IGNORECASE,
)
_SHELL_CANNOT_RUN: Final = (126, 127)
_MOST_NAMES: Final = 5  # in a message
_ZIP: Final = b"PK\x03\x04"  # a saved plan is an archive
_MODULE_VERSION: Final = re.compile(r'^__version__ = "([0-9][^"\s]{0,40})"$', re.MULTILINE)
_VERSION_FILE: Final = "scripts/openai_ekm/_version.py"  # the module carries its registrar
_PROGRAMS: Final = ("terraform", "tofu")
_selected: str | None = None


def select_program(program: str | None) -> None:
    """Choose the program for this process.

    Args:
        program: Name or path of Terraform or OpenTofu; None undoes the choice.
    """
    global _selected  # noqa: PLW0603 - a choice of the process, as an environment variable is
    _selected = program


def selected_program() -> str | None:
    """Return what `--terraform` names, else EKM_TERRAFORM; None where neither does."""
    return _selected or os.environ.get("EKM_TERRAFORM") or None


def find_program(*, path: str | None = None) -> str:
    """Return the Terraform or OpenTofu to run.

    It is the one that was selected, else what EKM_TERRAFORM names, else `terraform` on PATH, else
    `tofu`.

    Args:
        path: Folders to search, as in `PATH`; this process's when absent.

    Raises:
        BadInput: It is not there.
    """
    named = selected_program()
    origin = "--terraform" if _selected else "EKM_TERRAFORM"
    if named is not None:
        program = shutil.which(named, path=path)
        if program is None:
            raise BadInput(
                "terraform_missing",
                f"{origin} names {named!r}, which is no program that can be run.",
                at_fault=origin,
                remedy=f"Give the name or the path of Terraform or OpenTofu, or leave {origin} "
                "out: then terraform on PATH is used, else tofu.",
            )
        return program
    for name in _PROGRAMS:
        program = shutil.which(name, path=path)
        if program is not None:
            return program
    raise BadInput(
        "terraform_missing",
        "Neither terraform nor tofu is on PATH.",
        at_fault="PATH",
        remedy="Install Terraform 1.9 or later "
        "(https://developer.hashicorp.com/terraform/install), or name the program with "
        "--terraform. Where Terraform runs elsewhere, pipe what it prints: terraform output -json "
        "| ekm … --from-terraform -, or terraform show -json PLAN | ekm … --from-plan -",
    )


def read_printed(content: bytes) -> tuple[dict[str, Any], str | None]:
    """Read the JSON object in what Terraform printed.

    Args:
        content: Standard output, or a file of it.

    Returns:
        The object; and a sentence about what was read past, None where there was nothing.

    Raises:
        UnreadableJsonError: There is no such object.
    """
    if is_saved_plan(content):
        raise UnreadableJsonError("is a saved plan, and not what `terraform show -json` prints")
    value, others = find_object(decode_text(content))
    if not others:
        return value, None
    lines = "1 line" if len(others) == 1 else f"{len(others)} lines"
    return value, f"Read past {lines} that are not Terraform's JSON: {others[0].strip()[:120]}"


def read_outputs(content: bytes, source: str) -> tuple[dict[str, Any], str | None]:
    """Read what `terraform output -json` printed.

    Args:
        content: As for `read_printed`.
        source: Where it came from, for messages.

    Returns:
        As `read_printed`.

    Raises:
        BadInput: It is not that.
    """
    try:
        return read_printed(content)
    except UnreadableJsonError as error:
        raise BadInput(
            "terraform_outputs_malformed",
            f"{source} {error}.",
            at_fault="--from-terraform",
            remedy="Give what `terraform output -json` prints, whole.",
        ) from None


def module_instances(printed: Mapping[str, Any]) -> dict[str | None, Mapping[str, Any]]:
    """Return the outputs of each instance of the module.

    Args:
        printed: What `terraform output -json` prints, decoded.

    Returns:
        Names to outputs, where the output `ekm` is a map of instances (`for_each`); else the one
        instance under None, whether it is the root or stands in the output `ekm`.
    """
    outputs = {
        name: output["value"]
        for name, output in printed.items()
        if isinstance(output, dict) and "value" in output
    }
    inner = outputs.get("ekm")
    if not isinstance(inner, dict):
        return {None: outputs}
    if inner and all(isinstance(instance, dict) for instance in inner.values()):
        return dict(inner)
    return {None: inner}


def select_instance(
    printed: Mapping[str, Any], source: str, name: str | None = None
) -> Mapping[str, Any]:
    """Return the outputs of the one instance that is meant.

    Args:
        printed: As for `module_instances`.
        source: Where it came from, for messages.
        name: As in the map, or an address such as `module.ekm["prod"]`; None where there is one.

    Raises:
        BadInput: There is no such instance, or there are several and none is named.
    """
    instances = module_instances(printed)
    if None in instances:
        if name is not None:
            raise BadInput(
                "option_useless",
                f"--module {name} means nothing here: {source} has one instance of the module.",
                at_fault="--module",
                remedy="Leave --module out.",
            )
        return instances[None]
    short = name or ""
    if short.endswith('"]'):  # as a plan and `terraform state list` have it
        short = short.partition('["')[2].removesuffix('"]')
    if short not in instances:
        known = [str(each) for each in instances]
        which = f", and {name} is none of them" if name is not None else ""
        raise BadInput(
            "terraform_outputs_fleet",
            f"{source} has an output ekm of {len(known)} registrations: "
            f"{', '.join(known[:_MOST_NAMES])}{' …' if len(known) > _MOST_NAMES else ''}; this "
            f"needs one{which}.",
            at_fault="--from-terraform" if name is None else "--module",
            remedy="Choose one with --module NAME. status, validate, handoff and retire take all "
            "with --all.",
        )
    return instances[short]


def is_saved_plan(content: bytes) -> bool:
    """Return whether the first bytes are those of a saved plan, which Terraform alone reads."""
    return content.startswith(_ZIP)


def run_output(folder: Path) -> bytes:
    """Return what `terraform output -json` prints in a folder.

    Raises:
        BadInput: No folder, no Terraform, or it fails.
    """
    return _run_in_root(["output", "-json", "-no-color"], folder)


def run_show_state(folder: Path) -> bytes:
    """Return what `terraform show -json` prints of the state in a folder.

    Raises:
        BadInput: No folder, no Terraform, or it fails.
    """
    return _run_in_root(["show", "-json", "-no-color"], folder)


def _run_in_root(arguments: list[str], folder: Path) -> bytes:
    """Run Terraform in the folder of `--from-terraform`."""
    if not os.path.isdir(folder):  # noqa: PTH112 - of a name that is too long it says no
        raise BadInput(
            "terraform_folder_missing",
            f"--from-terraform {str(folder)!r} is not a folder.",
            at_fault="--from-terraform",
            remedy="Give the folder that you run terraform apply in, or - for standard input.",
        )
    return _run(
        arguments,
        folder,
        option="--from-terraform",
        remedy="Run terraform init and terraform apply there first.",
    )


def run_show(plan: Path) -> bytes:
    """Return what `terraform show -json` prints of a saved plan.

    Terraform runs in the folder that it was initialized in: the plan's own, else the current one.

    Args:
        plan: What `terraform plan -out=FILE` wrote.

    Raises:
        BadInput: No Terraform, or it fails.
    """
    plan = plan.resolve()
    beside = plan.parent
    folder = beside if (beside / ".terraform").is_dir() else Path.cwd()
    return _run(
        ["show", "-json", "-no-color", str(plan)],
        folder,
        option="--from-plan",
        remedy="Run this in the folder that the plan was made in, after terraform init; or give "
        "what `terraform show -json PLAN` prints.",
    )


def run_version() -> tuple[str, bytes]:
    """Return the program, and what it prints for `version -json`.

    Raises:
        BadInput: There is none, or it fails.
    """
    remedy = "Run it by hand, or name another program with --terraform."
    printed = _run(["version", "-json"], Path.cwd(), option="--terraform", remedy=remedy)
    return find_program(), printed


def find_module_version(folder: Path) -> str | None:
    """Return the version of the module that a folder holds or calls.

    Args:
        folder: The module itself, or a root that calls it and was initialized.
    """
    roots = [folder]
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        listed = json.loads((folder / ".terraform/modules/modules.json").read_text("utf-8"))
        roots += [folder / entry["Dir"] for entry in listed["Modules"]]
    for root in roots:
        with contextlib.suppress(OSError, UnicodeDecodeError):
            found = _MODULE_VERSION.search((root / _VERSION_FILE).read_text("utf-8"))
            if found:
                return found[1]
    return None


def _run(arguments: list[str], folder: Path, *, option: str, remedy: str) -> bytes:
    """Run Terraform in a folder and return what it prints."""
    program = find_program()
    command = f"{Path(program).name} {arguments[0]}"
    start = time.monotonic()
    try:
        done = subprocess.run(  # noqa: S603  # nosec B603 # a fixed command; the folder is no argument of it
            [program, *arguments],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIMEOUT,
            env={name: value for name, value in os.environ.items() if name != "OPENAI_ADMIN_KEY"},
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise _failed(
            f"{command} in {str(folder)!r} did not end within {TIMEOUT} s.",
            option,
            "Run it by hand and see what it waits for.",
        ) from None
    except OSError as failure:
        raise _failed(
            f"{program} cannot be started: {failure.strerror}.",
            option,
            "Run `terraform version` by hand; put a Terraform that runs first on PATH.",
        ) from None
    log_call("Terraform", command, f"exit code {done.returncode}", time.monotonic() - start)
    if done.returncode != 0:
        printed = " ".join(done.stderr.decode("utf-8", "replace").split())
        failure_text = f"failed: {printed[:500] or f'exit code {done.returncode}'}"
        if done.returncode in _SHELL_CANNOT_RUN or _NO_VERSION.search(printed):
            raise _failed(
                f"{program} is a shim of a version manager that starts no Terraform in "
                f"{str(folder)!r}: it {failure_text}",
                option,
                "Choose a version of Terraform for that folder (asdf, mise, tfenv, tenv: a file "
                ".tool-versions or .terraform-version), or put Terraform itself first on PATH.",
            )
        raise _failed(f"{command} in {str(folder)!r} {failure_text}", option, remedy)
    return done.stdout


def _failed(message: str, option: str, remedy: str) -> BadInput:
    return BadInput("terraform_failed", message, at_fault=option, remedy=remedy)
