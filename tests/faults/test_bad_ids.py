"""Ids that are none, from a server that has carried out what was asked: what the record says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from openai_ekm.cli.main import load_verb, run
from tests.constants import ROLE
from tests.doubles.openai_server import SECRET, OpenAI

if TYPE_CHECKING:
    from collections.abc import Iterator

KMS = "arn:aws:kms:eu-west-1:111122223333:key/11111111-2222-3333-4444-555555555555"
BAD = {
    "newline": 'extkey_1\n}\nresource "terraform_data" "x" {',
    "parent": "..",
    "surrogate": "extkey_\ud800",
    "long": "x" * 20_000,
}


class Renaming(OpenAI):
    """Gives every registration another id than it is known by, while `bad` is set."""

    bad: str | None = None

    def _healthy(self, method: str, path: str, sent: bytes) -> dict[str, Any]:
        answer = super()._healthy(method, path, sent)
        if self.bad is None:
            return answer
        if "data" in answer:
            return {**answer, "data": [{**key, "id": self.bad} for key in answer["data"]]}
        return {**answer, "id": self.bad}


@pytest.fixture
def openai(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Renaming]:
    """OpenAI, and a run's environment with a file record."""
    server = Renaming()
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "EKM_ROLE_ARN": ROLE,
        "EKM_KMS_ARN": KMS,
        "EKM_EXTERNAL_ID": "org-abc123",
        "EKM_NAME": "prod",
        "EKM_RECORD": "file:record.json",
        "EKM_LIST_LAG_SECONDS": "0",
        "EKM_CALLS_PER_MINUTE": "0",
        "OPENAI_ADMIN_KEY": SECRET,
        "OPENAI_BASE_URL": server.url,
    }.items():
        monkeypatch.setenv(name, value)
    yield server
    server.stop()


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_what_a_bad_id_leaves_is_found_again(
    openai: Renaming, bad: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Guards against: a registration at OpenAI of which no record knows, or a record with that id.

    The record of the first run says that a create was sent and not answered; the next run looks
    for it, and takes what it finds.
    """
    openai.bad = bad
    code = run(load_verb("register"), "ekm register", ["--wait", "0"])
    told = capsys.readouterr().err
    assert code == 5, told
    assert "error[openai_unclear]" in told
    assert len(told) < 2000
    assert len(openai.keys) == 1
    record = json.loads(Path("record.json").read_text(encoding="utf-8"))
    assert (record["state"], record["external_key_id"]) == ("registering", None)
    openai.bad = None
    assert run(load_verb("register"), "ekm register", ["--wait", "0"]) == 0
    record = json.loads(Path("record.json").read_text(encoding="utf-8"))
    assert (record["state"], record["external_key_id"]) == ("registered", "extkey_1")
    assert len(openai.keys) == 1
