"""What AWS would not say, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from ekm.snapshot.unseen import UNSEEN, UnseenType

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore.exceptions import ClientError

__all__ = ["Refusals", "code_of"]

T = TypeVar("T")

_GONE: Final = {"NoSuchEntity", "NotFoundException"}


class Refusals:
    """Collects the reasons for what stays unseen, by snapshot path."""

    def __init__(self) -> None:
        self.reasons: dict[str, str] = {}

    def read(self, path: str, read: Callable[[], T]) -> T | UnseenType | None:
        """Return what was read, `None` when it is not there, unseen when AWS would not say.

        Args:
            path: Snapshot path of what is read.
            read: Asks AWS.
        """
        from botocore.exceptions import ClientError  # noqa: PLC0415 - boto3 only where used

        try:
            return read()
        except ClientError as refusal:
            if code_of(refusal) in _GONE:
                return None
            self.reasons.setdefault(path, f"{refusal.operation_name}: {code_of(refusal)}")
            return UNSEEN


def code_of(refusal: ClientError) -> str:
    """Return AWS's error code."""
    return str(refusal.response.get("Error", {}).get("Code", ""))
