"""Each answer of OpenAI's, sent over HTTP to the real commands: message, id, remedy, exit code."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from openai_ekm.cli.main import ekm, run
from openai_ekm.registration.runner import Heartbeat, Runner
from tests.doubles.openai_server import SECRET, OpenAI
from tests.support.openai_answers import KMS_ARN, ROLE_ARN, ROWS, SECTIONS, Answer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def openai() -> Iterator[OpenAI]:
    """An organization of its own."""
    made = OpenAI()
    yield made
    made.stop()


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Waits that take no time, on a clock that only they move."""
    waits: list[float] = []
    for made, names in ((Heartbeat, ("clock", "sleep")), (Runner, ("clock",))):
        doubles = {"clock": lambda: sum(waits), "sleep": waits.append}
        for name in names:
            defaults: Any = made.__init__.__kwdefaults__
            monkeypatch.setitem(defaults, name, doubles[name])
    monkeypatch.setattr("time.sleep", waits.append)
    return waits


@pytest.fixture
def environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, openai: OpenAI
) -> pytest.MonkeyPatch:
    """What the commands find in their environment."""
    monkeypatch.chdir(tmp_path)
    for name in ("EKM_PROJECTS", "EKM_ADMIN_KEY_FROM", "EKM_CONFIRM_ARCHIVE", "EKM_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {
        "EKM_ROLE_ARN": ROLE_ARN,
        "EKM_KMS_ARN": KMS_ARN,
        "EKM_EXTERNAL_ID": "org-abc",
        "EKM_NAME": "prod",
        "EKM_RECORD": "file:record.json",
        "EKM_WAIT_SECONDS": "0",
        "EKM_CALLS_PER_MINUTE": "0",
        "OPENAI_ADMIN_KEY": SECRET,
        "OPENAI_BASE_URL": openai.url,
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "NO_COLOR": "1",
    }.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


@pytest.mark.parametrize("row", ROWS, ids=[f"{row.section} {row.cause}" for row in ROWS])
def test_each_answer_ends_as_the_table_says(  # noqa: PLR0917 - fixtures
    row: Answer,
    openai: OpenAI,
    environment: pytest.MonkeyPatch,
    slept: list[float],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    """Each answer of OpenAI ends in the cause, the remedy and the exit code of the table."""
    if row.command != "register":
        assert run(ekm, "ekm", ["register"]) == 0
    capsys.readouterr()
    openai.give(row)
    if row.status == 0:
        openai.stop()
    environment.setenv("EKM_WAIT_SECONDS", str(row.wait))

    code = run(ekm, "ekm", [row.command, "--json"])

    out, err = capsys.readouterr()
    printed = json.loads(out)
    assert SECRET not in out + err
    assert "Traceback" not in err
    assert code == row.code, err
    assert openai.answered or row.status == 0
    error = printed.get("error", {"id": ""})
    assert error["id"] == row.id
    if not row.id:
        assert "error" not in printed
        return
    assert error["exit_code"] == row.code
    assert row.text in error["message"]
    assert row.message in error["message"]
    assert error["at_fault"] == row.at_fault
    assert error["remedy"] == row.remedy
    if row.status not in {0, 200}:
        assert error["request_id"] == "req_table"
    for words in (f"error[{row.id}]: {error['message']}", f"remedy: {row.remedy}"):
        assert words in err
    if row.command == "register":  # what may have happened is on record, a refusal is not
        in_doubt = row.id == "openai_unclear" and row.call[0] == "POST"
        assert (tmp_path / "record.json").exists() is in_doubt


def test_every_section_and_every_error_of_openai_has_its_row() -> None:
    """Guards against: an error without a row, whose output no test reads."""
    from openai_ekm.openai_api.refusal_kinds import Kind  # noqa: PLC0415 - read for this comparison alone

    assert {row.section for row in ROWS} == set(SECTIONS)
    named = {"aws_denied", "aws_key_unusable", "aws_transient", "wait_deadline"} | {
        "openai_" + {"in_use": "key_in_use", "ambiguous": "unclear"}.get(kind.value, kind.value)
        for kind in Kind
        if not kind.value.startswith("aws_")
    }
    named = {"openai_not_reachable" if name == "openai_unreachable" else name for name in named}
    assert {row.id for row in ROWS} - {""} == named


def test_the_emulator_and_the_table_send_the_same() -> None:
    """Guards against: a rehearsal with another answer than the documents have."""
    from openai_ekm.diagnosis import wording  # noqa: PLC0415 - read for this comparison alone
    from openai_ekm.emulator import errors  # noqa: PLC0415 - read for this comparison alone
    from openai_ekm.snapshot import Key  # noqa: PLC0415 - read for this comparison alone

    rows = {(row.status, row.body) for row in ROWS}
    pattern = r"^arn:aws:iam::\d{12}:role/.+$"
    for error in (
        errors.missing_scope("api.management.read", status=403),
        errors.unsupported_endpoint(),
        errors.key_not_found("extkey_1"),
        errors.key_to_delete_not_found("extkey_1"),
        errors.ApiError(400, errors.KEY_IN_USE),
        errors.invalid_pattern("role_arn", pattern),
    ):
        assert (error.status, json.dumps(error.body()).encode()) in rows
    texts = [row.text for row in ROWS]
    session = "arn:aws:sts::111122223333:assumed-role/openai-ekm/session"
    states = ("Disabled", "PendingDeletion", "PendingImport", "Unavailable")
    unusable = [wording.unusable_state(Key(arn=KMS_ARN, state=state)) for state in states]
    for found in (
        wording.assume_role_denied(ROLE_ARN),
        wording.key_not_found(KMS_ARN),
        wording.key_not_found(KMS_ARN.rpartition(":")[0] + ":alias/openai"),
        wording.not_symmetric(Key(arn=KMS_ARN, usage="SIGN_VERIFY")),
        *(
            wording.use_denied(
                "Encrypt", session, KMS_ARN, tail=wording.nothing_allows("Encrypt", kind)
            )
            for kind in ("identity", "resource", "permissions_boundary")
        ),
        *(error for _outcome, error in filter(None, unusable)),
    ):
        assert found is not None
        assert any(text.endswith(found.message) for text in texts), found.message
    assert None not in unusable
