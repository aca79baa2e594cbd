"""Every reader of text from outside, with text that is nearly right: no defect, whatever it is."""

from __future__ import annotations

import contextlib
import io
import json
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from openai_ekm.cli.main import ekm, run
from openai_ekm.drill import note
from openai_ekm.emulator import auth
from openai_ekm.emulator.settings import parse_assignments
from openai_ekm.errors import BadInput, EkmError
from tests.constants import ROLE
from tests.doubles.openai import OpenAI, Wire

if TYPE_CHECKING:
    from collections.abc import Iterator

KMS = "arn:aws:kms:eu-west-1:111122223333:key/11111111-2222-3333-4444-555555555555"
EACH = 8  # generated texts for each reader
GOOD = {
    "EKM_ROLE_ARN": ROLE,
    "EKM_KMS_ARN": KMS,
    "EKM_EXTERNAL_ID": "org-abc123",
    "EKM_NAME": "prod",
    "EKM_RECORD": "file:record.json",
    "EKM_PROJECTS": '["shop"]',
    "EKM_WAIT_SECONDS": "0",
    "EKM_LIST_LAG_SECONDS": "0",
    "EKM_CALLS_PER_MINUTE": "0",
    "OPENAI_ADMIN_KEY": "sk-admin-AbCdEf0123456789",
    "OPENAI_BASE_URL": "https://api.openai.com/v1",
}
OUTPUTS: dict[str, Any] = {
    "role_arn": ROLE,
    "kms_arn": KMS,
    "external_id": "org-abc123",
    "name": "prod",
    "record": "file:record.json",
    "projects": ["shop"],
    "policies": {"key_policy": {}, "trust_policy": {}, "permission_policy": {}},
}
FLEET = f"""schema: ekm-fleet/1
defaults: {{external_id: org-abc123, record: "file:{{name}}.json", projects: [shop]}}
entries:
- name: one
  role_arn: {ROLE}
  kms_arn: {KMS}
"""
NOTE = {
    "schema": note.SCHEMA,
    "begun_at": "2026-01-01T00:00:00Z",
    "method": "disable_key",
    "key_arn": KMS,
    "caller": ROLE,
    "host": "h",
    "drill_id": "d",
    "external_key_id": "extkey_1",
}
DEEP = "[" * 100_000
WHOLE = (
    "", " ", "null", "[]", "{}", "7", '"x"', DEEP, '{"a":' * 100_000, "9" * 10_000, "1e999", "NaN",
    "- " * 50_000, "a: &a [*a]", "a: " + "1" * 10_000, "a: 2001-99-99", "a: 1:99:99", "? [a]\n: b",
    "!!python/object:os.system x", "<<: {a: b}", "\ufeff{}", '{"a": "\\ud800"}', "\x1b]0;x\x07",
    '{"a": 1, "a": 2}', "%TAG ! x", "\x85", "{" + '"a": {},' * 3000 + '"b": 1}',
)  # fmt: skip
PIECES = (
    *'{}[]":,\\-&*!%@|>#?\n\t 0', "\\ud800", "\udc80", "\x00", "9" * 5000, "1e999", "NaN",
    "[" * 3000,
    "ä", "\u202e", "null", "true", '"schema"', "x" * 3000, "../", "${}", "arn:aws:", "ekm", "\x85",
)  # fmt: skip


def spoilt(good: str, seed: str) -> Iterator[str]:
    """Texts that are wrong as a whole, and a good one after some breakages."""
    yield from WHOLE
    chance = random.Random(seed)
    for _ in range(EACH):
        text = good
        for _ in range(chance.randint(1, 3)):
            at = chance.randint(0, len(text))
            match chance.randint(0, 2):
                case 0:
                    text = text[:at] + chance.choice(PIECES) + text[at:]
                case 1:
                    text = text[:at] + text[at + chance.randint(1, 30) :]
                case _:
                    text = text[:at] + chance.choice(PIECES) + text[at + chance.randint(1, 30) :]
        yield text


