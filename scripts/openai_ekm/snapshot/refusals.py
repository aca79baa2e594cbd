"""Refusals of AWS while a snapshot is collected, each with its reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

from botocore.exceptions import ClientError

from openai_ekm.aws_session import list_items
from openai_ekm.snapshot.members import UNSEEN, UnseenType

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Refusals", "code_of"]

T = TypeVar("T")

_SERVER_ERROR: Final = 500
_GONE: Final = {"NoSuchEntity", "NotFoundException"}


class Refusals:
    """Collects the reasons for what stays unseen, by snapshot path."""

    def __init__(self) -> None:
        self.reasons: dict[str, str] = {}
        self._answered = False
        self._server_error: ClientError | None = None

    def server_error(self) -> ClientError | None:
        """Return AWS's own failure, where AWS failed at everything that was asked; else None."""
        return None if self._answered else self._server_error

    def read(self, path: str, read: Callable[[], T]) -> T | UnseenType | None:
        """Return what was read, `None` when it is not there, unseen when AWS would not say.

        Args:
            path: Snapshot path of what is read.
            read: Asks AWS.
        """
        try:
            found = read()
        except ClientError as refusal:
            status = refusal.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            if status >= _SERVER_ERROR:
                self._server_error = refusal
            else:
                self._answered = True
            if code_of(refusal) in _GONE:
                return None
            self.reasons.setdefault(path, f"{refusal.operation_name}: {code_of(refusal)}")
            return UNSEEN
        self._answered = True
        return found

    def read_list(
        self, path: str, client: Any, operation: str, member: str, **arguments: str
    ) -> list[Any] | UnseenType | None:
        """Return all that an operation lists, as `read` does; the rest is for `list_items`."""
        return self.read(path, lambda: list(list_items(client, operation, member, **arguments)))


def code_of(refusal: ClientError) -> str:
    """Return AWS's error code."""
    return str(refusal.response.get("Error", {}).get("Code", ""))
