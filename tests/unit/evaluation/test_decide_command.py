"""`ekm decide`: lines in, lines out, and one clear error for what is not a case."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result

from openai_ekm.cli.commands.policies import decide_command
from openai_ekm.cli.decide import LONGEST_LINE
from openai_ekm.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = "arn:aws:kms:eu-west-1:111122223333:key/1"
CASE: dict[str, Any] = {
    "id": "one",
    "request": {
        "principal": "arn:aws:sts::111122223333:assumed-role/r/s",
        "action": "kms:Encrypt",
        "resource": KEY,
        "context": {"aws:SecureTransport": True},
    },
    "policies": {
        "resource": {
            "Version": "2012-10-17",
            "Statement": {
                "Sid": "Use",
                "Effect": "Allow",
                "Principal": {"AWS": "arn:aws:iam::111122223333:role/r"},
                "Action": "kms:Encrypt",
                "Resource": "*",
            },
        }
    },
}


def _run(text: str | bytes, *words: str) -> Result:
    return CliRunner().invoke(decide_command, list(words) or ["-"], input=text)


def _changed(path: str, value: Any) -> str:
    case = json.loads(json.dumps(CASE))
    holder = case
    *steps, last = path.split("/")
    for step in steps:
        holder = holder[step]
    holder[last] = value
    return json.dumps(case)


def test_answers_each_case_on_a_line_of_its_own(tmp_path: Path) -> None:
    """An answer is missing, out of order, or not in the form that others read."""
    other = _changed("request/action", "kms:Decrypt").replace('"one"', '"two"')
    file = tmp_path / "cases.jsonl"
    file.write_text(f"{json.dumps(CASE)}\n\n{other}\n", encoding="utf-8")
    result = _run("", str(file))
    first, second = map(json.loads, result.stdout.splitlines())
    assert first == {
        "id": "one",
        "decision": "Allowed",
        "decided_by": [{"document": "resource", "statement": 0, "sid": "Use", "effect": "Allow"}],
        "missing": [],
    }
    assert (second["id"], second["decision"]) == ("two", "ImplicitlyDenied")
    assert second["missing"]


def test_a_malformed_document_is_an_answer() -> None:
    """A broken policy stops the run instead of being answered with error."""
    result = _run(_changed("policies/resource", {"Statement": []}))
    answer = json.loads(result.stdout)
    assert answer["decision"] == "error"
    assert "resource: Statement" in answer["message"]
    assert result.exit_code == 0


def test_a_repeated_element_of_a_policy_is_an_answer_too() -> None:
    """A member that stands twice in a policy is read as its last value."""
    text = json.dumps(CASE).replace('"Effect": "Allow"', '"Effect": "Deny", "Effect": "Allow"')
    assert "stands twice" in json.loads(_run(text).stdout)["message"]


@pytest.mark.parametrize(
    ("text", "id", "reason"),
    [
        ("{", "case_malformed", "not JSON"),
        (b"\xff", "case_malformed", "not UTF-8 at byte 0"),
        ("[" * 100_000, "case_malformed", "nested too deeply"),
        ("[]", "case_malformed", "case must be an object"),
        ("{}", "case_malformed", "id must be a string"),
        (_changed("id", 1), "case_malformed", "id must be a string"),
        (_changed("expected", 1), "case_malformed", "'expected' is not a member of case"),
        (_changed("request/who", 1), "case_malformed", "'who' is not a member of request"),
        (_changed("request/principal", None), "case_malformed", "request.principal"),
        (_changed("request/resource_account", 1), "case_malformed", "twelve digits"),
        (_changed("request/context", []), "case_malformed", "request.context"),
        (_changed("request/context", {"a": None}), "case_malformed", "request.context['a']"),
        (_changed("policies/trust", {}), "case_malformed", "'trust' is not a member of policies"),
        (_changed("policies/identity", {}), "case_malformed", "policies.identity must be a list"),
        (_changed("policies/scps", [{}]), "case_malformed", "one list a level"),
        (_changed("request", 1), "case_malformed", "request must be an object"),
        ('{"id": "1", "id": "2"}', "case_malformed", "case holds 'id' twice"),
    ],
)
def test_refuses_what_is_not_a_case(text: str | bytes, id: str, reason: str) -> None:
    """A typo in a case passes, or the error does not say which line and why."""
    good = json.dumps(CASE).encode() + b"\n"
    raw = text.encode() if isinstance(text, str) else text
    result = _run(good + raw)
    error = result.exception
    assert isinstance(error, BadInput)
    assert (error.id, error.exit_code) == (id, 2)
    assert "Line 2 of standard input" in error.message
    assert reason in error.message
    assert len(result.stdout.splitlines()) == 1


def test_refuses_a_line_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line of any length is read into memory."""
    monkeypatch.setattr("openai_ekm.cli.decide.LONGEST_LINE", 10)
    result = _run("x" * 11)
    assert isinstance(result.exception, BadInput)
    assert result.exception.id == "case_malformed"
    assert LONGEST_LINE > 32 * 1024


def test_refuses_a_file_that_is_not_there(tmp_path: Path) -> None:
    """A missing file ends in a traceback."""
    result = _run("", str(tmp_path / "none"))
    assert isinstance(result.exception, BadInput)
    assert result.exception.id == "cases_unreadable"


def test_exits_2_and_shows_no_traceback() -> None:
    """The error of a case is not rendered by the command line."""
    code = "from openai_ekm.cli.main import main; main(['decide', '-'])"
    done = subprocess.run(
        [sys.executable, "-c", code], input="{", capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "error[case_malformed]" in done.stderr
    assert "Traceback" not in done.stderr


def test_answers_while_it_reads() -> None:
    """The whole input is read before the first answer: no stream, no constant memory."""
    from openai_ekm.cli import decide  # noqa: PLC0415

    class Endless:
        """A stream that counts how many lines were asked for."""

        asked = 0

        def readline(self, _: int) -> bytes:
            self.asked += 1
            return b"{}\n"

    stream = Endless()
    lines: Iterator[tuple[int, str]] = decide._lines(stream, "-")  # type: ignore[arg-type]
    assert next(lines) == (1, "{}\n")
    assert stream.asked == 1


def test_a_byte_order_mark_is_no_part_of_the_first_line() -> None:
    """A file that Windows wrote is refused, or a mark inside the stream is passed over."""
    line = json.dumps(CASE)
    assert _run(b"\xef\xbb\xbf" + line.encode()).exit_code == 0
    second = _run(line.encode() + b"\n\xef\xbb\xbf" + line.encode())
    assert isinstance(second.exception, BadInput)


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_disk_is_told_as_that(unbuffered: str) -> None:
    """A disk without room passes for a defect of ours."""
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, "-c", "from openai_ekm.cli.main import main; main(['decide', '-'])"],
            input=json.dumps(CASE),
            text=True,
            stdout=full,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
            check=False,
        )
    assert ended.returncode == 2, ended.stderr
    assert "output_not_written" in ended.stderr
