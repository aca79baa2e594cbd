"""The admin key shows nowhere."""

from __future__ import annotations

import io
import logging
import pickle

import pytest

from openai_ekm.errors import BadInput
from openai_ekm.openai_api.redaction import HIDDEN, AdminKey, RedactionFilter, redact
from openai_ekm.openai_api.refusal_errors import as_error
from openai_ekm.openai_api.refusals import read_refusal
from openai_ekm.openai_api.transport import RequestsTransport

SECRET = "sk-admin-AbCdEf0123456789_-xyz"
ODD = "emulator+key/with=odd~characters"


@pytest.mark.parametrize("secret", [SECRET, ODD])
def test_key_is_in_no_text_form(secret: str) -> None:
    """A key is printed by repr, str, a format or a pickle."""
    key = AdminKey(secret, origin="OPENAI_ADMIN_KEY")
    for text in (repr(key), str(key), f"{key}", f"{key!r}", repr([key]), repr({"k": key})):
        assert secret not in text
    assert secret not in repr(RequestsTransport("https://api.openai.com/v1", key))
    with pytest.raises(TypeError):
        pickle.dumps(key)
    assert not hasattr(key, "__dict__")


@pytest.mark.parametrize("secret", [SECRET, ODD])
def test_log_filter_hides_the_key_in_message_arguments_and_traceback(secret: str) -> None:
    """A debug log shows the key: in the text, an argument, or an exception."""
    AdminKey(secret, origin="x")
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(RedactionFilter())
    logger = logging.getLogger("ekm.test.redaction")
    logger.addHandler(handler)
    try:
        logger.error("Authorization: Bearer %s", secret)
        logger.error("plain %s", {"key": secret})
        try:
            raise ValueError(secret)  # noqa: TRY301 - the traceback is what is tested
        except ValueError:
            logger.exception("failed")
    finally:
        logger.removeHandler(handler)
    assert secret not in stream.getvalue()
    assert stream.getvalue().count(HIDDEN) >= 3
    assert "ValueError" in stream.getvalue()


def test_key_that_is_not_ours_is_hidden_too() -> None:
    """OpenAI echoes a mistyped key in its answer, and we print it."""
    assert "sk-admin-0000" not in redact("Incorrect API key provided: sk-admin-00001111.")


def test_echoed_key_is_not_in_the_error() -> None:
    """An error's message or JSON shows the key that OpenAI echoed."""
    AdminKey(ODD, origin="x")
    body = f'{{"error": {{"message": "Incorrect API key provided: {ODD}"}}}}'.encode()
    error = as_error(read_refusal(401, body), "GET /x")
    assert ODD not in str(error.as_json())


@pytest.mark.parametrize("value", ["", "  ", "\n"])
def test_empty_key_is_missing(value: str) -> None:
    """An empty key is sent, and OpenAI's refusal is all that the user sees."""
    with pytest.raises(BadInput) as raised:
        AdminKey(value, origin="OPENAI_ADMIN_KEY")
    assert raised.value.id == "admin_key_missing"


@pytest.mark.parametrize(
    "value",
    ["a b", "a\nb", "schlüssel", "a\x00b", '"sk-admin-1"', '{"key":"sk-admin-1"}', "sk-1234"],
)
def test_malformed_key_is_refused_without_showing_it(value: str) -> None:
    """A key that no header carries ends in a traceback that shows it."""
    with pytest.raises(BadInput) as raised:
        AdminKey(value, origin="OPENAI_ADMIN_KEY")
    assert raised.value.id == "admin_key_malformed"
    assert value not in raised.value.message


def test_line_break_after_the_key_is_dropped() -> None:
    """A secret stored with a line break at its end cannot be used."""
    assert AdminKey(f" {SECRET}\n", origin="x").reveal() == SECRET
