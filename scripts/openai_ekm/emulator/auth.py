"""Admin keys and their scopes, in memory only: no key reaches the database or a log."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from openai_ekm.emulator import errors
from openai_ekm.errors import BadInput
from openai_ekm.json_reader import read_json

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ALL_SCOPES", "AdminKeys", "Caller"]

EXTERNAL_KEYS_READ: Final = "api.external_keys.read"
EXTERNAL_KEYS_WRITE: Final = "api.external_keys.write"
MANAGEMENT_READ: Final = "api.management.read"
MANAGEMENT_WRITE: Final = "api.management.write"
# Stands for every scope, whatever its name: the audit-log scope has no public one.
ALL_SCOPES: Final = frozenset({"*"})

KEY_VARIABLE: Final = "OPENAI_ADMIN_KEY"
MORE_KEYS_VARIABLE: Final = "EKM_EMULATOR_KEYS"


@dataclass(frozen=True, slots=True)
class Caller:
    """The caller: an id that is safe to show, and the scopes.

    Args:
        key_id: Id of the API key, not the key.
        scopes: What the key may do; `*` is everything.
    """

    key_id: str
    scopes: frozenset[str]

    def require(self, scope: str, *, status: int) -> None:
        """Refuse a caller without the scope.

        Raises:
            ApiError: In the second shape, a bare string.
        """
        if "*" not in self.scopes and scope not in self.scopes:
            raise errors.missing_scope(scope, status=status)


@dataclass(frozen=True, slots=True)
class AdminKeys:
    """The keys that are accepted, known by their digest alone."""

    _callers: Mapping[bytes, Caller] = field(repr=False)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> AdminKeys:
        """Read the keys from the environment.

        Args:
            environment: `OPENAI_ADMIN_KEY` is accepted with every scope; `EKM_EMULATOR_KEYS` is
                a JSON object of further keys and their lists of scopes.

        Raises:
            BadInput: `emulator_admin_key_missing` or `emulator_keys_unreadable`.
        """
        key = environment.get(KEY_VARIABLE, "").strip()
        if not key:
            raise BadInput(
                "emulator_admin_key_missing",
                f"{KEY_VARIABLE} is not set: the emulator accepts the admin key that it names.",
                at_fault=KEY_VARIABLE,
                remedy=f"Make one up for the rehearsal: export {KEY_VARIABLE}=sk-admin-rehearsal.",
            )
        return cls.of({key: ALL_SCOPES, **_further_keys(environment)})

    @classmethod
    def of(cls, scopes_by_key: Mapping[str, frozenset[str]]) -> AdminKeys:
        """Return keys with their scopes."""
        return cls(
            {_digest(key): Caller(_key_id(key), scopes) for key, scopes in scopes_by_key.items()}
        )

    def caller(self, authorization: str | None) -> Caller:
        """Return who calls, from the Authorization header.

        Raises:
            ApiError: 401.
        """
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise errors.missing_key()
        digest = _digest(token.strip())
        for known, caller in self._callers.items():
            if hmac.compare_digest(known, digest):
                return caller
        raise errors.invalid_key()


def _further_keys(environment: Mapping[str, str]) -> dict[str, frozenset[str]]:
    text = environment.get(MORE_KEYS_VARIABLE, "").strip()
    if not text:
        return {}
    try:
        keys = read_json(text)
        return {str(key): frozenset(map(str, scopes)) for key, scopes in keys.items()}
    except (ValueError, AttributeError, TypeError):
        # The text holds keys: it is not repeated, and neither is the cause that quotes it.
        raise BadInput(
            "emulator_keys_unreadable",
            f"{MORE_KEYS_VARIABLE} is not a JSON object of keys and their lists of scopes.",
            at_fault=MORE_KEYS_VARIABLE,
            remedy=f"""For example: {{"sk-admin-reader": ["{EXTERNAL_KEYS_READ}"]}}.""",
        ) from None


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


def _key_id(key: str) -> str:
    return "key_" + hashlib.sha256(b"ekm-emulator:" + key.encode()).hexdigest()[:16]
