"""The check of a pack: a whole one passes, and every tampering is refused and named."""

from __future__ import annotations

import io
import json
import os
import struct
import zipfile
import zlib
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openai_ekm.errors import BadInput
from openai_ekm.evidence.container import Found, open_pack, zip_of
from openai_ekm.evidence.manifest import MANIFEST, PUBLIC_KEY, SIGNATURE
from openai_ekm.evidence.signature import PublicKey
from openai_ekm.evidence.verify import Verification, _meetings, verify
from tests.support.evidence_pack import ec_key, public, rsa_key, sign, signed_files, write
from tests.support.tamperings import tamperings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

Files = dict[str, bytes]


class Held:
    """A pack in memory, so that many can be tried."""

    def __init__(self, files: Files) -> None:
        self.files = files

    def names(self) -> Iterator[Found]:
        """Yield every file and folder."""
        folders = {path.rpartition("/")[0] for path in self.files} - {""}
        for path in sorted(folders):
            yield Found(path, "folder", 0)
        for path in sorted(self.files):
            yield Found(path, "file", len(self.files[path]))

    def read(self, path: str, most: int) -> bytes:
        """Return a file."""
        return self.files[path][: most + 1]

    def layout_fault(self) -> None:
        """Say that a pack in memory is read in one way."""


def fingerprint() -> str:
    """That of the key that signs here."""
    return PublicKey(public(ec_key())).fingerprint


def checked(files: Files) -> Verification:
    """Verify files with the right fingerprint."""
    return verify(Held(files), fingerprint())


@pytest.mark.parametrize("key", [ec_key, rsa_key])
def test_a_whole_pack_holds_in_a_folder_and_in_a_zip(
    key: Callable[[], object], tmp_path: Path
) -> None:
    """Guards against: a pack that its own check refuses; for both kinds of key."""
    signer = key()
    files = signed_files(signer)  # type: ignore[arg-type]
    given = PublicKey(public(signer)).fingerprint  # type: ignore[arg-type]
    (tmp_path / "pack.zip").write_bytes(zip_of(files))
    for place in (write(tmp_path / "pack", files), tmp_path / "pack.zip"):
        found = verify(open_pack(str(place)), given)
        assert (found.holds, found.signed, found.differences) == (True, True, ())


def test_without_a_fingerprint_nothing_is_said_about_who_signed() -> None:
    """Guards against: a key that came in the pack vouching for the pack."""
    found = verify(Held(signed_files(ec_key())))
    assert found.signed
    assert found.holds is None
    assert verify(Held(signed_files())).holds is None


def test_a_pack_that_is_not_signed_is_refused_where_a_fingerprint_is_given() -> None:
    """Guards against: a signature that was taken away together with its mention."""
    found = checked(signed_files())
    assert found.holds is False
    assert [each.path for each in found.differences] == [SIGNATURE]


def test_a_pack_that_somebody_else_signed_anew_is_refused() -> None:
    """Guards against: a whole pack written anew, with a key of the attacker's."""
    found = checked(signed_files(rsa_key()))
    assert found.holds is False
    assert [each.path for each in found.differences] == [PUBLIC_KEY]


def flipped(content: bytes, at: int) -> bytes:
    """Change one bit."""
    place = at % len(content)
    return content[:place] + bytes([content[place] ^ (1 << at % 8)]) + content[place + 1 :]


def test_each_generated_tampering_is_refused_and_named() -> None:
    """Guards against: a change of any file, of any kind, that passes; 60 of them, by a fixed seed.

    Each difference names a file that was touched, or what signs it.
    """
    for tampering in tamperings(signed_files(ec_key()), 60, seed=13):
        found = checked(tampering.files)
        assert found.holds is False, tampering.kind
        named = {each.path for each in found.differences}
        assert named & tampering.named, (tampering.kind, found.differences)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_change_of_the_manifest_is_refused(data: st.DataObject) -> None:
    """Guards against: a manifest that lists what its signer did not."""
    files = signed_files(ec_key())
    body = json.loads(files[MANIFEST])
    entry = data.draw(st.sampled_from(body["members"]))
    member = data.draw(st.sampled_from(["path", "size", "sha256"]))
    entry[member] = data.draw(st.one_of(st.text(max_size=5), st.integers(), st.none()))
    files[MANIFEST] = json.dumps(body).encode()
    assert checked(files).holds is False


