"""`ekm register` of a fleet: what it says before, what it does, how it ends."""

from __future__ import annotations

import io
import json
import re
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from openai_ekm.cli import main
from tests.doubles.openai import BARE_SCOPE, OpenAI, Wire, refused

if TYPE_CHECKING:
    from openai_ekm.openai_api.transport import HttpRequest, HttpResponse

KEY = "arn:aws:kms:eu-west-1:111122223333:key/{:08d}-2222-3333-4444-555555555555"
ROLE = "arn:aws:iam::111122223333:role/openai-ekm-{}"


class Service:
    """OpenAI, which can be told to refuse a name."""

    def __init__(self) -> None:
        self.openai = OpenAI()
        self.refuse: set[object] = set()
        self.scope_missing = False
        self.creates = 0
        self._lock = threading.Lock()

    def send(self, request: HttpRequest) -> HttpResponse:
        """Answer, or refuse; one call after the other."""
        with self._lock:
            return self._answer(request)

    def _answer(self, request: HttpRequest) -> HttpResponse:
        name = (request.body or {}).get("name")
        if request.method == "POST" and request.path == "/organization/external_keys":
            self.creates += 1
            if self.scope_missing:
                return BARE_SCOPE
            if name in self.refuse:
                return refused(403, "You may not.")
        return Wire(self.openai).send(request)


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Service:
    """OpenAI in memory, and an empty folder; any call to AWS would fail."""
    made = Service()
    monkeypatch.chdir(tmp_path)
    for name in ("EKM_PROJECTS", "EKM_WAIT_SECONDS", "EKM_ADMIN_KEY_FROM", "EKM_RECORD"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {
        "OPENAI_ADMIN_KEY": "sk-admin-fleet-0123456789",
        "OPENAI_BASE_URL": "",
        "EKM_CALLS_PER_MINUTE": "0",
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "NO_COLOR": "1",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(
        "openai_ekm.openai_api.transport.RequestsTransport", lambda _url, _key, **_: made
    )
    return made


def manifest(count: int = 5) -> dict[str, Any]:
    """A fleet file's content."""
    return {
        "schema": "ekm-fleet/1",
        "defaults": {
            "external_id": "org-abc123",
            "projects": ["chat"],
            "record": "file:{name}.json",
        },
        "entries": [
            {"name": f"key-{index}", "role_arn": ROLE.format(index), "kms_arn": KEY.format(index)}
            for index in range(count)
        ],
    }


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Exit code, stdout, stderr."""
    code = main.run(main.ekm, "ekm", ["register", *words])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


YAML = """\
schema: ekm-fleet/1
defaults: {external_id: org-abc123, record: "file:{name}.json"}
entries:
  - name: payments   # a comment
    role_arn: arn:aws:iam::111122223333:role/openai-ekm-1
    kms_arn: arn:aws:kms:eu-west-1:111122223333:key/00000001-2222-3333-4444-555555555555
    projects: [payments, reports]
"""


def test_a_yaml_manifest_is_registered(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    """Guards against: the form that the manual shows cannot be read."""
    Path("fleet.yaml").write_text(YAML)
    code, out, err = run(capsys, "--manifest", "fleet.yaml", "--json")
    assert code == 0, err
    entry = json.loads(out)["entries"][0]
    assert (entry["name"], entry["result"]) == ("payments", "created")
    assert [project["name"] for project in entry["projects"]] == ["payments", "reports"]


def test_a_fleet_costs_one_list_and_three_calls_an_entry(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    """Guards against: entries that list for themselves and exceed the announced budget."""
    Path("fleet.json").write_text(json.dumps(manifest()))
    code, out, _ = run(capsys, "--manifest", "fleet.json", "--plan", "--json")
    planned = json.loads(out)
    assert (code, planned["registers"], planned["total"]) == (0, 5, 16)
    assert service.openai.log == []
    code, out, err = run(capsys, "--manifest", "fleet.json", "--json")
    result = json.loads(out)
    assert code == 0, err
    assert (result["done"], result["failed"], result["calls"]) == (5, 0, 16)
    assert len(service.openai.log) == 16
    assert "5 to register" in err
    assert len(re.findall(r"^\[\d/5\] key-\d: created extkey_\d+$", err, re.MULTILINE)) == 5

    code, out, _ = run(capsys, "--manifest", "fleet.json", "--json")
    again = json.loads(out)
    assert (code, again["calls"]) == (0, 10)
    assert {entry["result"] for entry in again["entries"]} == {"unchanged"}
    assert len(service.openai.keys) == 5


def test_one_that_fails_fails_alone_and_the_next_run_does_the_rest(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    """Guards against: one refusal ends the fleet, or the exit code says that all is well."""
    Path("fleet.json").write_text(json.dumps(manifest()))
    service.refuse = {"key-1", "key-3"}
    code, out, err = run(capsys, "--manifest", "fleet.json")
    assert code == 1
    assert out.splitlines()[0].startswith("3 registered, 2 failed, 0 not begun")
    assert len(re.findall(r"^  key-[13]: error\[", out, re.MULTILINE)) == 2
    assert "Traceback" not in err
    service.refuse = set()
    code, out, _ = run(capsys, "--manifest", "fleet.json", "--json")
    assert code == 0
    assert sorted(entry["result"] for entry in json.loads(out)["entries"]) == [
        "created",
        "created",
        "unchanged",
        "unchanged",
        "unchanged",
    ]
    assert len(service.openai.keys) == 5


def test_what_is_registered_already_is_adopted_without_another_list(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    """Guards against: a second registration, or a list for each entry, after lost records."""
    Path("fleet.json").write_text(json.dumps(manifest()))
    assert run(capsys, "--manifest", "fleet.json")[0] == 0
    for record in Path().glob("key-*.json"):
        record.unlink()
    service.openai.log.clear()
    code, out, _ = run(capsys, "--manifest", "fleet.json", "--json")
    assert code == 0
    assert {entry["result"] for entry in json.loads(out)["entries"]} == {"adopted"}
    assert service.openai.log.count("GET /organization/external_keys") == 1
    assert len(service.openai.keys) == 5
    assert len(service.openai.projects) == 5


def test_terraforms_map_of_module_outputs_is_a_fleet(
    service: Service, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guards against: `for_each` over the module cannot be registered after its apply."""
    value = {
        name: {
            "name": f"openai-ekm-{name}",
            "role_arn": ROLE.format(index),
            "kms_arn": KEY.format(index),
            "external_id": "org-abc123",
            "record": f"file:{name}.json",
            "projects": [name],
            "key_policy_json": "{}",
        }
        for index, name in enumerate(("red", "green"))
    }
    text = json.dumps({"ekm": {"sensitive": False, "type": "object", "value": value}})
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    code, out, err = run(capsys, "--from-terraform", "-", "--project", "shared", "--json")
    assert code == 0, err
    made = json.loads(out)["entries"]
    assert [entry["name"] for entry in made] == ["openai-ekm-red", "openai-ekm-green"]
    assert [project["name"] for project in made[0]["projects"]] == ["red", "shared"]


def test_a_fleet_beside_a_verb_for_one_says_how_to_name_one(
    service: Service, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guards against: an `ekm status` that calls outputs missing although each key has them."""
    text = json.dumps({"ekm": {"value": {"red": {"role_arn": ROLE.format(1)}}}})
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    code = main.run(main.ekm, "ekm", ["status", "--from-terraform", "-", "--json"])
    error = json.loads(capsys.readouterr().out)["error"]
    assert (code, error["id"]) == (2, "terraform_outputs_fleet")
    assert "red" in error["message"]


def test_what_no_entry_can_succeed_with_ends_the_fleet(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    """Guards against: an admin key that may only read is refused 1,000 times, for two hours."""
    Path("fleet.json").write_text(json.dumps(manifest(50)))
    service.scope_missing = True
    code, out, _ = run(capsys, "--manifest", "fleet.json", "--concurrency", "2", "--json")
    result = json.loads(out)
    assert (code, result["interrupted"], result["done"]) == (1, False, 0)
    assert service.creates <= 4
    assert result["not_begun"] >= 46
    assert {entry["error"]["id"] for entry in result["entries"]} <= {
        "openai_scope_missing",
        "fleet_stopped",
    }


BROKEN: dict[str, tuple[Any, str, str]] = {
    "schema": ({"schema": "ekm-fleet/2"}, "fleet_malformed", "ekm-fleet/1"),
    "no_entries": ({"entries": []}, "fleet_malformed", "at least one"),
    "top_member": ({"entrys": []}, "fleet_malformed", "did you mean entries"),
    "unknown_member": ({"+": {"kms_arm": "x"}}, "fleet_malformed", "did you mean kms_arn"),
    "role": ({"+": {"role_arn": "nope"}}, "fleet_malformed", "entries[1] (key-1): role_arn"),
    "missing": ({"-": "kms_arn"}, "fleet_malformed", "entries[1] (key-1) has no kms_arn"),
    "no_text": ({"+": {"external_id": 7}}, "fleet_malformed", "external_id 7"),
    "projects": ({"+": {"projects": "chat"}}, "fleet_malformed", "no list of names"),
    "record": ({"+": {"record": "s3:x"}}, "fleet_malformed", "s3:x"),
    "same_name": ({"+": {"name": "key-0"}}, "fleet_duplicate", "the same name as entries[0]"),
    "same_record": ({"+": {"record": "file:key-0.json"}}, "fleet_duplicate", "same record"),
    "same_key": (
        {"+": {"role_arn": ROLE.format(0), "kms_arn": KEY.format(0)}},
        "fleet_duplicate",
        "same role, key and external id as entries[0] (key-0)",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_manifest_that_is_wrong_is_refused_by_entry_and_member(
    service: Service, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """Guards against: a wrong entry among 1,000 that is not named, or found half-way."""
    change, expected, words = BROKEN[name]
    value = manifest()
    entry = value["entries"][1]
    entry.update(change.pop("+", {}) if "+" in change else {})
    if "-" in change:
        del entry[change["-"]]
    value.update({member: new for member, new in change.items() if member not in {"+", "-"}})
    Path("fleet.json").write_text(json.dumps(value))
    code, out, _ = run(capsys, "--manifest", "fleet.json", "--json")
    error = json.loads(out)["error"]
    assert (code, error["id"]) == (2, expected)
    assert words in error["message"]
    assert service.openai.log == []


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "entries: [",
        "a: 1\na: 2\n",
        '{"a": 1, "a": 2}',
        "!!python/object/apply:os.system [ls]",
        "? [1]\n: 2\n",
        '{"a":' * 100_000,
        "\x00",
        "schema: ekm-fleet/1\nentries: &all\n  - *all\n",
        "a: 1\n---\nb: 2\n",
    ],
)
def test_a_manifest_that_is_no_yaml_is_refused(
    service: Service, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    """Guards against: a slip in the file ends in a traceback, or the last of two keys wins."""
    Path("fleet.yaml").write_text(text)
    code, out, _ = run(capsys, "--manifest", "fleet.yaml", "--json")
    assert (code, json.loads(out)["error"]["id"]) in {
        (2, "fleet_unreadable"),
        (2, "fleet_malformed"),
    }
    assert service.openai.log == []


def test_a_value_of_any_size_is_shown_in_a_few_words(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    """Guards against: a manifest of aliases of aliases that fills the memory."""
    lines = [f"&a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    name = f"[&a0 [x], {', '.join(lines)}]"
    for text in (
        f"schema: {name}",
        f"schema: ekm-fleet/1\nentries:\n  - name: {name}\n",
        YAML.replace("[payments, reports]", f"[{name}]"),
    ):
        Path("fleet.yaml").write_text(text)
        code, out, _ = run(capsys, "--manifest", "fleet.yaml", "--json")
        assert code == 2
        assert "[...]" in out
        assert len(out) < 2000
    assert service.openai.log == []


def test_a_merge_key_says_where_to_put_what_is_shared(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    """Guards against: YAML's own way to share members is refused in words that help nobody."""
    Path("fleet.yaml").write_text("schema: ekm-fleet/1\nentries:\n  - &a {name: x}\n  - <<: *a\n")
    code, out, _ = run(capsys, "--manifest", "fleet.yaml", "--json")
    error = json.loads(out)["error"]
    assert (code, error["id"]) == (2, "fleet_unreadable")
    assert "goes into defaults (line 4)" in error["message"]
    assert service.openai.log == []


def test_a_manifest_in_another_encoding_is_refused(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    """Guards against: bytes that are no text end in a traceback."""
    for data in ("name: café".encode("latin-1"), "name: a".encode("utf-16")[:-1]):
        Path("fleet.yaml").write_bytes(data)
        code, out, _ = run(capsys, "--manifest", "fleet.yaml", "--json")
        assert (code, json.loads(out)["error"]["id"]) == (2, "fleet_unreadable")
    assert service.openai.log == []


def test_a_member_given_twice_is_refused_with_its_line(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    """Guards against: the last of two YAML keys winning, so that another key is registered."""
    line = YAML.splitlines()[5]
    Path("fleet.yaml").write_text(f"{YAML}{line}\n")
    code, out, _ = run(capsys, "--manifest", "fleet.yaml", "--json")
    error = json.loads(out)["error"]
    assert (code, error["id"]) == (2, "fleet_unreadable")
    assert "'kms_arn' is there twice (line 8)" in error["message"]


def test_options_of_one_registration_mean_nothing_beside_a_fleet(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    """Guards against: `--name` beside a manifest names all of them, or none."""
    Path("fleet.json").write_text(json.dumps(manifest()))
    for words in (
        ["--manifest", "fleet.json", "--name", "x"],
        ["--manifest", "fleet.json", "--retire"],
        ["--plan", "--record", "file:x.json"],
        ["--concurrency", "3", "--record", "file:x.json"],
    ):
        code, out, _ = run(capsys, *words, "--json")
        assert (code, json.loads(out)["error"]["id"]) == (2, "option_useless"), words
    assert service.openai.log == []
