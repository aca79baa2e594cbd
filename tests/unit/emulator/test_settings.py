"""Settings: typed, listed, refused by name and value."""

from __future__ import annotations

from typing import Any

import pytest

from openai_ekm.emulator.settings import Settings, list_settings, parse_assignments
from openai_ekm.errors import BadInput


def test_the_defaults_are_what_the_wire_contract_suggests() -> None:
    """A client would be tried against another API than the likely one."""
    found = Settings()
    assert (found.cloud_refusal_status, found.cloud_refusal_code) == (400, None)
    assert (found.session_name, found.session_duration_seconds) == ("openai-ekm-emulated", 3600)
    assert (found.external_key_list_limit, found.external_key_list_order) == (20, "desc")
    assert (found.limit_zero, found.unknown_after) == ("empty", "refuse")
    assert (found.id_length, found.id_alphabet) == (28, "0123456789abcdef")
    assert (found.negative_probes, found.null_clears_key) == (False, False)
    assert (found.second_archive_status, found.update_archived_status) == (200, 400)


@pytest.mark.parametrize(
    ("word", "name", "value"),
    [
        ("feature_enabled=false", "feature_enabled", False),
        ("cloud-refusal-status=422", "cloud_refusal_status", 422),
        ("cloud_refusal_code=denied", "cloud_refusal_code", "denied"),
        ("cloud_refusal_code=", "cloud_refusal_code", None),
        ("list_delay_seconds=0.5", "list_delay_seconds", 0.5),
        ('encryption_context={"a":"b"}', "encryption_context", {"a": "b"}),
        ("kms_arn_pattern=^a=b$", "kms_arn_pattern", "^a=b$"),
    ],
)
def test_words_of_the_command_line_are_read_by_type(word: str, name: str, value: Any) -> None:
    """`false` would be a text, and true."""
    assert getattr(Settings().changed(parse_assignments([word])), name) == value


@pytest.mark.parametrize(
    ("word", "id"),
    [
        ("colour=red", "setting_unknown"),
        ("feature_enabled", "setting_value"),
        ("feature_enabled=maybe", "setting_value"),
        ("cloud_refusal_status=999", "setting_value"),
        ("limit_zero=all", "setting_value"),
        ("encryption_context=x", "setting_value"),
        ("session_name=a b", "setting_value"),
    ],
)
def test_a_wrong_setting_is_bad_input(word: str, id: str) -> None:
    """A misspelt setting would change nothing, and its test pass for nothing."""
    with pytest.raises(BadInput) as caught:
        Settings().changed(parse_assignments([word]))
    assert caught.value.id == id
    assert word.partition("=")[0] in caught.value.message


def test_a_wrong_choice_names_the_valid_ones() -> None:
    """A user would have to guess."""
    with pytest.raises(BadInput, match="'empty' or 'default'"):
        Settings().changed({"limit_zero": "all"})


def test_an_unknown_setting_names_the_known_ones() -> None:
    """A user would have to guess."""
    with pytest.raises(BadInput) as caught:
        Settings().changed({"limit": 1})
    assert "limit_zero" in str(caught.value.remedy)


def test_every_setting_is_listed_with_type_default_and_meaning() -> None:
    """A reader could not find what is unknown about OpenAI."""
    listed = list_settings()
    assert {setting["name"] for setting in listed} == set(Settings.model_fields)
    assert all(setting["meaning"].endswith(".") for setting in listed)
    types = {setting["name"]: setting["type"] for setting in listed}
    assert types["limit_zero"] == "empty | default"
    assert types["feature_enabled"] == "true | false"
    assert types["cloud_refusal_code"] == "text or null"
