"""Read from existing policies what the module's inputs can express. Pure.

Sources:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html
https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from openai_ekm.arns import account_of
from openai_ekm.openai import OPENAI_ROLE_ARN
from openai_ekm.policy.letters import lower_ascii

if TYPE_CHECKING:
    from openai_ekm.adoption.aws import KeyFound

__all__ = [
    "administrators",
    "admitting_openai",
    "conditions",
    "delegates",
    "external_ids",
    "only",
    "statements_of",
]

Document = dict[str, Any]


def administrators(key: KeyFound, role_arn: str) -> set[str]:
    """Return principals of the account that the key policy itself lets change the policy."""
    account = account_of(key.arn)
    return {
        principal
        for statement in statements_of(key.policy)
        if statement.get("Effect") == "Allow" and not statement.get("Condition")
        if _covers(statement, "kms:PutKeyPolicy")
        for principal in _principals(statement)
        if principal == account or principal.startswith(f"arn:aws:iam::{account}:")
        if principal != role_arn
    }


def external_ids(registered: str, trust: Document) -> list[str]:
    """Return the registered id, then the other ids that the trust policy accepts literally."""
    found = [registered]
    for statement in admitting_openai(trust):
        for operator, keys in (statement.get("Condition") or {}).items():
            for key, values in keys.items():
                if operator == "StringEquals" and lower_ascii(key) == "sts:externalid":
                    found += [value for value in _as_list(values) if value not in found]
    return found


def conditions(statement: Document, leave_out: str = "") -> dict[str, dict[str, list[str]]]:
    """Return a statement's conditions in the module's form, without one condition key.

    Args:
        statement: As read.
        leave_out: The key, in lower case.
    """
    found = {
        operator: {
            key: [str(value) for value in _as_list(values)]
            for key, values in keys.items()
            if lower_ascii(key) != leave_out
        }
        for operator, keys in (statement.get("Condition") or {}).items()
    }
    return {operator: keys for operator, keys in found.items() if keys}


def admitting_openai(trust: Document) -> list[Document]:
    """Return the statements that let OpenAI's role in."""
    return [
        statement
        for statement in statements_of(trust)
        if statement.get("Effect") == "Allow" and OPENAI_ROLE_ARN in _principals(statement)
    ]


def only(statements: list[Document]) -> Document | None:
    """Return the one statement there is; None when there is none, or several."""
    return statements[0] if len(statements) == 1 else None


def delegates(statement: Document, account: str) -> bool:
    """Return whether a statement is AWS's default: the account's IAM policies decide everything."""
    return (
        statement.get("Effect") == "Allow"
        and not statement.get("Condition")
        and not {"kms:*", "*"}.isdisjoint(_as_list(statement.get("Action", [])))
        and not {account, f"arn:aws:iam::{account}:root"}.isdisjoint(_principals(statement))
    )


def _covers(statement: Document, action: str) -> bool:
    patterns = _as_list(statement.get("Action", []))
    return any(fnmatchcase(action.lower(), lower_ascii(str(pattern))) for pattern in patterns)


def _principals(statement: Document) -> set[str]:
    principal = statement.get("Principal")
    named = principal.get("AWS", []) if isinstance(principal, dict) else principal or []
    return {str(value) for value in _as_list(named)}


def statements_of(document: Document) -> list[Document]:
    """Return the statements of a document, in either of the forms that AWS takes."""
    return [found for found in _as_list(document.get("Statement", [])) if isinstance(found, dict)]


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
