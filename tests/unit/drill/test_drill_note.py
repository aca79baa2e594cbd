"""Where the note of a drill is kept, and what is in it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from openai_ekm.drill.note import Method, Note, parse, serialise
from openai_ekm.drill.note_store import FileNotes, NoteStore, SsmNotes
from openai_ekm.errors import EkmError
from openai_ekm.registration.ssm_store import STANDARD_BYTES
from tests.doubles.drill_world import CALLER, EXTERNAL_KEY, FORMER, KEY_ARN

if TYPE_CHECKING:
    from pathlib import Path

NOTE = Note(
    id="a1",
    begun_at="2026-11-24T10:00:00.000Z",
    method=Method.KEY_POLICY,
    caller=CALLER,
    host="here",
    external_key_id=EXTERNAL_KEY,
    key_arn=KEY_ARN,
    role_arn="arn:aws:iam::111122223333:role/openai-ekm",
    statement={"Sid": "EkmDrillRevoke"},
    policy_digest="0" * 64,
    policy=FORMER,
)
OTHER = Note(**{name: getattr(NOTE, name) for name in Note.__slots__} | {"id": "b2"})


class Ssm:
    """Parameters, one a page, as SSM answers."""

    def __init__(self, *, loses: bool = False) -> None:
        self.values: dict[str, str] = {"/x/record": "{}"}
        self.loses = loses

    def get_parameters_by_path(self, Path: str, NextToken: str = "0") -> Any:  # noqa: ARG002, N803
        """One parameter a page."""
        names = sorted(self.values)
        at = int(NextToken)
        found = [{"Name": name, "Value": self.values[name]} for name in names[at : at + 1]]
        return {"Parameters": found} | ({"NextToken": str(at + 1)} if at + 1 < len(names) else {})

    def put_parameter(self, Name: str, Value: str, Type: str, Overwrite: bool) -> None:  # noqa: N803
        """Create; when asked to, lose the first answer as botocore's repeat sees it."""
        assert (Type, Overwrite) == ("String", False)
        assert len(Value.encode()) <= STANDARD_BYTES
        if Name in self.values and not self.loses:
            raise ClientError({"Error": {"Code": "ParameterAlreadyExists"}}, "PutParameter")
        self.values[Name] = Value
        if self.loses:
            raise ClientError({"Error": {"Code": "ParameterAlreadyExists"}}, "PutParameter")

    def delete_parameter(self, Name: str) -> None:  # noqa: N803
        """Delete."""
        del self.values[Name]


@pytest.fixture(params=["ssm", "file"])
def notes(request: pytest.FixtureRequest, tmp_path: Path) -> NoteStore:
    """Each kind of place."""
    return SsmNotes(Ssm(), "/x") if request.param == "ssm" else FileNotes(tmp_path / "record.json")


def test_note_stands_until_its_own_drill_deletes_it(notes: NoteStore) -> None:
    """Two drills at once overwrite each other's note, or one deletes the other's."""
    assert notes.read() is None
    notes.write(NOTE)
    assert notes.read() == NOTE
    with pytest.raises(EkmError) as refused:
        notes.write(OTHER)
    assert refused.value.id == "drill_note_stands"
    notes.delete(OTHER.id)
    assert notes.read() == NOTE
    notes.delete(NOTE.id)
    notes.delete(NOTE.id)
    assert notes.read() is None


def test_own_note_after_a_lost_answer_is_taken_for_written() -> None:
    """A repeat of botocore's finds the note of its own first attempt, and the drill stops."""
    SsmNotes(Ssm(loses=True), "/x").write(NOTE)


def test_large_policy_is_left_out_where_there_is_no_room() -> None:
    """A drill on a key with a long policy cannot write its note."""
    notes = SsmNotes(Ssm(), "/x")
    notes.write(Note(**{n: getattr(NOTE, n) for n in Note.__slots__} | {"policy": "é" * 30000}))
    found = notes.read()
    assert found is not None
    assert (found.policy, found.policy_digest) == (None, NOTE.policy_digest)


def test_folder_that_is_gone_is_told(tmp_path: Path) -> None:
    """A note that cannot be written ends in a traceback."""
    with pytest.raises(EkmError) as refused:
        FileNotes(tmp_path / "gone" / "record.json").write(NOTE)
    assert refused.value.id == "drill_note_place_unusable"
    assert list(tmp_path.iterdir()) == []


def test_no_file_is_left_beside_the_note(tmp_path: Path) -> None:
    """Each drill leaves a temporary file behind."""
    notes = FileNotes(tmp_path / "record.json")
    notes.write(NOTE)
    assert [each.name for each in tmp_path.iterdir()] == ["record.json.drill"]


@pytest.mark.parametrize(
    "change",
    [
        {"schema": "ekm-drill-note/2"},
        {"method": "unplug"},
        {"key_arn": "arn:aws:kms:eu-west-1:111122223333:alias/x"},
        {"key_arn": 5},
        {"id": ""},
        {"statement": None},
    ],
)
def test_note_that_is_not_understood_is_told(change: dict[str, Any]) -> None:
    """A half-read note enables or rewrites the wrong key."""
    with pytest.raises(EkmError) as refused:
        parse(json.dumps(json.loads(serialise(NOTE)) | change), "x")
    assert refused.value.id == "drill_note_unreadable"
    with pytest.raises(EkmError):
        parse("{", "x")
