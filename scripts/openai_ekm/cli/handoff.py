"""`ekm handoff`."""

from __future__ import annotations

from dataclasses import dataclass

from openai_ekm.cli import inputs
from openai_ekm.cli.instances import Answer, answer_each
from openai_ekm.errors import BadInput
from openai_ekm.registration.handoff import Handoff

__all__ = ["run"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoffOptions:
    """Options of `ekm handoff`."""

    role_arn: str | None
    kms_arn: str | None
    from_terraform: str | None
    module: str | None
    every: bool
    as_json: bool


def run(options: HandoffOptions) -> int:
    """Run `ekm handoff`."""
    instances = inputs.gather_each(
        from_terraform=options.from_terraform,
        module=options.module,
        every=options.every,
        role_arn=options.role_arn,
        kms_arn=options.kms_arn,
    )
    return answer_each(instances, _handoff, as_json=options.as_json)


def _handoff(given: inputs.Given) -> Answer:

    for option, value in (("--role-arn", given.role_arn), ("--kms-arn", given.kms_arn)):
        if value is None:
            raise BadInput(
                "option_missing",
                f"{option} is missing: neither given, nor in the environment, nor in Terraform's "
                "outputs.",
                at_fault=option,
                remedy=f"Give {option}, or --from-terraform DIR after an apply.",
            )
    handoff = Handoff(role_arn=given.role_arn or "", kms_arn=given.kms_arn or "")
    return Answer(handoff.as_json(), handoff.as_lines(), copied=True)