def test_a_manifest_with_its_own_digests_of_changed_files_is_refused() -> None:
    """Guards against: a changed file whose digest was changed with it."""
    files, other = signed_files(ec_key()), signed_files()
    files[MANIFEST] = other[MANIFEST]
    assert checked(files).holds is False


def test_a_signature_of_another_algorithm_or_key_in_the_pack_is_refused() -> None:
    """Guards against: a signature by a second key whose public half was put into the pack."""
    files = signed_files(ec_key())
    files[SIGNATURE] = sign(rsa_key(), files[MANIFEST])
    files[PUBLIC_KEY] = PublicKey(public(rsa_key())).pem
    assert {each.path for each in checked(files).differences} == {PUBLIC_KEY}
    assert verify(Held(files)).holds is False


def test_a_key_with_more_in_its_file_is_refused() -> None:
    """Guards against: text beside the key that a reader takes for part of the signed pack."""
    files = signed_files(ec_key())
    files[PUBLIC_KEY] = b"approved by the auditor\n" + files[PUBLIC_KEY]
    assert checked(files).holds is False


# A folder


@pytest.mark.parametrize("path", ["proof.json", "documents/01.json"])
def test_a_link_in_a_folder_is_refused(path: str, tmp_path: Path) -> None:
    """Guards against: a file that is another one tomorrow; its content is right today."""
    folder = write(tmp_path / "pack", signed_files(ec_key()))
    (folder / path).rename(tmp_path / "elsewhere")
    (folder / path).symlink_to(tmp_path / "elsewhere")
    found = verify(open_pack(str(folder)), fingerprint())
    assert [(each.path, each.kind) for each in found.differences] == [(path, "link")]


def test_a_folder_that_is_a_link_is_refused(tmp_path: Path) -> None:
    """Guards against: files that are read from outside the pack."""
    folder = write(tmp_path / "pack", signed_files(ec_key()))
    (folder / "documents").rename(tmp_path / "documents")
    (folder / "documents").symlink_to(tmp_path / "documents")
    found = verify(open_pack(str(folder)), fingerprint())
    assert ("documents", "link") in {(each.path, each.kind) for each in found.differences}


def test_a_pipe_in_a_folder_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    """Guards against: a check that hangs."""
    folder = write(tmp_path / "pack", signed_files(ec_key()))
    (folder / "proof.json").unlink()
    os.mkfifo(folder / "proof.json")
    found = verify(open_pack(str(folder)), fingerprint())
    assert ("proof.json", "special") in {(each.path, each.kind) for each in found.differences}


def test_an_empty_folder_that_was_added_is_named(tmp_path: Path) -> None:
    """Guards against: a name that speaks to a reader and is in no manifest."""
    folder = write(tmp_path / "pack", signed_files(ec_key()))
    (folder / "approved").mkdir()
    found = verify(open_pack(str(folder)), fingerprint())
    assert [(each.path, each.kind) for each in found.differences] == [("approved", "added")]


# A zip


def zipped(
    tmp_path: Path, *more: tuple[str | zipfile.ZipInfo, bytes], leave_out: str = ""
) -> Verification:
    """Verify a zip of the pack with further entries."""
    file = tmp_path / "pack.zip"
    files = signed_files(ec_key())
    with zipfile.ZipFile(file, "w") as archive:
        for path, content in files.items():
            if path != leave_out:
                archive.writestr(path, content)
        for name, content in more:
            archive.writestr(name, content)
    return verify(open_pack(str(file)), fingerprint())


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("../proof.json", "unsafe_name"),
        ("documents/../proof.json", "unsafe_name"),
        ("/etc/passwd", "unsafe_name"),
        ("C:/windows/x", "unsafe_name"),
        ("a\\..\\b", "unsafe_name"),
        ("./proof.json", "unsafe_name"),
        ("Proof.json", "collision"),
        ("PROOF.JSON", "collision"),
        ("\uff50roof.json", "collision"),
        ("proof.json.", "collision"),
        ("proof.json/x", "added"),
        ("extra.json", "added"),
    ],
)
def test_a_name_of_a_zip_that_no_pack_has_is_refused(name: str, kind: str, tmp_path: Path) -> None:
    """Guards against: an entry that leaves the folder, or replaces another one, on extraction."""
    found = zipped(tmp_path, (name, b"x"))
    assert (name, kind) in {(each.path, each.kind) for each in found.differences}


