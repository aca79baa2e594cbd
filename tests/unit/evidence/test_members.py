"""The files of a pack: the same bytes for the same value, in a folder and in a zip."""

from __future__ import annotations

import json
import stat
import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from openai_ekm.errors import BadInput
from openai_ekm.evidence.container import check_place, write_pack, zip_of
from openai_ekm.evidence.given import check_key, read_given
from openai_ekm.evidence.manifest import (
    LARGEST_MANIFEST,
    MEMBER_PATH,
    MOST_MEMBERS,
    make_manifest,
    read_manifest,
)
from openai_ekm.evidence.members import members_of
from openai_ekm.openai import OPENAI_ACCOUNT
from openai_ekm.snapshot import Snapshot
from tests.support.evidence_pack import AT, make_pack, member, signed_files
from tests.support.healthy import ALIAS, KEY, KEY_USE, OTHER_KEY, TRUST, healthy, put
from tests.support.schemas import faults_of

if TYPE_CHECKING:
    from pathlib import Path


def test_the_same_value_gives_the_same_bytes() -> None:
    """Guards against: a time, a set or an id of a process in a file of the pack."""
    first, second = members_of(make_pack()), members_of(make_pack())
    assert first == second
    assert zip_of(first) == zip_of(dict(reversed(second.items())))


def test_another_time_gives_another_pack() -> None:
    """Guards against: ids of OSCAL that two packs share."""
    first = members_of(make_pack())
    second = members_of(replace(make_pack(), generated_at="2026-11-30T10:00:00Z"))
    assert {path for path in first if first[path] != second[path]} == {
        "index.html",
        "oscal/assessment-plan.json",
        "oscal/assessment-results.json",
    }


def test_every_member_is_in_a_file_that_a_manifest_may_list() -> None:
    """Guards against: a member that is collected and not written."""
    files = members_of(make_pack())
    for name in ("usage", "drift", "rotation", "audit-events", "validation", "snapshot", "proof"):
        assert f"{name}.json" in files
    assert "drills/01.json" in files
    assert len([path for path in files if path.startswith("documents/")]) == 3
    assert all(MEMBER_PATH.fullmatch(path) for path in files)
    assert member(files, "not-seen.json")[0]["what"] == "scps"


def test_the_manifest_is_of_its_schema_and_is_read_back() -> None:
    """Guards against: a manifest that the published schema does not describe."""
    body = json.loads(signed_files()["manifest.json"])
    assert faults_of("ekm-evidence", body) == []
    manifest = read_manifest(signed_files()["manifest.json"])
    assert (manifest.generated_at, manifest.redacted, manifest.signer) == (AT, False, None)


@pytest.mark.parametrize(
    "change",
    [
        {"schema": "ekm-evidence/2"},
        {"more": 1},
        {"generated_at": "yesterday"},
        {"redacted": 1},
        {"signer": {"key": "x"}},
        {"members": {}},
        {"members": [{"path": "../x", "size": 1, "sha256": "0" * 64}]},
        {"members": [{"path": "X", "size": 1, "sha256": "0" * 64}]},
        {"members": [{"path": "x.", "size": 1, "sha256": "0" * 64}]},
        {"members": [{"path": "x", "size": -1, "sha256": "0" * 64}]},
        {"members": [{"path": "x", "size": True, "sha256": "0" * 64}]},
        {"members": [{"path": "x", "size": 2**40, "sha256": "0" * 64}]},
        {"members": [{"path": "x", "size": 1, "sha256": "0" * 63}]},
        {"members": [{"path": "x", "size": 1, "sha256": "0" * 64}] * 2},
        {"members": [{"path": each, "size": 1, "sha256": "0" * 64} for each in ("x", "x/y")]},
        {"members": [{"path": "manifest.json", "size": 1, "sha256": "0" * 64}]},
    ],
)
def test_a_manifest_that_no_pack_has_is_refused(change: dict[str, object]) -> None:
    """Guards against: a manifest that names files outside, or more bytes than a disk holds."""
    body = json.loads(make_manifest({}, generated_at=AT, redacted=False, signer=None))
    with pytest.raises(BadInput) as refused:
        read_manifest(json.dumps({**body, **change}).encode())
    assert refused.value.id == "evidence_manifest_malformed"


