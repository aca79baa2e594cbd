"""The registrar's verbs from words to exit code, with OpenAI in memory and AWS out of reach."""

from __future__ import annotations

import io
import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from openai_ekm.cli.main import load_verb, run
from tests.constants import ROLE, SECRET
from tests.doubles.openai import FAULTS, Fault, OpenAI, Wire

if TYPE_CHECKING:
    from openai_ekm.openai_api.transport import HttpRequest, HttpResponse

KMS = "arn:aws:kms:eu-west-1:111122223333:key/11111111-2222-3333-4444-555555555555"


class CommandLine:
    """Runs verbs and reads what they print."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.openai = OpenAI()
        self.faults: dict[int, Fault] = {}
        self._capsys = capsys

    def __call__(self, verb: str, *words: str) -> tuple[int, str, str]:
        """Exit code, stdout, stderr."""
        code = run(load_verb(verb), verb, list(words))
        out, err = self._capsys.readouterr()
        assert SECRET not in out + err
        assert "Traceback" not in err
        return code, out, err

    def json(self, verb: str, *words: str) -> tuple[int, dict[str, Any]]:
        """Exit code, and the one document on stdout."""
        code, out, _ = self(verb, *words, "--json")
        return code, json.loads(out)


@pytest.fixture
def command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> CommandLine:
    """A command_line in an empty folder, whose every call to AWS would fail."""
    made = CommandLine(capsys)
    monkeypatch.chdir(tmp_path)
    for name in ("EKM_PROJECTS", "EKM_WAIT_SECONDS", "EKM_ADMIN_KEY_FROM", "EKM_CONFIRM_ARCHIVE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {
        "EKM_ROLE_ARN": ROLE,
        "EKM_KMS_ARN": KMS,
        "EKM_EXTERNAL_ID": "org-abc123",
        "EKM_NAME": "prod",
        "EKM_RECORD": "file:record.json",
        "OPENAI_ADMIN_KEY": SECRET,
        "OPENAI_BASE_URL": "",
        "EKM_CALLS_PER_MINUTE": "0",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "AWS_ACCESS_KEY_ID": "111122223333",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_REGION": "eu-west-1",
        "AWS_MAX_ATTEMPTS": "1",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(
        "openai_ekm.openai_api.transport.RequestsTransport",
        lambda _url, _key, **_more: Wire(made.openai, made.faults),
    )
    return made


def poison_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make any command_line with AWS a failure of the test."""

    def never() -> None:
        raise AssertionError("AWS was called")

    monkeypatch.setattr("openai_ekm.aws_session.new_session", never)


