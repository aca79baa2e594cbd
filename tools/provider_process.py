"""The AWS provider as one process that serves many commands of Terraform.

Each command of Terraform starts the provider anew, which describes some 1,500 kinds of resources
before it answers: half the processor time of a command. A provider that runs already is attached
to, as the developers of providers do. A process holds one configuration at a time, so each
configuration has a process, and a root's commands run one after the other; those whose provider is
mocked configure none, and may run at once.

Source: https://developer.hashicorp.com/terraform/plugin/debugging
"""

from __future__ import annotations

import contextlib
import json
import re
import subprocess  # nosec B404 # each call says below why it is safe
from typing import TYPE_CHECKING, Any

from provider_relay import relay

from openai_ekm.rehearsal.process import keep

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["attached_provider", "provider_of"]

REATTACH = re.compile(r"TF_REATTACH_PROVIDERS='(.*)'")
GRACE_SECONDS = 3.0
INSTALLED = ".terraform/providers/registry.terraform.io/hashicorp/aws/*/*/terraform-provider-aws_*"


def provider_of(root: Path) -> Path:
    """Return the provider that `terraform init` put into a root module's folder.

    Raises:
        FileNotFoundError: There is none.
    """
    for found in root.glob(INSTALLED):
        return found
    raise FileNotFoundError(f"{root} has no AWS provider: run terraform init there.")


@contextlib.contextmanager
def attached_provider(program: Path, environment: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Run the provider, and yield the variables with which Terraform attaches to it.

    Args:
        program: The provider.
        environment: Its whole environment; what it reads there counts for all commands.

    Raises:
        RuntimeError: It ended before it said how to attach.
    """
    with contextlib.ExitStack() as running:

        def start() -> dict[str, Any]:
            return running.enter_context(_running(program, environment))

        first = start()
        [provider] = first.values()
        socket = _socket(first)
        address = running.enter_context(relay(str(program), socket, lambda: _socket(start())))
        provider["Addr"] = {"Network": "tcp", "String": address}
        yield {"TF_REATTACH_PROVIDERS": json.dumps(first)}


def _socket(attach: dict[str, Any]) -> str:
    [provider] = attach.values()
    return str(provider["Addr"]["String"])


@contextlib.contextmanager
def _running(program: Path, environment: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    with subprocess.Popen(  # nosec B603 # the provider that terraform init verified
        keep([str(program), "-debug"], GRACE_SECONDS),
        env=dict(environment),
        stdin=subprocess.PIPE,  # the guard ends the provider when this end closes
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # each call that it serves, in a dozen lines
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdin is not None  # nosec B101 # it is a pipe
        assert process.stdout is not None  # nosec B101 # it is a pipe
        try:
            for line in process.stdout:
                if said := REATTACH.search(line):
                    yield json.loads(said[1])
                    return
            raise RuntimeError(f"{program} ended before it said how to attach to it.")
        finally:
            process.stdin.close()