def test_a_zip_has_fixed_times_order_and_permissions(tmp_path: Path) -> None:
    """Guards against: a zip that tells when and by whom it was made, and differs each time."""
    write_pack(str(tmp_path / "pack.zip"), {"b": b"2", "a": b"1"})
    with zipfile.ZipFile(tmp_path / "pack.zip") as archive:
        found = archive.infolist()
    assert [each.filename for each in found] == ["a", "b"]
    assert {each.date_time for each in found} == {(1980, 1, 1, 0, 0, 0)}
    assert {each.external_attr >> 16 for each in found} == {0o100644}
    assert {each.compress_type for each in found} == {zipfile.ZIP_STORED}


def test_a_folder_is_written_whole_and_for_this_user_alone(tmp_path: Path) -> None:
    """Guards against: a pack that other users of the machine can read."""
    write_pack(str(tmp_path / "pack"), {"a": b"1", "folder/b": b"2"})
    assert (tmp_path / "pack" / "folder" / "b").read_bytes() == b"2"
    for each in (tmp_path / "pack", *(tmp_path / "pack").rglob("*")):
        assert stat.S_IMODE(each.stat().st_mode) & 0o077 == 0, each
    assert [each.name for each in tmp_path.iterdir()] == ["pack"]


def test_no_half_of_a_pack_is_left(tmp_path: Path) -> None:
    """Guards against: a folder that looks like a pack after a failure."""
    with pytest.raises(BadInput) as refused:
        write_pack(str(tmp_path / "pack"), {"a": b"1", "a/b": b"2"})
    assert refused.value.id == "evidence_unwritable"
    assert list(tmp_path.iterdir()) == []


def manifest_of(files: dict[str, bytes]) -> bytes:
    """The manifest of some files."""
    return make_manifest(files, generated_at=AT, redacted=False, signer=None)