def test_life_of_a_registration_with_a_file_never_calls_aws(
    command_line: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guards against: with a file record the registrar needs AWS credentials all the same."""
    poison_aws(monkeypatch)
    code, made = command_line.json("register", "--project", "prod")
    assert (code, made["result"], made["calls"]) == (0, "created", 4)
    assert made["external_key_id"] == "extkey_1"
    assert made["projects"] == [{"name": "prod", "id": "proj_2", "result": "created"}]
    record = json.loads(Path("record.json").read_text())
    assert record == made["record"]
    assert record["base_url"] == "https://api.openai.com/v1"
    code, again = command_line.json("register", "--project", "prod")
    assert (code, again["result"], again["calls"]) == (0, "unchanged", 2)
    assert command_line.json("validate") == (
        0,
        {"status": "success", "external_key_id": "extkey_1"},
    )
    code, status = command_line.json("status")
    assert (code, status["holds"], status["key"]) == (0, True, None)
    code, refusal = command_line.json("retire")
    assert (code, refusal["error"]["id"]) == (6, "active_projects")
    monkeypatch.setenv("EKM_CONFIRM_ARCHIVE", "extkey_1")
    code, retired = command_line.json("retire")
    assert (code, retired["result"], retired["record"]) == (0, "deleted", "retired")
    assert command_line.openai.keys == {}
    code, status = command_line.json("status")
    assert (code, status["record"]["state"]) == (0, "retired")


def test_destroy_of_terraform_retires_and_deletes_the_record(command_line: CommandLine) -> None:
    """Guards against: a registration or a record that `--retire --delete-record` leaves."""
    assert command_line("register")[0] == 0
    code, out, _ = command_line("register", "--retire", "--delete-record")
    assert code == 0
    assert "deleted" in out
    assert not Path("record.json").exists()
    assert command_line.openai.keys == {}
    assert command_line("register", "--retire", "--delete-record")[0] == 0


def test_text_says_what_was_made_and_what_is_next(command_line: CommandLine) -> None:
    """Guards against: a person who registers learns neither the ids nor the next step."""
    code, out, err = command_line("register", "--project", "prod")
    assert code == 0
    for words in ("extkey_1", "proj_2", ROLE, KMS, "file:record.json", "Next:"):
        assert words in out
    assert "Registering the key" in err
    _, out, _ = command_line("register")
    assert "Already registered" in out
    _, out, _ = command_line("status")
    assert "Nothing differs" in out
    _, out, _ = command_line("validate")
    assert "extkey_1" in out


def test_projects_come_from_the_environment_as_terraform_sets_them(
    command_line: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guards against: names with spaces are split, or an empty list is refused."""
    monkeypatch.setenv("EKM_PROJECTS", '["our prod", "test"]')
    _, made = command_line.json("register")
    assert [project["name"] for project in made["projects"]] == ["our prod", "test"]
    monkeypatch.setenv("EKM_PROJECTS", "[]")
    code, made = command_line.json("register")
    assert (code, made["projects"]) == (0, [])


def test_outputs_on_standard_input_are_enough(
    command_line: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guards against: after an apply everything has to be typed again."""
    outputs = {
        "role_arn": ROLE,
        "kms_arn": KMS,
        "external_id": "org-abc123",
        "name": "from-terraform",
        "record": "file:other.json",
        "projects": ["prod"],
    }
    for name in ("ROLE_ARN", "KMS_ARN", "EXTERNAL_ID", "NAME", "RECORD"):
        monkeypatch.setenv(f"EKM_{name}", "")
    text = json.dumps({"ekm": {"value": outputs, "sensitive": False}})
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    code, made = command_line.json("register", "--from-terraform", "-")
    assert (code, made["record_place"]) == (0, "file:other.json")
    assert made["record"]["name"] == "from-terraform"
    assert [project["name"] for project in made["projects"]] == ["prod"]
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    code, made = command_line.json(
        "register", "--from-terraform", "-", "--record", "file:third.json"
    )
    assert (made["result"], made["record_place"]) == ("adopted", "file:third.json")
    text = text.replace('["prod"]', "[]")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    code, handed = command_line.json("handoff", "--from-terraform", "-")
    assert (code, handed) == (0, {"role_arn": ROLE, "kms_arn": KMS})


@pytest.mark.parametrize(
    ("fault", "code", "id"),
    [
        ("scope_missing", 4, "openai_scope_missing"),
        ("feature_off", 4, "openai_feature_off"),
        ("wrong_host", 4, "openai_wrong_host"),
        ("redirect", 4, "openai_redirected"),
    ],
)
def test_refusals_of_openai_have_their_exit_code(
    command_line: CommandLine, fault: str, code: int, id: str
) -> None:
    """Guards against: a script cannot tell what went wrong."""
    command_line.faults = {0: FAULTS[fault]}
    found, answer = command_line.json("register")
    assert (found, answer["error"]["id"]) == (code, id)
    assert not Path("record.json").exists()


def test_status_that_differs_exits_with_one(command_line: CommandLine) -> None:
    """Guards against: a check in CI passes although the registration is gone."""
    command_line("register")
    command_line.openai.keys.clear()
    code, status = command_line.json("status")
    assert (code, status["holds"]) == (1, False)
    code, out, _ = command_line("status")
    assert code == 1
    assert "Differs:" in out


def test_registrars_with_different_records_are_told_by_status(command_line: CommandLine) -> None:
    """Guards against: two registrations of one intent, in two records, that nobody notices."""
    command_line("register", "--project", "prod")
    twin = {**command_line.openai.keys["extkey_1"], "id": "extkey_twin"}
    command_line.openai.keys["extkey_twin"] = twin
    code, status = command_line.json("status")
    assert code == 1
    [difference] = status["differences"]
    assert "extkey_twin (0 projects)" in difference
    assert "extkey_1" in difference


@pytest.mark.parametrize(
    ("refusal", "code", "state"),
    [
        (None, 0, "Enabled"),
        ("NotFoundException", 1, "NotFound"),
        ("AccessDeniedException", 0, None),
    ],
)
def test_key_state_is_shown_where_it_may_be_read(
    command_line: CommandLine,
    monkeypatch: pytest.MonkeyPatch,
    refusal: str | None,
    code: int,
    state: str | None,
) -> None:
    """Guards against: a missing permission that hides the rest, or a missing key that counts."""

    class Kms:
        def describe_key(self, **asked: str) -> dict[str, Any]:
            if refusal:
                raise ClientError({"Error": {"Code": refusal}}, "DescribeKey")
            return {"KeyMetadata": {"KeyState": "Enabled", "Arn": asked["KeyId"]}}

    monkeypatch.setattr("openai_ekm.aws_session.client", lambda *_args, **_kwargs: Kms())
    command_line("register")
    found, status = command_line.json("status", "--key-state")
    assert found == code
    assert (status["key"] and status["key"]["state"]) == state


def test_unreadable_record_exits_with_seven(command_line: CommandLine) -> None:
    """Guards against: a broken record counts as none, and the key is registered again."""
    Path("record.json").write_text("{")
    for verb in ("register", "retire", "validate", "status"):
        code, answer = command_line.json(verb)
        assert (code, answer["error"]["id"]) == (7, "record_unreadable")
    assert command_line.openai.log == []


def test_validate_by_id_needs_no_record(
    command_line: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guards against: a registration made by other means cannot be validated."""
    command_line("register")
    monkeypatch.setenv("EKM_RECORD", "")
    assert command_line.json("validate", "--id", "extkey_1")[0] == 0
    code, answer = command_line.json("validate", "--id", "extkey_9")
    assert (code, answer["error"]["id"]) == (4, "openai_gone")


def test_ssm_record_without_aws_is_not_reachable(
    command_line: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guards against: a traceback, or no record, when an AWS endpoint is down."""
    monkeypatch.setattr("openai_ekm.aws_session.ATTEMPTS", 1)
    code, answer = command_line.json("register", "--record", "ssm:/openai-ekm/prod")
    assert (code, answer["error"]["id"]) == (5, "aws_not_reachable")
    assert command_line.openai.log == []


def test_ssm_record_without_credentials_is_bad_input(
    command_line: CommandLine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Guards against: missing AWS credentials end in a traceback."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "no"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "no"))
    code, answer = command_line.json("register", "--record", "ssm:/openai-ekm/prod")
    assert (code, answer["error"]["id"]) == (2, "aws_credentials_missing")
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    code, answer = command_line.json("register", "--record", "ssm:/openai-ekm/prod")
    assert (code, answer["error"]["id"]) == (2, "aws_configuration")


@pytest.mark.parametrize("verb", ["register", "diagnose"])
def test_credential_program_that_is_missing_is_bad_input(
    verb: str, command_line: CommandLine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Guards against: a `credential_process` that is not installed ends as a defect of ours."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    config = tmp_path / "config"
    config.write_text(f"[default]\ncredential_process = {tmp_path}/none\n", encoding="utf-8")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "no"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    record = ["--record", "ssm:/openai-ekm/prod"] if verb == "register" else []
    code, answer = command_line.json(verb, *record)
    assert (code, answer["error"]["id"]) == (2, "aws_configuration")
    assert f"{tmp_path}/none" in answer["error"]["message"]


def test_debug_log_hides_the_key(
    command_line: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guards against: EKM_DEBUG=1 prints the admin key into a CI log."""
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    monkeypatch.setattr(root, "level", logging.WARNING)
    monkeypatch.setenv("EKM_DEBUG", "1")
    send = Wire.send

    def logged(wire: Wire, request: HttpRequest) -> HttpResponse:
        logging.getLogger("urllib3.connectionpool").debug("Authorization: Bearer %s", SECRET)
        return send(wire, request)

    monkeypatch.setattr(Wire, "send", logged)
    code, _, err = command_line("register")
    assert code == 0
    assert "Authorization: Bearer [admin key hidden]" in err


def test_a_plan_of_a_retire_says_in_words_what_is_lost_and_changes_nothing(
    command_line: CommandLine,
) -> None:
    """Guards against: a plan of a retire that says too little, or that retires."""
    assert command_line("register", "--project", "prod")[0] == 0
    record = Path("record.json").read_text()
    code, out, _ = command_line("retire", "--plan")
    assert code == 6
    for words in ("nothing was changed", "refused", "prod (proj_2)", "Irreversible", "extkey_1"):
        assert words in out
    code, plan = command_line.json(
        "retire", "--plan", "--delete-record", "--confirm-archive", "extkey_1"
    )
    assert (code, plan["refusal"], plan["external_key_id"]) == (0, None, "extkey_1")
    assert [step["step"] for step in plan["steps"]] == [
        "archive_project",
        "delete_registration",
        "mark_record",
        "delete_record",
    ]
    assert Path("record.json").read_text() == record
    assert command_line.openai.keys.keys() == {"extkey_1"}
    assert command_line.openai.active("prod") == ["proj_2"]


def test_adopting_asks_for_an_address_and_for_something_that_is_there(
    command_line: CommandLine,
) -> None:
    """Guards against: a mistyped address in the imports, or a mistyped name that is registered."""
    for address in ("ekm", 'module.ekm["a', "module.ekm.aws_kms_key.this"):
        code, said = command_line.json("adopt", "--module-address", address)
        assert (code, said["error"]["id"]) == (2, "module_address_malformed")
    code, said = command_line.json("adopt", "--name", "other")
    assert (code, said["error"]["id"]) == (6, "nothing_to_adopt")
    assert command_line.openai.keys == {}
    assert not Path("record.json").exists()
