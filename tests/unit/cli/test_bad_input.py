"""Every option and variable of the registrar's verbs, given wrongly: exit 2, nothing changed."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import pytest

from openai_ekm.cli.main import load_verb, run
from tests.constants import ROLE

if TYPE_CHECKING:
    from pathlib import Path

KMS = "arn:aws:kms:eu-west-1:111122223333:key/11111111-2222-3333-4444-555555555555"
GOOD = {
    "EKM_ROLE_ARN": ROLE,
    "EKM_KMS_ARN": KMS,
    "EKM_EXTERNAL_ID": "org-abc123",
    "EKM_NAME": "prod",
    "EKM_RECORD": "file:record.json",
    "OPENAI_ADMIN_KEY": "sk-admin-AbCdEf0123456789",
    "OPENAI_BASE_URL": "http://127.0.0.1:1/v1",
    "EKM_CALLS_PER_MINUTE": "0",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
}


@pytest.fixture(autouse=True)
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A good environment in an empty folder; nothing listens at OpenAI's or AWS's address."""
    for name in ("EKM_PROJECTS", "EKM_WAIT_SECONDS", "EKM_ADMIN_KEY_FROM", "EKM_CONFIRM_ARCHIVE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setattr("openai_ekm.openai_api.transport.RequestsTransport.send", _never)
    monkeypatch.setattr("openai_ekm.aws_session.new_session", _never)
    return folder


def _never(*_args: object, **_kwargs: object) -> None:
    raise AssertionError("called OpenAI or AWS before the input was checked")


Case = tuple[list[str], dict[str, str], str]
REGISTER: dict[str, Case] = {
    "role_arn_malformed": (["--role-arn", "x"], {}, "role_arn_malformed"),
    "role_arn_empty_word": (["--role-arn", ""], {}, "role_arn_malformed"),
    "role_arn_other_partition": (
        ["--role-arn", "arn:aws-cn:iam::111122223333:role/x"],
        {},
        "partition_unsupported",
    ),
    "role_arn_empty_variable": ([], {"EKM_ROLE_ARN": ""}, "option_missing"),
    "kms_arn_malformed": (["--kms-arn", "alias/x"], {}, "kms_arn_malformed"),
    "kms_arn_empty_variable": ([], {"EKM_KMS_ARN": ""}, "option_missing"),
    "external_id_malformed": (["--external-id", "org 1"], {}, "external_id_malformed"),
    "external_id_empty_variable": ([], {"EKM_EXTERNAL_ID": ""}, "option_missing"),
    "name_malformed": (["--name", " "], {}, "name_malformed"),
    "name_empty_variable": ([], {"EKM_NAME": ""}, "option_missing"),
    "project_empty": (["--project", ""], {}, "project_name_malformed"),
    "project_padded": (["--project", "ok", "--project", " x"], {}, "project_name_malformed"),
    "projects_no_json": ([], {"EKM_PROJECTS": "prod"}, "projects_malformed"),
    "projects_no_list": ([], {"EKM_PROJECTS": '{"a": 1}'}, "projects_malformed"),
    "projects_no_names": ([], {"EKM_PROJECTS": "[1]"}, "projects_malformed"),
    "record_missing": ([], {"EKM_RECORD": ""}, "option_missing"),
    "record_of_no_form": (["--record", "record.json"], {}, "record_place_malformed"),
    "record_without_path": (["--record", "file:"], {}, "record_place_malformed"),
    "record_relative_in_ssm": (["--record", "ssm:openai-ekm"], {}, "record_place_malformed"),
    "record_reserved_in_ssm": (["--record", "ssm:/aws/x"], {}, "record_place_malformed"),
    "record_in_no_folder": (["--record", "file:no/record.json"], {}, "record_place_unusable"),
    "record_is_a_folder": (["--record", "file:."], {}, "record_place_unusable"),
    "record_too_large": (
        ["--record", "ssm:/x", *[f"--project=project-{i:090}" for i in range(60)]],
        {},
        "record_too_large",
    ),
    "adopt_malformed": (["--adopt", "extkey 1"], {}, "id_malformed"),
    "wait_no_number": (["--wait", "soon"], {}, "usage"),
    "wait_negative": (["--wait", "-1"], {}, "usage"),
    "wait_endless": (["--wait", "999999999"], {}, "usage"),
    "wait_variable": ([], {"EKM_WAIT_SECONDS": "1.5"}, "usage"),
    "admin_key_missing": ([], {"OPENAI_ADMIN_KEY": ""}, "admin_key_missing"),
    "admin_key_malformed": ([], {"OPENAI_ADMIN_KEY": "a b"}, "admin_key_malformed"),
    "admin_key_from_no_form": (
        ["--admin-key-from", "sk-admin-AbCdEf0123456789"],
        {},
        "admin_key_reference_malformed",
    ),
    "admin_key_from_variable": (
        [],
        {"EKM_ADMIN_KEY_FROM": "secretsmanager:name"},
        "admin_key_reference_malformed",
    ),
    "base_url_plain_http": (
        [],
        {"OPENAI_BASE_URL": "http://api.openai.com/v1"},
        "base_url_refused",
    ),
    "base_url_credentials": ([], {"OPENAI_BASE_URL": "https://a:b@c/v1"}, "base_url_refused"),
    "calls_per_minute_text": ([], {"EKM_CALLS_PER_MINUTE": "many"}, "calls_per_minute_malformed"),
    "calls_per_minute_negative": (
        [],
        {"EKM_CALLS_PER_MINUTE": "-1"},
        "calls_per_minute_malformed",
    ),
    "calls_per_minute_fraction": (
        [],
        {"EKM_CALLS_PER_MINUTE": "0.5"},
        "calls_per_minute_malformed",
    ),
    "list_lag_text": ([], {"EKM_LIST_LAG_SECONDS": "long"}, "list_lag_malformed"),
    "list_lag_too_long": ([], {"EKM_LIST_LAG_SECONDS": "3601"}, "list_lag_malformed"),
    "from_terraform_no_folder": (["--from-terraform", "no"], {}, "terraform_folder_missing"),
    "delete_record_alone": (["--delete-record"], {}, "option_useless"),
    "adopt_with_retire": (["--retire", "--adopt", "extkey_1"], {}, "option_useless"),
    "unknown_option": (["--force"], {}, "usage"),
    "stray_word": (["prod"], {}, "usage"),
    "stray_sentence": (["register"], {}, "usage"),
    "two_sentences": (["register a with OpenAI", "register b with OpenAI"], {}, "usage"),
}
OTHERS: dict[str, tuple[str, *Case]] = {
    "retire_record_missing": ("retire", [], {"EKM_RECORD": ""}, "option_missing"),
    "retire_half_an_intent": ("retire", [], {"EKM_NAME": ""}, "option_missing"),
    "retire_role_arn": ("retire", ["--role-arn", "x"], {}, "role_arn_malformed"),
    "retire_confirm": ("retire", ["--confirm-archive", "a b"], {}, "id_malformed"),
    "retire_confirm_variable": ("retire", [], {"EKM_CONFIRM_ARCHIVE": "a/b"}, "id_malformed"),
    "retire_wait": ("retire", ["--wait", "x"], {}, "usage"),
    "retire_admin_key": ("retire", [], {"OPENAI_ADMIN_KEY": ""}, "admin_key_missing"),
    "validate_id": ("validate", ["--id", "a/b"], {}, "id_malformed"),
    "validate_external_key_projects": (
        "validate",
        ["--external-key", "extkey_1"],
        {"EKM_PROJECTS": "prod"},
        "projects_malformed",
    ),
    "validate_record_missing": ("validate", [], {"EKM_RECORD": ""}, "option_missing"),
    "validate_nothing_registered": ("validate", [], {}, "nothing_registered"),
    "validate_admin_key": ("validate", [], {"OPENAI_ADMIN_KEY": ""}, "admin_key_missing"),
    "status_record": ("status", ["--record", "x"], {}, "record_place_malformed"),
    "status_admin_key": ("status", [], {"OPENAI_ADMIN_KEY": ""}, "admin_key_missing"),
    "handoff_role_arn": ("handoff", ["--role-arn", "x"], {}, "role_arn_malformed"),
    "handoff_kms_arn": ("handoff", ["--kms-arn", "x"], {}, "kms_arn_malformed"),
    "handoff_missing": ("handoff", [], {"EKM_KMS_ARN": ""}, "option_missing"),
    "handoff_from_terraform": (
        "handoff",
        ["--from-terraform", "no"],
        {},
        "terraform_folder_missing",
    ),
}
ALL = {name: ("register", *case) for name, case in REGISTER.items()} | OTHERS


@pytest.mark.parametrize("case", ALL.values(), ids=ALL)
def test_bad_input_is_one_clear_message_and_changes_nothing(
    surroundings: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    case: tuple[str, *Case],
) -> None:
    """A wrong value gets through, changes something, or ends in a traceback."""
    verb, words, environment, expected = case
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert run(load_verb(verb), verb, [*words, "--json"]) == 2
    out, err = capsys.readouterr()
    error = json.loads(out)["error"]
    assert error["id"] == expected
    assert error["message"]
    assert error["remedy"]
    assert "Traceback" not in err
    assert "AbCdEf0123456789" not in out + err
    assert [file.name for file in surroundings.iterdir() if file.suffix != ".lock"] == []


def test_bad_input_on_standard_input_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An empty pipe (terraform failed before it) ends in a traceback."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"")))
    assert run(load_verb("register"), "ekm-register", ["--from-terraform", "-"]) == 2
    assert "terraform_outputs_malformed" in capsys.readouterr().err
