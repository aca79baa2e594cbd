"""A workspace's commands share the processes of its provider.

Terraform and the provider are the real ones. The provider is not started anew for each command,
which is half of a command's processor time.
"""

from __future__ import annotations

import contextlib
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from openai_ekm.rehearsal import Run, Workspace

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

from provider_process import attached_provider, provider_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["share_provider"]

# The commands that ask the provider.
ASKING = {"apply", "destroy", "import", "plan", "refresh", "show", "test", "validate"}
# What the provider reads in its environment.
READ = ("AWS_", "HTTP", "NO_PROXY", "SSL_")


@dataclass
class Attached:
    """The one provider that runs; a provider takes half a gigabyte.

    Attributes:
        serves: The workspace's folder, and what the provider read in its environment.
        is_off: Whether each command starts a provider of its own.
        program: The provider, once a workspace has been initialized with it.
        variables: With which Terraform attaches to it.
    """

    serves: object = None
    is_off: bool = False
    program: Path | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    running: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    def to(self, workspace: Workspace, environment: Mapping[str, str]) -> Mapping[str, str]:
        """Return the variables that attach a command to a provider of the workspace's own."""
        read = {name: text for name, text in environment.items() if name.startswith(READ)}
        if self.serves != (workspace.path, read):
            self.close()
            self.program = self.program or provider_of(workspace.path)
            self.variables = self.running.enter_context(
                attached_provider(self.program, environment)
            )
            self.serves = (workspace.path, read)
        return self.variables

    def close(self) -> None:
        """End the provider."""
        self.serves = None
        self.running.close()


def share_provider() -> Attached:
    """Let the commands of each workspace share a provider from now on; return what to close."""
    attached = Attached()
    run_alone = Workspace.run

    def run(
        self: Workspace,
        *words: str,
        expected: Sequence[int] | None = (0,),
        environment: Mapping[str, str] | None = None,
    ) -> Run:
        if attached.is_off:
            pass
        elif words[0] == "init" and attached.program:
            # Terraform does not look for what it attaches to, and does not hash half a gigabyte.
            environment = {**(environment or {}), **attached.variables}
        elif words[0] in ASKING and any(self.path.glob(".terraform")):
            whole = {**self.environment, **(environment or {})}
            with contextlib.suppress(FileNotFoundError):
                environment = {**(environment or {}), **attached.to(self, whole)}
        return run_alone(self, *words, expected=expected, environment=environment)

    Workspace.run = run  # type: ignore[method-assign]
    return attached