def test_composed_and_decomposed_letters_collide(tmp_path: Path) -> None:
    """Guards against: two entries that are one file where names are normalized."""
    found = zipped(tmp_path, ("caf\u00e9", b"x"), ("cafe\u0301", b"y"))
    assert "collision" in {each.kind for each in found.differences}


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_an_entry_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    """Guards against: two programs that read two contents under one name."""
    found = zipped(tmp_path, ("proof.json", b"{}"))
    assert ("proof.json", "duplicate") in {(each.path, each.kind) for each in found.differences}


def test_a_link_in_a_zip_is_refused(tmp_path: Path) -> None:
    """Guards against: an entry that an unzip turns into a link out of the folder."""
    link = zipfile.ZipInfo("link")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    found = zipped(tmp_path, (link, b"/etc/passwd"))
    assert ("link", "link") in {(each.path, each.kind) for each in found.differences}


def test_a_bomb_is_not_decompressed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Guards against: a file of a gigabyte in place of one of a kilobyte."""
    bomb = zipfile.ZipInfo("proof.json")
    bomb.compress_type = zipfile.ZIP_DEFLATED
    opened: list[str] = []
    real = zipfile.ZipFile.open

    def watched(self: zipfile.ZipFile, entry: Any, mode: Any = "r", **rest: Any) -> Any:
        if mode == "r":
            opened.append(entry.filename)
        return real(self, entry, mode, **rest)

    monkeypatch.setattr(zipfile.ZipFile, "open", watched)
    found = zipped(tmp_path, (bomb, bytes(50_000_000)), leave_out="proof.json")
    assert ("proof.json", "size") in {(each.path, each.kind) for each in found.differences}
    assert "proof.json" not in opened


def test_a_bomb_in_place_of_the_manifest_is_not_decompressed(tmp_path: Path) -> None:
    """Guards against: a manifest that bounds nothing, being read to its end."""
    found = zipped(tmp_path, (MANIFEST, bytes(5_000_000)), leave_out=MANIFEST)
    assert found.manifest is None
    assert (MANIFEST, "unreadable") in {(each.path, each.kind) for each in found.differences}


def test_an_encrypted_entry_is_refused(tmp_path: Path) -> None:
    """Guards against: an entry whose content nobody can compare."""
    file = tmp_path / "pack.zip"
    content = bytearray(zip_of(signed_files(ec_key())))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + offset] |= 1
    file.write_bytes(content)
    found = verify(open_pack(str(file)), fingerprint())
    assert "unreadable" in {each.kind for each in found.differences}


def test_a_damaged_zip_is_refused(tmp_path: Path) -> None:
    """Guards against: a content that differs from its checksum, and ends in a traceback."""
    file = tmp_path / "pack.zip"
    content = bytearray(zip_of(signed_files(ec_key())))
    place = content.index(b'"openai_assumes_with_external_id"')
    content[place + 3] ^= 1
    file.write_bytes(content)
    found = verify(open_pack(str(file)), fingerprint())
    assert [each.path for each in found.differences] == ["decisions.json"]


@pytest.mark.parametrize("content", [b"", b"PK\x05\x06" + bytes(18), b"no zip", b"PK\x03\x04xx"])
def test_what_is_no_pack_is_bad_input(content: bytes, tmp_path: Path) -> None:
    """Guards against: a traceback for a file that is something else."""
    (tmp_path / "x.zip").write_bytes(content)
    with pytest.raises(BadInput) as refused:
        verify(open_pack(str(tmp_path / "x.zip")))
    assert refused.value.id == "evidence_unreadable"


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_zip_with_spoilt_bytes_ends_in_an_answer(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Guards against: a traceback, or a pack that holds although one of its files differs."""
    whole = zip_of(signed_files(ec_key()))
    content = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    file = tmp_path_factory.getbasetemp() / "spoilt.zip"
    file.write_bytes(content)
    try:
        container = open_pack(str(file))
        found = verify(container, fingerprint())
    except BadInput:
        return
    if found.holds:
        files = signed_files(ec_key())
        assert {each.path for each in container.names()} == set(files)