def test_no_pack_is_written_that_the_check_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Guards against: a pack of too many or too large files, which nobody can verify."""
    many = {f"drills/{number:05d}.json": b"" for number in range(MOST_MEMBERS)}
    assert len(manifest_of(many)) < LARGEST_MANIFEST
    assert len(read_manifest(manifest_of(many)).entries) == MOST_MEMBERS
    monkeypatch.setattr("openai_ekm.evidence.manifest.LARGEST_PACK", 10)
    full = {"a": b"12345", "b": b"12345"}
    assert read_manifest(manifest_of(full)).entries.keys() == full.keys()
    for refused in ({**many, "drills/10000.json": b""}, {**full, "c": b"1"}):
        with pytest.raises(BadInput) as error:
            manifest_of(refused)
        assert error.value.id == "evidence_too_large"


def test_a_place_that_is_taken_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    """Guards against: a pack written over another one, or through a link."""
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").write_text("x")
    (tmp_path / "x.zip").write_text("x")
    (tmp_path / "empty").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "empty")
    for name in ("full", "x.zip", "link"):
        with pytest.raises(BadInput) as refused:
            check_place(str(tmp_path / name))
        assert refused.value.id == "evidence_place_taken"
    check_place(str(tmp_path / "empty"))
    write_pack(str(tmp_path / "empty"), {"a": b"1"})
    with pytest.raises(BadInput) as refused:
        check_place(str(tmp_path / "missing" / "pack"))
    assert refused.value.id == "evidence_unwritable"
    with pytest.raises(BadInput):
        check_place("nul\0/x")


def open_to(principal: object) -> dict[str, Any]:
    """A snapshot whose key lets a principal use it, without a condition."""
    return put(put(healthy(), f"{KEY_USE}/Condition", ...), f"{KEY_USE}/Principal", principal)


# Decision to a change of the healthy snapshot that makes it wrong.
WRONG = {
    "openai_assumes_with_external_id": put(healthy(), f"{TRUST}/Effect", "Deny"),
    "openai_assumes_without_external_id": put(healthy(), f"{TRUST}/Condition", ...),
    "openai_assumes_with_another_external_id": put(healthy(), f"{TRUST}/Condition", ...),
    "stranger_assumes": put(healthy(), f"{TRUST}/Principal", "*"),
    "openai_other_role_assumes": put(healthy(), f"{TRUST}/Principal/AWS", OPENAI_ACCOUNT),
    "role_encrypts": put(healthy(), f"{KEY_USE}/Effect", "Deny"),
    "role_decrypts": put(healthy(), f"{KEY_USE}/Effect", "Deny"),
    "administrator_decrypts": put(healthy(), f"{KEY_USE}/Condition", ...),
    "root_decrypts": put(healthy(), f"{KEY_USE}/Condition", ...),
    "stranger_decrypts": open_to("*"),
    "openai_directly": open_to({"AWS": OPENAI_ACCOUNT}),
}


@pytest.mark.parametrize("id", WRONG)
def test_a_decision_that_is_not_as_expected_is_told(id: str) -> None:
    """Guards against: a decision that always reads as expected; each twin of the healthy one."""
    decisions = {each["id"]: each for each in make_pack(WRONG[id]).decisions}
    assert not decisions[id]["as_expected"]
    assert all(each["as_expected"] for each in make_pack().decisions)


def test_each_decision_has_a_change_that_makes_it_wrong() -> None:
    """Guards against: a request that is never seen to be answered otherwise."""
    assert list(WRONG) == [each["id"] for each in make_pack().decisions]


def test_a_request_that_is_refused_on_some_days_is_not_as_expected() -> None:
    """Guards against: the first of several possible calls, which passes, taken for all of them."""
    until = {"DateLessThan": {"aws:CurrentTime": "2027-01-01T00:00:00Z"}}
    condition = {"StringEquals": {"sts:ExternalId": ["org-abc"]}, **until}
    first = make_pack(put(healthy(), f"{TRUST}/Condition", condition)).decisions[0]
    assert first["id"] == "openai_assumes_with_external_id"
    assert not first["as_expected"]


def test_what_was_not_seen_is_not_decided() -> None:
    """Guards against: a decision on documents that nobody has seen."""
    without = put(healthy(), "role/trust_policy", ...)
    ids = {each["id"] for each in make_pack(without).decisions}
    assert "openai_assumes_with_external_id" not in ids
    assert "role_encrypts" in ids
    assert make_pack(put(healthy(), "keys/0/policy", ...)).decisions[0]["id"].startswith("openai")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": "x/1", "verb": 1, "answer": "same"}'])
def test_a_file_that_is_something_else_is_refused(text: str, tmp_path: Path) -> None:
    """Guards against: any JSON in the place of a report."""
    (tmp_path / "x.json").write_text(text)
    for name in ("drill", "usage", "drift", "validation", "rotation", "audit-events"):
        option = f"--{name}"
        with pytest.raises(BadInput) as refused:
            read_given(option, str(tmp_path / "x.json"))
        assert refused.value.id == "evidence_member_malformed"
    with pytest.raises(BadInput):
        read_given("--drill", str(tmp_path / "missing.json"))


@pytest.mark.parametrize(
    "report",
    [
        {"kms_arn": "{}"},
        {"key_arn": "{}"},
        {"of": {"kms_arn": "{}"}},
        {"keys": [{"key_arn": "{}"}]},
    ],
)
def test_a_report_about_another_key_is_refused(report: dict[str, object]) -> None:
    """Guards against: the use of one key beside the proof of another; each form of each report."""
    snapshot = Snapshot.from_json(healthy())
    for arn in (KEY, ALIAS):
        check_key("--usage", json.loads(json.dumps(report).replace("{}", arn)), snapshot)
    with pytest.raises(BadInput) as refused:
        check_key("--usage", json.loads(json.dumps(report).replace("{}", OTHER_KEY)), snapshot)
    assert refused.value.id == "evidence_of_another_key"


def test_a_report_that_names_no_key_is_taken() -> None:
    """Guards against: the refusal of a report whose run ended before it knew the key."""
    check_key("--drill", {"key_arn": None, "of": 1, "keys": [1]}, Snapshot.from_json(healthy()))
