"""Drive Terraform on a copy of a root module, with everything it says kept."""

from __future__ import annotations

import contextlib
import json
import os
import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openai_ekm.errors import CheckFailed
from openai_ekm.files import write_atomically
from openai_ekm.rehearsal.documents import UNKNOWN, planned_document
from openai_ekm.rehearsal.environment import GO, cache_folder, clean
from openai_ekm.rehearsal.module_copy import copy_root
from openai_ekm.rehearsal.process import INTERRUPT_SECONDS, GuardedProcess, Run, run_command
from openai_ekm.rehearsal.terraform_environment import find_terraform, provider_settings
from openai_ekm.terraform import read_printed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["Plan", "Run", "Workspace"]

NO_CHANGES, CHANGES = 0, 2  # exit codes of `terraform plan -detailed-exitcode`
CHECKSUMS = re.compile(r"^  hashes += \[.*?^  \]\n", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Plan:
    """A saved plan.

    Attributes:
        run: The command that made it.
        file: Where it is saved; `Workspace.apply(plan)` applies exactly this.
        workspace: Where it was made.
    """

    run: Run
    file: Path
    workspace: Workspace = field(repr=False)

    @property
    def empty(self) -> bool:
        """Return whether nothing would change (exit code 0 of `-detailed-exitcode`)."""
        return self.run.exit_code == NO_CHANGES

    @cached_property
    def json(self) -> dict[str, Any]:
        """Return `terraform show -json` of it, read on first use: it costs nearly a plan."""
        return read_printed(self.workspace.run("show", "-json", str(self.file)).stdout.encode())[0]

    @cached_property
    def actions(self) -> dict[str, tuple[str, ...]]:
        """Return address -> actions, for every resource that would change.

        For example `{"module.ekm.module.key[0].aws_kms_key.this": ("create",)}`.
        """
        return {
            change["address"]: tuple(change["change"]["actions"])
            for change in self.json.get("resource_changes", ())
            if change["change"]["actions"] not in (["no-op"], ["read"])
        }

    def document(self, name: str, stand_in: Any = UNKNOWN) -> Any:
        """Return a policy document by name, also where an ARN in it is not known yet.

        Args:
            name: For example `key_policy`; see `documents.planned_document` for where it looks.
            stand_in: What to put at an unknown leaf.
        """
        return planned_document(self.json, name, stand_in)


class Workspace:
    """A root module in a folder of its own, its environment, and the commands on it.

    The root and every module on disk that it reaches are copied, so that relative sources hold
    and nothing is written beside the originals. The environment is this process's without the
    user's AWS, OpenAI and EKM variables: what it is to reach must be given.

    Args:
        root: The root module's folder.
        folder: Where the copy is made; empty or absent.
        environment: Variables to set: `LocalStack.environment()`, `EmulatorProcess.environment()`.
        variables: Terraform variables of every command; written into the copy, so that a person
            can go on there by hand.
        terraform: The program; looked for on PATH when absent.

    Attributes:
        path: The copy of the root module, where the commands run.
        environment: The whole environment of the commands; may be changed between them.
        runs: Every command so far, in order.

    Example:
        >>> workspace = Workspace(Path("examples/api-project"), tmp_path, aws.environment())
        ... workspace.apply()  # doctest: +SKIP
        ... assert workspace.plan().empty
    """

    def __init__(
        self,
        root: Path | str,
        folder: Path | str,
        environment: Mapping[str, str] | None = None,
        *,
        variables: Mapping[str, Any] | None = None,
        terraform: str | None = None,
    ) -> None:
        self.terraform = find_terraform(terraform)
        self.folder = Path(folder)
        self.path = copy_root(Path(root), self.folder)
        self.environment = clean(
            {"TF_IN_AUTOMATION": "1", "TF_INPUT": "0", "CHECKPOINT_DISABLE": "1"}, environment or {}
        )
        if not Path(self.environment.get("TF_CLI_CONFIG_FILE") or os.devnull).is_file():
            self.environment.pop("TF_CLI_CONFIG_FILE", None)  # Terraform would warn each time
        self.environment.update(provider_settings(self.environment))
        self.environment = GO | self.environment
        self.runs: list[Run] = []
        self._initialized = False
        self.set_variables(**(variables or {}))

    def set_variables(self, **variables: Any) -> None:
        """Set variables of every command from now on, instead of those set before.

        Args:
            variables: By name, as Python values.
        """
        self.variables = dict(variables)
        file = self.path / "ekm.auto.tfvars.json"
        write_atomically(file, json.dumps(self.variables, indent=2))

    def init(self) -> Run:
        """Run `terraform init`; the other commands do it when it has not been done.

        A provider cache that is downloaded into is locked meanwhile: Terraform's is not safe for
        two at once. `init` compares the providers with the checksums of the lock file. They are
        then taken out of the copy's: each command would read hundreds of megabytes to compare
        them once more.
        """
        with self._provider_lock():
            run = self.run("init", "-no-color")
        self._initialized = True
        locked = self.path / ".terraform.lock.hcl"
        if locked.is_file():
            write_atomically(locked, CHECKSUMS.sub("", locked.read_text(encoding="utf-8")))
        return run

    def plan(
        self,
        *,
        destroy: bool = False,
        options: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        **variables: Any,
    ) -> Plan:
        """Run `terraform plan -detailed-exitcode` and read what it saved.

        Args:
            destroy: Plan the destruction of everything.
            options: Further words, for example `-target=module.ekm`.
            environment: Variables of this command alone.
            variables: Terraform variables of this command alone.

        Raises:
            CheckFailed: Terraform refused; `refused_plan` expects that instead.
        """
        self._initialize()
        file = self.path / f"{len(self.runs)}.tfplan"
        run = self._command(
            "plan",
            f"-out={file}",
            "-detailed-exitcode",
            *(["-destroy"] if destroy else []),
            *options,
            environment=environment,
            variables=variables,
            expected=(NO_CHANGES, CHANGES),
        )
        return Plan(run, file, self)

    def refused_plan(
        self,
        *,
        options: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        **variables: Any,
    ) -> Run:
        """Run `terraform plan` and expect that it is refused.

        Args:
            options: Further words.
            environment: Variables of this command alone.
            variables: Terraform variables of this command alone.

        Raises:
            CheckFailed: It was not refused.
        """
        self._initialize()
        return self._command(
            "plan", *options, environment=environment, variables=variables, expected=(1,)
        )

    def apply(
        self,
        plan: Plan | None = None,
        *,
        check: bool = True,
        options: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        **variables: Any,
    ) -> Run:
        """Run `terraform apply`.

        Args:
            plan: Apply exactly this; plan anew when absent.
            check: Raise when it fails; False returns the failed run.
            options: Further words, for example `-replace=module.ekm.…`.
            environment: Variables of this command alone.
            variables: Terraform variables of this command alone.

        Raises:
            CheckFailed: It failed, and `check` is set.
        """
        self._initialize()
        return self._command(
            "apply",
            *(["-auto-approve"] if plan is None else []),
            *options,
            *([] if plan is None else [str(plan.file)]),
            environment=environment,
            variables=variables if plan is None else {},
            expected=(0,) if check else None,
        )

    def destroy(
        self,
        *,
        check: bool = True,
        options: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        **variables: Any,
    ) -> Run:
        """Run `terraform destroy`.

        Args:
            check: Raise when it fails; False returns the failed run.
            options: Further words.
            environment: Variables of this command alone, for example `EKM_CONFIRM_ARCHIVE`.
            variables: Terraform variables of this command alone.

        Raises:
            CheckFailed: It failed, and `check` is set.
        """
        self._initialize()
        return self._command(
            "destroy",
            "-auto-approve",
            *options,
            environment=environment,
            variables=variables,
            expected=(0,) if check else None,
        )

    def start_apply(self, folder: Path) -> GuardedProcess:
        """Start `terraform apply`, and return it as it runs.

        Args:
            folder: Where its output is kept.
        """
        self._initialize()
        words = (f"-chdir={self.path}", "apply", "-auto-approve", "-no-color")
        return GuardedProcess(
            [self.terraform, *words],
            environment=self.environment,
            folder=folder,
            grace=INTERRUPT_SECONDS,
        )

    def outputs(self) -> dict[str, Any]:
        """Return the values of the root's outputs, by name."""
        found, _ = read_printed(self.run("output", "-json").stdout.encode())
        return {name: output["value"] for name, output in found.items()}

    def document(self, name: str) -> Any:
        """Return an output that is a policy document, parsed; `NAME` also finds `NAME_json`."""
        outputs = self.outputs()
        return planned_document(
            {"output_changes": {key: {"after": value} for key, value in outputs.items()}}, name
        )

    def show(self) -> dict[str, Any]:
        """Return the state as `terraform show -json` gives it."""
        return read_printed(self.run("show", "-json").stdout.encode())[0]

    def addresses(self) -> list[str]:
        """Return the address of everything in the state, data sources included."""
        return self.run("state", "list").stdout.split()

    def run(
        self,
        *words: str,
        expected: Sequence[int] | None = (0,),
        environment: Mapping[str, str] | None = None,
    ) -> Run:
        """Run any command of Terraform in the workspace.

        Args:
            words: For example `"state", "rm", address`.
            expected: Exit codes that are fine; None for any.
            environment: Variables of this command alone.

        Raises:
            CheckFailed: The exit code is another.
        """
        run = run_command(
            [self.terraform, *words], self.path, {**self.environment, **(environment or {})}
        )
        self.runs.append(run)
        if expected is None or run.exit_code in expected:
            return run
        if run.ok:
            raise CheckFailed(
                "terraform_did_not_refuse",
                f"terraform {words[0]} was expected to be refused, and was not.",
                at_fault=str(self.path),
            )
        raise CheckFailed(
            "terraform_failed",
            f"terraform {words[0]} ended with exit code {run.exit_code}:\n{run.errors()}",
            at_fault=str(self.path),
            remedy="Read Terraform's words above; they name the resource and the reason.",
        )

    def _initialize(self) -> None:
        if not self._initialized:
            self.init()

    def _command(
        self,
        command: str,
        *words: str,
        environment: Mapping[str, str] | None,
        variables: Mapping[str, Any],
        expected: Sequence[int] | None,
    ) -> Run:
        # python-terraform knows how variables become a file; its own runner would pass on this
        # process's whole environment, and leave Terraform behind when it is interrupted.
        from python_terraform import IsFlagged, Terraform  # noqa: PLC0415 - rehearsal extra

        builder = Terraform(working_dir=str(self.path), terraform_bin_path=self.terraform)
        line = builder.generate_cmd_string(
            command, *words, no_color=IsFlagged, var=dict(variables) or None
        )
        try:
            return self.run(*line[1:], expected=expected, environment=environment)
        finally:
            builder.temp_var_files.clean_up()

    @contextlib.contextmanager
    def _provider_lock(self) -> Iterator[None]:
        if "TF_PLUGIN_CACHE_DIR" not in self.environment:
            yield
            return
        from filelock import FileLock  # noqa: PLC0415 - only where providers are downloaded

        folder = cache_folder(self.environment)
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / "terraform-plugins.lock"):
            yield