# A zip that programs read differently


def entry_of(content: bytes, path: str) -> int:
    """Where an entry's local header begins."""
    return content.index(b"PK\x03\x04", max(0, content.index(path.encode()) - 40))


def shortened(content: bytes) -> bytes:
    """The local header of the proof says that it is shorter, which unzip believes."""
    changed = bytearray(content)
    at = entry_of(content, "proof.json")
    struct.pack_into("<3L", changed, at + 14, zlib.crc32(b"{"), 1, 1)
    return bytes(changed)


def renamed(content: bytes) -> bytes:
    """The directory gives the proof a second name, which others extract it by."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        files = {each.filename: archive.read(each) for each in archive.infolist()}
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for path, body in files.items():
            entry = zipfile.ZipInfo(path)
            if path == "proof.json":
                name = b"approved.json"
                head = struct.pack("<HHBL", 0x7075, 5 + len(name), 1, zlib.crc32(path.encode()))
                entry.extra = head + name
            archive.writestr(entry, body)
    return stream.getvalue()


def linked(content: bytes) -> bytes:
    """An entry is a link, by the mode of a host that is not Unix."""
    changed = bytearray(content)
    at = content.index(b"PK\x01\x02", content.rindex(b"proof.json") - 46)
    changed[at + 5] = 16
    struct.pack_into("<L", changed, at + 38, 0o120777 << 16)
    return bytes(changed)


@pytest.mark.parametrize(
    "change",
    [
        shortened,
        renamed,
        linked,
        lambda content: content.replace(b"PK\x01\x02", b"evil PK\x01\x02", 1),
        lambda content: b"#!/bin/sh\n" + content,
        lambda content: zip_of({"index.html": b"other"}) + content,
    ],
    ids=["shortened", "renamed", "linked", "between", "before", "two zips"],
)
def test_a_zip_that_programs_read_differently_is_refused(
    change: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    """Guards against: a signed pack from which an unzip makes other files than were verified."""
    file = tmp_path / "pack.zip"
    whole = zip_of(signed_files(ec_key()))
    file.write_bytes(whole)
    assert verify(open_pack(str(file)), fingerprint()).holds is True
    file.write_bytes(change(whole))
    try:
        holds = verify(open_pack(str(file)), fingerprint()).holds
    except BadInput:
        holds = False
    assert holds is False


@pytest.mark.parametrize("behind", [b"x", b"PK\x05\x06" + bytes(17) + b"\x01"])
def test_bytes_behind_a_zip_are_refused(behind: bytes, tmp_path: Path) -> None:
    """Guards against: a second end of a zip, or a comment, that another program reads."""
    file = tmp_path / "pack.zip"
    file.write_bytes(zip_of(signed_files(ec_key())) + behind)
    with pytest.raises(BadInput, match="cannot be read as a pack"):
        open_pack(str(file))


def test_an_offset_beyond_all_numbers_is_a_difference(tmp_path: Path) -> None:
    """Guards against: a defect of ours for a zip whose directory points nowhere."""
    whole = zip_of(signed_files(ec_key()))
    changed = bytearray(whole)
    at = whole.index(b"PK\x01\x02", whole.rindex(b"proof.json") - 46)
    struct.pack_into("<L", changed, at + 42, 0xFFFFFFF0)
    file = tmp_path / "pack.zip"
    file.write_bytes(bytes(changed))
    assert verify(open_pack(str(file)), fingerprint()).holds is False


def test_a_thousand_names_that_meet_take_little_room() -> None:
    """Guards against: a message for each name that holds all the others."""
    names = [f"{number:012b}".replace("0", "a").replace("1", "A") for number in range(2000)]
    found = list(_meetings(Counter(names)))
    assert len(found) == len(names)
    assert max(len(each.message) for each in found) < 200
