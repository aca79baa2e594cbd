"""Symbols for values that a plan does not know yet: equal values have equal symbols.

A symbol has the form of what it stands for, so that a document with it can be judged. It is shown
by its name: no account, key or role that does not exist is ever printed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from openai_ekm.snapshot.snapshot import Snapshot

__all__ = [
    "EXTERNAL_ID",
    "GRANTEE",
    "KEY_ID",
    "OTHER_KEY_ID",
    "PRINCIPAL",
    "REGION",
    "REPLICATED_KEY_ID",
    "ROLE_NAME",
    "holds_symbol",
    "name_symbols",
]

KEY_ID: Final = "00000000-0000-4000-8000-000000000000"
OTHER_KEY_ID: Final = "00000000-0000-4000-8000-000000000001"
REPLICATED_KEY_ID: Final = "mrk-00000000000000000000000000000000"
ROLE_NAME: Final = "role-not-known-before-apply"
PRINCIPAL: Final = "principals-not-known-before-apply"
GRANTEE: Final = "grantee-not-known-before-apply"
EXTERNAL_ID: Final = "external-id-not-known-before-apply"
REGION: Final = "region-not-known-before-apply"
NAMES: Final = {
    KEY_ID: "(key id not known before apply)",
    OTHER_KEY_ID: "(another key's id not known before apply)",
    REPLICATED_KEY_ID: "(key id not known before apply)",
    f"role/{PRINCIPAL}": "(administrators not known before apply)",
    f"role/{GRANTEE}": "(grantee not known before apply)",
    ROLE_NAME: "(role name not known before apply)",
    EXTERNAL_ID: "(external id not known before apply)",
    REGION: "(Region not known before apply)",
}
ACCOUNT: Final = "(account not known before apply)"


def holds_symbol(text: str) -> bool:
    """Return whether a text that somebody wrote holds the text of a symbol."""
    return any(each in text for each in NAMES)


def name_symbols(value: Any, snapshot: Snapshot) -> Any:
    """Put names where a judgement of a snapshot shows symbols.

    Args:
        value: JSON: what is to be shown.
        snapshot: What was judged; it says which account number is none.

    Returns:
        The same with each symbol's name in its place.
    """
    if isinstance(value, str):
        for text, name in NAMES.items():
            value = value.replace(text, name)
        account = snapshot.unknown_account
        return value if account is None else value.replace(account, ACCOUNT)
    if isinstance(value, dict):
        return {name: name_symbols(each, snapshot) for name, each in value.items()}
    if isinstance(value, list):
        return [name_symbols(each, snapshot) for each in value]
    return value
