"""What the policies of a set-up made by hand say, as far as the module can say it too. Pure.

Source: IAM policy elements (principal, condition); KMS default key policy.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from ekm.registrar.adoption.aws import KeyFound

__all__ = [
    "administrators",
    "admitting_openai",
    "conditions",
    "delegates",
    "external_ids",
    "only",
    "statements_of",
]

OPENAI_ROLE: Final = "arn:aws:iam::790389265272:role/EnterpriseKeyManagement"

Document = dict[str, Any]


def administrators(key: KeyFound, role_arn: str) -> set[str]:
    """Principals of the account that the key policy itself lets change the policy."""
    account = key.arn.split(":")[4]
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
    """The registered id first, then what else the trust policy accepts literally."""
    found = [registered]
    for statement in admitting_openai(trust):
        for operator, keys in (statement.get("Condition") or {}).items():
            for key, values in keys.items():
                if operator == "StringEquals" and key.lower() == "sts:externalid":
                    found += [value for value in _listed(values) if value not in found]
    return found


def conditions(statement: Document, leave_out: str = "") -> dict[str, dict[str, list[str]]]:
    """A statement's conditions in the module's form, without one condition key.

    Args:
        statement: As read.
        leave_out: The key, in lower case.
    """
    found = {
        operator: {
            key: [str(value) for value in _listed(values)]
            for key, values in keys.items()
            if key.lower() != leave_out
        }
        for operator, keys in (statement.get("Condition") or {}).items()
    }
    return {operator: keys for operator, keys in found.items() if keys}


def admitting_openai(trust: Document) -> list[Document]:
    """The statements that let OpenAI's role in."""
    return [
        statement
        for statement in statements_of(trust)
        if statement.get("Effect") == "Allow" and OPENAI_ROLE in _principals(statement)
    ]


def only(statements: list[Document]) -> Document | None:
    """The one statement there is; None when there is none, or several."""
    return statements[0] if len(statements) == 1 else None


def delegates(statement: Document, account: str) -> bool:
    """Whether a statement is AWS's default: the account's IAM policies decide over everything."""
    return (
        statement.get("Effect") == "Allow"
        and not statement.get("Condition")
        and not {"kms:*", "*"}.isdisjoint(_listed(statement.get("Action", [])))
        and not {account, f"arn:aws:iam::{account}:root"}.isdisjoint(_principals(statement))
    )


def _covers(statement: Document, action: str) -> bool:
    patterns = _listed(statement.get("Action", []))
    return any(fnmatchcase(action.lower(), str(pattern).lower()) for pattern in patterns)


def _principals(statement: Document) -> set[str]:
    principal = statement.get("Principal")
    named = principal.get("AWS", []) if isinstance(principal, dict) else principal or []
    return {str(value) for value in _listed(named)}


def statements_of(document: Document) -> list[Document]:
    """The statements of a document, in either of the forms that AWS takes."""
    return [found for found in _listed(document.get("Statement", [])) if isinstance(found, dict)]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
