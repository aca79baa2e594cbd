"""Facts of a set-up in which nothing is wrong, to change one at a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from openai_ekm.doctor.facts import (
    Caller,
    Credentials,
    Given,
    Machine,
    Network,
    OpenAI,
    Organization,
    Permitted,
    RecordFacts,
    Rule,
    Target,
    Topic,
    Trail,
)
from openai_ekm.errors import AwsRefused, BadInput, NotReachable
from openai_ekm.openai_api.refusal_errors import as_error
from openai_ekm.openai_api.refusals import read_refusal
from tests.constants import ACCOUNT, KEY, REGION, ROLE

if TYPE_CHECKING:
    from openai_ekm.doctor.checks import Line

__all__ = [
    "ALLOW_ALL",
    "CALLER",
    "GIVEN",
    "MACHINE",
    "NOW",
    "ORGANIZATION",
    "TRAIL",
    "WHY",
    "broken",
    "given",
    "only",
    "refused_by_aws",
    "refused_by_openai",
    "unreached",
]

NOW: Final = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
WHY: Final = "There are no AWS credentials (aws_credentials)."
CALLER: Final = Caller(f"arn:aws:sts::{ACCOUNT}:assumed-role/deployer/me", ACCOUNT)
MACHINE: Final = Machine((3, 13, 1), "1.2.3", "1.2.3", ("/usr/bin/terraform", "1.11.4"))
GIVEN: Final = Given(
    role_arn=ROLE,
    kms_arn=KEY,
    external_id="org-abc",
    record=("ssm", "/openai-ekm/prod"),
    base_url="https://api.openai.com/v1",
    tasks=frozenset({"apply", "register", "drill"}),
)
ALLOW_ALL: Final = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}
ORGANIZATION: Final = Organization("999900001111")
TRAIL: Final = Trail("all", f"arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/all", "us-east-1")
CREDENTIALS: Final = Credentials("sso")
NETWORK: Final = Network(aws="https://sts.amazonaws.com", openai="https://api.openai.com")
PERMITTED: Final = Permitted((ALLOW_ALL,), None, f"arn:aws:iam::{ACCOUNT}:role/deployer")
OPENAI: Final = OpenAI(organization="org-abc")
RECORD: Final = RecordFacts("ssm:/openai-ekm/prod", "registered")
TOPIC: Final = Target(f"arn:aws:sns:{REGION}:{ACCOUNT}:alarms", Topic(confirmed=1))
RULE: Final = Rule("watch", "ENABLED", {"source": ["aws.kms"]}, (TOPIC,))
assert REGION in KEY


def given(**changes: Any) -> Given:
    """What is named, with other members."""
    return replace(GIVEN, **changes)


def only(lines: list[Line], id: str) -> Line:
    """The line of one check."""
    (line,) = [each for each in lines if each.id == id]
    return line


def refused_by_aws(words: str = "AWS refused sts:GetCallerIdentity") -> AwsRefused:
    """An answer of AWS that is no."""
    return AwsRefused("aws_refused", words, remedy="docs/permissions.md lists it.")


def refused_by_openai(status: int, message: str, code: str | None = None) -> Any:
    """An answer of OpenAI that is no, read as the client reads it."""
    quoted = "null" if code is None else f'"{code}"'
    body = f'{{"error": {{"message": "{message}", "type": "x", "param": null, "code": {quoted}}}}}'
    return as_error(read_refusal(status, body.encode()), "GET /organization/external_keys")


def unreached(words: str = "AWS could not be reached") -> NotReachable:
    """No answer."""
    return NotReachable("aws_not_reachable", f"{words}.", remedy="Check the network.")


def broken(words: str = "It cannot be used") -> BadInput:
    """Something on this machine that is wrong."""
    return BadInput("aws_configuration", f"{words}.", remedy="Correct it.")
