"""How to give access back without this tool: the exact commands. Pure."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Final

from openai_ekm.arns import region_of
from openai_ekm.drill.key_policy import SID
from openai_ekm.drill.note import Method

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["manual_commands"]

_TAKE_OUT: Final = (
    "import json,sys; d=json.load(sys.stdin); "
    f's=d["Statement"]; d["Statement"]=[x for x in s if x.get("Sid")!="{SID}"]; '
    "json.dump(d,sys.stdout)"
)


def manual_commands(method: Method, key_arn: str, record: str) -> tuple[str, ...]:
    """Return the commands, in order, for a POSIX shell.

    Args:
        method: How access was cut.
        key_arn: The key's own ARN.
        record: `ssm:PATH` or `file:PATH`, whose note goes last.
    """
    region = region_of(key_arn)
    key = f"--region {region} --key-id {key_arn}"
    if method is Method.DISABLE_KEY:
        back: Sequence[str] = (f"aws kms enable-key {key}",)
    else:
        read = f"aws kms get-key-policy {key} --policy-name default --query Policy --output text"
        back = (
            f"{read} | python3 -c {shlex.quote(_TAKE_OUT)} > policy.json",
            f"aws kms put-key-policy {key} --policy-name default --policy file://policy.json",
        )
    kind, _, path = record.partition(":")
    note = (
        f"aws ssm delete-parameter --name {path}/drill"
        if kind == "ssm"
        else f"rm {shlex.quote(path + '.drill')}"
    )
    return (*back, note)
