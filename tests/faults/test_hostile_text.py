"""Every verb with hostile text in every field from outside: nothing acts, and no line is forged."""

from __future__ import annotations

import copy
import json
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from openai_ekm.cli.main import ekm, run
from openai_ekm.openai_api.transport import HttpRequest, HttpResponse
from tests.constants import KEY, ROLE
from tests.doubles.openai import OpenAI, Wire
from tests.support.healthy import healthy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KMS = "arn:aws:kms:eu-west-1:111122223333:key/11111111-2222-3333-4444-555555555555"
FORGED = "FORGED: nothing differs"
ENDS = ("\n", "\r", "\r\n", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029")
EVIL = (
    "".join(f"{end}{FORGED}" for end in ENDS)
    + "\x1b[2J\x1b]52;c;QQ==\x07\x9b31m\x7f\u202e\u2066\u200b\ufeff\u3164\n  remedy: FORGED\n"
)
# Members of OpenAI's answers whose text people read, and headers.
MEMBERS = ("name", "message", "code", "param", "status", "external_id", "role_arn", "object")
IDS = ("id", "external_key_id", "api_project_ids", "last_id")
HEADERS = ("x-request-id", "openai-organization", "retry-after")


def check(text: str) -> None:
    """No character acts or hides, and no line begins with forged words."""
    assert text.replace("\n", "").isprintable(), ascii(text)
    for line in text.splitlines():
        assert not line.strip().removeprefix("#").strip().startswith(("FORGED", "remedy: FORGED"))


def spoilt(value: Any, members: tuple[str, ...]) -> Any:
    """An answer with hostile text behind what these members hold."""
    if isinstance(value, dict):
        return {
            name: _longer(inner) if name in members else spoilt(inner, members)
            for name, inner in value.items()
        }
    return [spoilt(inner, members) for inner in value] if isinstance(value, list) else value


def _longer(value: Any) -> Any:
    if isinstance(value, list):
        return [_longer(inner) for inner in value]
    return value + EVIL if isinstance(value, str) else EVIL if value is None else value


class Hostile:
    """OpenAI, whose answers are hostile from a moment on."""

    def __init__(self) -> None:
        self.openai = OpenAI()
        self.members: tuple[str, ...] = ()

    def send(self, request: HttpRequest) -> HttpResponse:
        """Answer."""
        answer = Wire(self.openai).send(request)
        body = spoilt(json.loads(answer.body), self.members)
        headers = {
            **answer.headers,
            **{name: "r" + EVIL for name in self.members if name in HEADERS},
        }
        return HttpResponse(answer.status, headers, json.dumps(body).encode())


@pytest.fixture
def hostile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hostile:
    """A folder with a registration and a project, and OpenAI."""
    service = Hostile()
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "EKM_ROLE_ARN": ROLE,
        "EKM_KMS_ARN": KMS,
        "EKM_EXTERNAL_ID": "org-abc123",
        "EKM_NAME": "prod",
        "EKM_RECORD": "file:record.json",
        "EKM_PROJECTS": '["shop"]',
        "EKM_WAIT_SECONDS": "0",
        "EKM_LIST_LAG_SECONDS": "0",
        "OPENAI_ADMIN_KEY": "sk-admin-AbCdEf0123456789",
        "EKM_CALLS_PER_MINUTE": "0",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(
        "openai_ekm.openai_api.transport.RequestsTransport", lambda *_given, **_more: service
    )
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    return service


@pytest.mark.parametrize("member", [*MEMBERS, *IDS, *HEADERS])
def test_no_verb_shows_what_openai_says_raw(
    member: str, hostile: Hostile, capsys: pytest.CaptureFixture[str]
) -> None:
    """Guards against: a project's name that forges a result, or writes to the clipboard."""
    assert run(ekm, "ekm", ["register"]) == 0
    hostile.openai.projects["proj_x"] = {
        **hostile.openai.projects["proj_2"],
        "id": "proj_x",
        "name": "other",
    }
    hostile.members = (member,)
    for denial in (None, "User: x is not authorized to perform: kms:Encrypt"):
        hostile.openai.denial = denial
        for words in (
            ["status"],
            ["validate"],
            ["retire", "--plan"],
            ["retire"],
            ["register"],
            ["register", "--record", "file:new.json"],
            ["register", "--record", "file:new.json", "--adopt", "extkey_1"],
            ["retire", "--confirm-archive", "extkey_1", "--plan"],
            ["adopt", "--record", "file:more.json"],
        ):
            for more in ([], ["--json"]):
                assert run(ekm, "ekm", [*words, *more]) != 70
                for text in capsys.readouterr():
                    check(text)


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The place of every text in a snapshot, names of members of conditions and tags included."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, (*path, name))
            if "Condition" in path:
                yield (*path, name, ...)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from leaves(inner, (*path, index))
    elif isinstance(value, str):
        yield path


def placed(body: Any, path: tuple[Any, ...]) -> Any:
    """A snapshot with hostile text at one place."""
    body = copy.deepcopy(body)
    *steps, last = [step for step in path if step is not ...]
    target = body
    for step in steps:
        target = target[step]
    if path[-1] is ...:
        target[last + EVIL] = target.pop(last)
    else:
        target[last] += EVIL
    return body


def with_more() -> dict[str, Any]:
    """A snapshot with a statement and a warning of each sort, and with tags."""
    body = healthy()
    body["keys"][0]["tags"] = {"team": "x"}
    body["role"]["tags"] = {"team": "x"}
    body["unseen"] = [{"path": "caller", "reason": "denied"}]
    body["administrators"] = ["arn:aws:iam::111122223333:role/admin"]
    statement = {
        "Sid": "Everybody",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": "kms:Decrypt",
        "Resource": "*",
        "Condition": {"StringLike": {"aws:PrincipalTag/team": "a*"}},
    }
    body["keys"][0]["policy"]["Statement"].append(statement)
    return body


PLACES = list(leaves(with_more()))


@pytest.mark.parametrize("path", PLACES, ids=["/".join(map(str, path)) for path in PLACES])
def test_no_verb_shows_a_snapshot_raw(
    path: tuple[Any, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Guards against: a condition key, Sid or tag that acts on the terminal of its reader."""
    file = tmp_path / "s.json"
    file.write_text(json.dumps(placed(with_more(), path)), encoding="utf-8")
    sarif = str(tmp_path / "s.sarif")
    names = ("junit", "markdown", "github")
    outputs = [word for name in names for word in ("--output", f"{name}={tmp_path}/s.{name}")]
    for words in (
        ["diagnose", str(file)],
        ["prove", str(file)],
        ["prove", str(file), "--json", "--sarif", sarif, *outputs],
    ):
        assert run(ekm, "ekm", words) != 70
        for text in capsys.readouterr():
            check(text)
    for written in tmp_path.glob("s.*[!n]"):
        check(written.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "words",
    [
        ["diagnose", "--error", EVIL],
        ["diagnose", EVIL],
        ["decide", EVIL],
        ["prove", "--from-plan", EVIL],
        ["snapshot", "--from-terraform", EVIL],
        ["register", "--manifest", EVIL],
        ["handoff", "--role-arn", EVIL, "--kms-arn", EVIL],
        ["validate", "--id", EVIL],
        ["validate", "--record", f"file:{EVIL}"],
        ["status", "--record", EVIL],
        ["drill", "revoke", "--record", f"file:{EVIL}", "--plan"],
        ["drill", "restore", "--record", f"file:{EVIL}"],
        ["drill", "restore", "--record", "file:x", "--report", f"{EVIL}/x"],
        ["monitor", "test", "--kms-arn", EVIL, "--topic", EVIL],
        ["monitor", "test", "--kms-arn", KEY, "--topic", EVIL],
        ["evidence", "write", f"{EVIL}/x"],
        ["evidence", "write", "pack", "--sign", EVIL],
        ["evidence", "write", "pack", "--at", EVIL],
        ["evidence", "write", "pack", "--drill", EVIL],
        ["evidence", "verify", EVIL],
        ["evidence", "verify", "pack", "--fingerprint", EVIL],
        ["usage", EVIL],
        ["usage", "--lookup", "--since", EVIL],
        ["usage", "--athena", EVIL],
        ["drift", "--from-plan", EVIL],
        ["drift", "--from-terraform", EVIL],
        ["emulate", "--setting", EVIL],
        ["emulate", "--fault", EVIL],
        ["adopt", "--module-address", EVIL],
        ["register", f"--{EVIL}"],
        [EVIL],
    ],
    ids=range(31),
)
def test_no_verb_shows_its_words_raw(
    words: list[str], hostile: Hostile, capsys: pytest.CaptureFixture[str]
) -> None:
    """Guards against: a name from elsewhere that acts on the terminal of its user."""
    assert hostile
    for more in ([], ["--json"]):
        assert run(ekm, "ekm", [*words, *more]) in {1, 2, 3, 4, 5, 7}
        for text in capsys.readouterr():
            check(text)


def test_a_pack_with_hostile_names_is_shown_escaped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Guards against: a file of a pack whose name forges a line of its verification."""
    pack = tmp_path / "pack.zip"
    with zipfile.ZipFile(pack, "w") as archive:
        archive.writestr("manifest.json", json.dumps({"schema": EVIL, EVIL: EVIL}))
        for name in (EVIL, f"{EVIL}/../{EVIL}", EVIL.upper()):
            archive.writestr(name, EVIL)
    for more in ([], ["--json"]):
        assert run(ekm, "ekm", ["evidence", "verify", str(pack), *more]) == 1
        for text in capsys.readouterr():
            check(text)


def test_a_pack_of_a_hostile_set_up_is_told_escaped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guards against: a name in AWS or in a report that acts on the terminal, or in the files."""
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "")
    body = healthy()
    body["role"]["permission_policies"][0]["name"] = EVIL
    body["keys"][0]["policy"]["Statement"][0]["Sid"] = EVIL
    body["unseen"] = [{"path": "customer.organization", "reason": EVIL}]
    (tmp_path / "snapshot.json").write_text(json.dumps(body))
    named = ["--snapshot", str(tmp_path / "snapshot.json")]
    for place, more in (("a", []), ("b", ["--json"]), ("c", ["--redact"])):
        words = ["evidence", "write", str(tmp_path / place), *named, *more]
        assert run(ekm, "ekm", words) == 0
        for text in capsys.readouterr():
            check(text)
        for file in (tmp_path / place).rglob("*.json"):
            check(file.read_text(encoding="utf-8"))
