"""`ekm handoff`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from openai_ekm.cli import inputs
from openai_ekm.cli.instances import Answer, answer_each
from openai_ekm.cli.options import AllOptions, ArnOptions
from openai_ekm.errors import BadInput
from openai_ekm.registration.handoff import handoff_lines

if TYPE_CHECKING:
    from openai_ekm.cli.inputs import Outputs

__all__ = ["run"]

_SHOWN: Final = 3  # projects that a message names


@dataclass(frozen=True, kw_only=True)
class HandoffOptions(ArnOptions, AllOptions):
    """Options of `ekm handoff`."""

    as_json: bool


def run(options: HandoffOptions) -> int:
    """Run `ekm handoff`."""
    instances = inputs.gather_each(options)
    chosen = options.role_arn is not None and options.kms_arn is not None

    def answer(given: inputs.Given) -> Answer:
        if not chosen:
            _check_workspace(given.outputs)
        return _handoff(given)

    return answer_each(instances, answer, as_json=options.as_json)


def _check_workspace(outputs: Outputs) -> None:
    """Stop where Terraform's outputs say that the key is for API projects.

    Raises:
        BadInput: They name projects, or a registration that the apply made.
    """
    named = []
    if outputs.projects:
        more = len(outputs.projects) - _SHOWN
        shown = ", ".join(name[:80] for name in outputs.projects[:_SHOWN])
        named.append(f"the projects {shown}" + (f" and {more} more" if more > 0 else ""))
    if outputs.external_key_id is not None:
        named.append(f"the registration {outputs.external_key_id[:80]}")
    if named:
        raise BadInput(
            "handoff_not_needed",
            f"This instance is for the API ({', '.join(named)}): OpenAI needs no handoff for "
            "it. A handoff is for a ChatGPT Enterprise workspace.",
            at_fault="--from-terraform",
            remedy="Use `ekm register`, `ekm validate` and `ekm status`. For a workspace make an "
            "instance without projects and registration. To print the text all the same, give "
            "--role-arn and --kms-arn, without --all.",
        )


def _handoff(given: inputs.Given) -> Answer:
    arns = {"role_arn": given.role_arn or "", "kms_arn": given.kms_arn or ""}
    for member, value in arns.items():
        if not value:
            raise inputs.missing(member, variable="the environment")
    return Answer(arns, handoff_lines(**arns), copied=True)
