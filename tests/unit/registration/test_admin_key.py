"""Where the admin key comes from."""

from __future__ import annotations

from typing import Any

import pytest

from openai_ekm.errors import BadInput
from openai_ekm.registration import admin_key
from tests.constants import SECRET

ARN = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:openai/admin-AbCdEf"


class Session:
    """boto3's session, with one secret and one parameter."""

    def __init__(self, value: str | None = SECRET) -> None:
        self.value = value
        self.calls: list[tuple[Any, ...]] = []

    def client(self, service: str, *, region_name: str | None, config: Any) -> Any:
        """A client that remembers what it was asked."""
        self.calls.append((service, region_name))
        assert config.connect_timeout
        assert config.read_timeout
        return self

    def get_secret_value(self, **asked: Any) -> dict[str, Any]:
        """Secrets Manager."""
        self.calls.append(tuple(asked.items()))
        return {} if self.value is None else {"SecretString": self.value}

    def get_parameter(self, **asked: Any) -> dict[str, Any]:
        """SSM."""
        self.calls.append(tuple(asked.items()))
        return {"Parameter": {"Value": self.value}}


def test_secret_is_read_in_its_own_region() -> None:
    """A secret in another Region than the record's is not found."""
    session: Any = Session()
    key = admin_key.from_reference(f"secretsmanager:{ARN}", session)
    assert key.reveal() == SECRET
    assert session.calls == [("secretsmanager", "eu-central-1"), (("SecretId", ARN),)]


def test_parameter_is_decrypted() -> None:
    """The ciphertext of a SecureString is sent as the key."""
    session: Any = Session(SECRET + "\n")
    assert admin_key.from_reference("ssm:/openai/admin", session).reveal() == SECRET
    assert session.calls[1] == (("Name", "/openai/admin"), ("WithDecryption", True))


@pytest.mark.parametrize("value", ["", '{"key": "x y"}', None])
def test_what_is_stored_must_be_the_key_alone(value: str | None) -> None:
    """A binary secret, or one in JSON, is sent as it is, or shown."""
    session: Any = Session(value)
    with pytest.raises(BadInput) as raised:
        admin_key.from_reference(f"secretsmanager:{ARN}", session)
    assert raised.value.id in {"admin_key_missing", "admin_key_malformed"}
    assert ARN in raised.value.message


@pytest.mark.parametrize(
    "reference",
    [SECRET, "secretsmanager:openai/admin", "ssm:", "env:X", f"{ARN}", "ssm:a b", ""],
)
def test_reference_of_another_form_is_refused_unseen(reference: str) -> None:
    """A key pasted in the place of its reference is printed."""
    with pytest.raises(BadInput) as raised:
        admin_key.check_reference(reference)
    assert raised.value.id == "admin_key_reference_malformed"
    assert SECRET not in str(raised.value.as_json())


@pytest.mark.parametrize("value", [None, ""])
def test_unset_and_empty_environment_are_missing(value: str | None) -> None:
    """A run without a key begins, and fails at OpenAI."""
    with pytest.raises(BadInput) as raised:
        admin_key.from_environment(value)
    assert raised.value.id == "admin_key_missing"
    assert "--admin-key-from" in (raised.value.remedy or "")
