"""The record of a call that changes something in the customer's account, as a value: no I/O.

Sources: https://docs.aws.amazon.com/kms/latest/developerguide/ct-disablekey.html,
https://docs.aws.amazon.com/kms/latest/developerguide/ct-put-key-policy.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from openai_ekm.arns import account_of
from openai_ekm.emulator.trail.records import new_id, record_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from openai_ekm.emulator.trail.records import Origin, Record, RoleSession

__all__ = ["KeyChange"]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyChange:
    """A call of KMS, by a session of the key's account, that changes a key.

    Args:
        origin: When, where and how.
        session: Who.
        operation: Such as `DisableKey`.
        key_arn: The key.
        sent: What was sent, with AWS's names: `{"KeyId": …}`.
    """

    origin: Origin
    session: RoleSession
    operation: str
    key_arn: str
    sent: Mapping[str, Any]

    def records(self, new_id: Callable[[], str] = new_id) -> tuple[Record, ...]:
        """Return the record of the account.

        Args:
            new_id: Returns an id of an event.
        """
        account = account_of(self.key_arn)
        record = record_of(
            self.origin,
            who=self.session.identity,
            service="kms",
            name=self.operation,
            sent={f"{name[0].lower()}{name[1:]}": value for name, value in self.sent.items()},
            resources=[{"accountId": account, "type": "AWS::KMS::Key", "ARN": self.key_arn}],
            event_id=new_id(),
            recipient=account,
            read_only=False,
        )
        return (record,)