@pytest.fixture(autouse=True)
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder, OpenAI in memory, and AWS out of reach."""
    monkeypatch.chdir(tmp_path)
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)
    service = OpenAI()
    monkeypatch.setattr(
        "openai_ekm.openai_api.transport.RequestsTransport", lambda *_given, **_more: Wire(service)
    )
    monkeypatch.setattr("time.sleep", lambda _seconds: None)

    def refused() -> None:
        raise EkmError("aws", "AWS is out of reach in this test.")

    monkeypatch.setattr("openai_ekm.aws_session.new_session", refused)


def ends(capsys: pytest.CaptureFixture[str], text: str, *words: str) -> None:
    """A run ends in a documented code."""
    code = run(ekm, "ekm", list(words))
    _, err = capsys.readouterr()
    assert code in {0, 1, 2, 3, 4, 5, 6, 7, 8}, (words, text[:300], err[-600:])


def written(path: str, text: str) -> None:
    """A file of a text, half characters as they are."""
    Path(path).write_bytes(text.encode("utf-8", "surrogatepass"))


def test_a_record(capsys: pytest.CaptureFixture[str]) -> None:
    """Guards against: a record that somebody edited by hand ends in a defect."""
    assert run(ekm, "ekm", ["register"]) == 0
    good = Path("record.json").read_text(encoding="utf-8")
    for text in spoilt(good, "record"):
        for words in (["status"], ["validate"], ["retire", "--plan"], ["register"]):
            written("record.json", text)
            ends(capsys, text, *words)


def test_a_note_of_a_drill(capsys: pytest.CaptureFixture[str]) -> None:
    """Guards against: a spoilt note keeps the key cut, with a defect for an answer."""
    assert run(ekm, "ekm", ["register"]) == 0
    for text in spoilt(json.dumps(NOTE), "note"):
        written("record.json.drill", text)
        ends(capsys, text, "status")
        ends(capsys, text, "drill", "restore", "--record", "file:record.json")


def test_a_fleet_file(capsys: pytest.CaptureFixture[str]) -> None:
    """Guards against: a spoilt fleet file ends in a defect."""
    as_json = json.dumps({"schema": "ekm-fleet/1", "entries": [{"name": "a", "projects": []}]})
    for good in (FLEET, as_json):
        for text in spoilt(good, good):
            written("fleet", text)
            ends(capsys, text, "register", "--manifest", "fleet", "--plan")


@pytest.mark.parametrize(
    "words",
    [
        ["handoff", "--from-terraform", "-"],
        ["status", "--from-terraform", "-"],
        ["register", "--from-terraform", "-"],
        ["snapshot", "--from-terraform", "-"],
        ["prove", "--from-terraform", "-", "--offline"],
        ["diagnose", "--from-plan", "-"],
        ["decide", "-"],
        ["diagnose", "-"],
    ],
    ids=" ".join,
)
def test_standard_input(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Guards against: deep JSON on `--from-terraform -` ends in a defect."""
    values = {name: {"value": value} for name, value in OUTPUTS.items()}
    changes = {"resource_changes": [{"address": "a", "type": "b", "change": {"after": {}}}]}
    case = {"id": "1", "request": {"principal": ROLE, "action": "kms:Encrypt", "resource": KMS}}
    for good in (json.dumps(values), json.dumps({"ekm": {"value": OUTPUTS}}), json.dumps(changes)):
        for text in spoilt(good + json.dumps(case) * (words[0] == "decide"), good):
            data = text.encode("utf-8", "surrogatepass")
            monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))
            ends(capsys, text, *words)


@pytest.mark.parametrize("name", [*GOOD, "EKM_ADMIN_KEY_FROM", "EKM_CONFIRM_ARCHIVE"])
def test_an_environment_variable(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Guards against: a variable that a script filled wrongly ends in a defect."""
    for text in spoilt(GOOD.get(name, "ssm:/x"), name):
        if name == "EKM_CALLS_PER_MINUTE" and text.isdigit():
            continue  # a number of calls, which would be waited for
        value = text[:60_000].replace("\0", "").encode("utf-8", "surrogatepass")
        monkeypatch.setenv(name, value.decode("utf-8", "surrogateescape"))
        for words in (["register"], ["status"], ["retire", "--plan"]):
            ends(capsys, text, *words)


def test_the_emulators_own_words() -> None:
    """Guards against: a setting or a list of keys ends `ekm emulate` in a defect."""
    for text in spoilt('{"sk-admin-reader": ["api.external_keys.read"]}', "emulator"):
        for read in (
            lambda words: auth._further_keys({auth.MORE_KEYS_VARIABLE: words}),
            lambda words: parse_assignments([words]),
        ):
            with contextlib.suppress(BadInput):
                read(text)
