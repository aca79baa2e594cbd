"""The intent: what a registration must have, each member checked before the run begins.

Sources: docs/reference/openai-api.md#external-keys (patterns),
docs/reference/openai-api.md#calls-in-aws (limits of STS).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from openai_ekm.arns import account_of, is_kms_arn, is_role_arn
from openai_ekm.errors import BadInput
from openai_ekm.openai import (
    EXTERNAL_ID,
    LONGEST_NAME,
    OPENAI_ID,
    ORGANIZATION_PREFIX,
    PROJECT_PREFIX,
)

__all__ = [
    "Intent",
    "check_external_id",
    "check_id",
    "check_kms_arn",
    "check_project",
    "check_role_arn",
    "unusual_external_id",
]

_USUAL_EXTERNAL_ID: Final = re.compile(rf"(?:{ORGANIZATION_PREFIX}|{PROJECT_PREFIX})[A-Za-z0-9_-]+")
OTHER_PARTITION: Final = re.compile(r"arn:(aws-[a-z0-9-]+):")


@dataclass(frozen=True, slots=True)
class Intent:
    """One AWS key for EKM, as OpenAI shall know it.

    Args:
        role_arn: Full ARN of the role that OpenAI assumes, path included.
        kms_arn: Full ARN of the key (`key/<uuid>`, `key/mrk-…`) or of an alias.
        external_id: The organization's id, or that of one of its API projects.
        name: Shown in OpenAI's settings; the only way to tell two registrations apart there.

    Raises:
        BadInput: A member is not of its form; the message names it, its value and the form.
    """

    role_arn: str
    kms_arn: str
    external_id: str
    name: str

    def __post_init__(self) -> None:
        check_role_arn(self.role_arn)
        check_kms_arn(self.kms_arn)
        check_external_id(self.external_id)
        check_name(self.name)

    @property
    def account(self) -> str:
        """Return the 12 digits of the account that the role is in."""
        return account_of(self.role_arn)


def check_role_arn(value: str) -> None:
    """Refuse what cannot be the ARN of a role that OpenAI accepts."""
    _check_partition("role_arn", value)
    if not is_role_arn(value):
        raise BadInput(
            "role_arn_malformed",
            f"role_arn {_show(value)} is not the ARN of a role; OpenAI accepts "
            "arn:aws:iam::<12 digits>:role/<path and name>.",
            at_fault="role_arn",
            remedy="Give the module's output role_arn.",
        )


def check_kms_arn(value: str) -> None:
    """Refuse what cannot be the ARN of a key or alias that OpenAI accepts."""
    _check_partition("kms_arn", value)
    if not is_kms_arn(value):
        raise BadInput(
            "kms_arn_malformed",
            f"kms_arn {_show(value)} is not the ARN of a KMS key; OpenAI accepts "
            "arn:aws:kms:<region>:<12 digits>:key/<uuid>, …:key/mrk-… and …:alias/<name>.",
            at_fault="kms_arn",
            remedy="Give the module's output kms_arn: the full ARN, not the key's id.",
        )


def check_external_id(value: str) -> None:
    """Refuse what STS does not take as an external id, and what is plainly something else."""
    if not EXTERNAL_ID.fullmatch(value) or value.startswith("arn:"):
        raise BadInput(
            "external_id_malformed",
            f"external_id {_show(value)} cannot be an external id; it is your OpenAI "
            "organization's id (org-…) or a project's (proj_…), 2 to 1224 characters of "
            "letters, digits and +=,.@:/_-.",
            at_fault="external_id",
            remedy="Copy it from platform.openai.com, organization settings, without spaces.",
        )


def unusual_external_id(value: str) -> str | None:
    """Return a sentence about an external id that has not the form of OpenAI's ids.

    STS takes it, and OpenAI publishes no pattern: so it is no error. None for a usual one.
    """
    if _USUAL_EXTERNAL_ID.fullmatch(value):
        return None
    return (
        f"The external id {_show(value)} has an unusual form. The id of an OpenAI organization "
        "looks like org-abc123, that of an API project like proj_abc123: letters, digits, _ and - "
        "stand after the prefix."
    )


def check_name(value: str) -> None:
    """Refuse an empty, overlong or unprintable name."""
    _check_label("name", value, "name_malformed")


def check_project(value: str) -> None:
    """Refuse a project name that is empty, overlong or unprintable."""
    _check_label("project", value, "project_name_malformed")


def check_id(value: str, argument: str) -> None:
    """Refuse what cannot be an id of an OpenAI object."""
    if not OPENAI_ID.fullmatch(value):
        raise BadInput(
            "id_malformed",
            f"{argument} {_show(value)} cannot be an id of OpenAI's; it is letters, digits, "
            "_ and - (extkey_…).",
            at_fault=argument,
            remedy="Copy the id from the message or the record that shows it.",
        )


def _check_label(argument: str, value: str, id: str) -> None:
    if not value.strip() or value != value.strip() or len(value) > LONGEST_NAME:
        wrong = f"is empty, longer than {LONGEST_NAME} characters, or has white space around it"
    elif not value.isprintable():
        wrong = "has line breaks or other characters that do not print"
    else:
        return
    message = f"{argument} {_show(value)} {wrong}."
    remedy = "Give a short name in plain characters."
    if id == "name_malformed":
        raise BadInput("name_malformed", message, at_fault=argument, remedy=remedy)
    raise BadInput("project_name_malformed", message, at_fault=argument, remedy=remedy)


def _check_partition(argument: str, value: str) -> None:
    if found := OTHER_PARTITION.match(value):
        raise BadInput(
            "partition_unsupported",
            f"{argument} {_show(value)} is in the partition {found[1]}; OpenAI accepts ARNs of "
            "the partition aws alone (no GovCloud, no China).",
            at_fault=argument,
            remedy="Use a key and a role in a commercial AWS Region.",
        )


def _show(value: str) -> str:
    return repr(value if len(value) <= LONGEST_NAME else value[:80] + "…")
