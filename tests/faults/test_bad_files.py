"""Files that decide, prove and diagnose read: broken, huge, deep; one error, exit 2, bounded."""

from __future__ import annotations

import copy
import json
import resource
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openai_ekm.cli.main import load_verb, run
from tests.support.healthy import healthy, put

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MAIN = "from openai_ekm.cli.main import main; main()"
MEMORY = 1 << 30  # bytes of address space; a snapshot of ordinary size needs a tenth
CASE = {
    "id": "1",
    "request": {
        "principal": "arn:aws:iam::111122223333:role/openai-ekm",
        "action": "kms:Encrypt",
        "resource": "arn:aws:kms:eu-west-1:111122223333:key/11111111-2222-3333-4444-555555555555",
    },
    "policies": {"identity": [{"Version": "2012-10-17", "Statement": []}]},
}
STATEMENT = {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*"}


def nested(depth: int) -> str:
    """Objects in each other."""
    return '{"a":' * depth + "1" + "}" * depth


def snapshot(**members: Any) -> bytes:
    """A healthy snapshot with other members."""
    return json.dumps({**healthy(), **members}).encode()


def many(count: int) -> bytes:
    """A snapshot whose identity policy has so many statements."""
    path = "role/permission_policies/0/document/Statement"
    return json.dumps(put(healthy(), path, [STATEMENT] * count)).encode()


# What no snapshot and no decision case is.
NEITHER: dict[str, bytes] = {
    "empty": b"",
    "white space": b" \n",
    "not JSON": b"{role: x}",
    "half": snapshot()[:-20],
    "two documents": b"{}{}",
    "a list": b"[]",
    "null": b"null",
    "a number": b"7",
    "NaN": b'{"registration": NaN}',
    "invalid UTF-8": b'{"registration": "\xff\xfe"}',
    "UTF-16": '{"registration": {}}'.encode("utf-16"),
    "NUL bytes": b"\x00" * 100,
    "deep objects": nested(100_000).encode(),
    "deep lists": b"[" * 200_000,
    "a huge number": b'{"registration": ' + b"9" * 10_000 + b"}",
    "an empty object": b"{}",
}
SNAPSHOTS: dict[str, bytes] = {
    "another schema": snapshot(schema="ekm-snapshot/2"),
    "registration of no form": snapshot(registration=[]),
    "role of no form": snapshot(role=7),
    "keys of no form": snapshot(keys={"arn": "x"}),
    "unknown member of the role": json.dumps(put(healthy(), "role/pollicy", 1)).encode(),
    "unknown member of a key": json.dumps(put(healthy(), "keys/0/policies", 1)).encode(),
    "tags of no form": json.dumps(put(healthy(), "role/tags", {"a": 1})).encode(),
    "reasons of no form": snapshot(unseen=[{"path": "scps"}]),
    "calls of no form": snapshot(calls={"mfa": "yes"}),
}
CASES: dict[str, bytes] = {
    "unknown member": json.dumps({**CASE, "polices": {}}).encode(),
    "no request": b'{"id": "1", "policies": {}}',
    "request of no form": json.dumps({**CASE, "request": []}).encode(),
    "policies of no form": json.dumps({**CASE, "policies": []}).encode(),
}


@pytest.fixture
def told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Callable[[str, bytes], tuple[int, str, str]]:
    """Run a verb on a file of these bytes: exit code, stdout, stderr."""

    def run_on(verb: str, content: bytes) -> tuple[int, str, str]:
        file = tmp_path / "given.json"
        file.write_bytes(content)
        words = [str(file)] if verb == "decide" else [str(file), "--json"]
        code = run(load_verb(verb), f"ekm {verb}", words)
        out, err = capsys.readouterr()
        return code, out, err

    return run_on


@pytest.mark.parametrize("verb", ["diagnose", "prove", "decide"])
def test_what_cannot_be_read_is_one_error(
    told: Callable[[str, bytes], tuple[int, str, str]], verb: str
) -> None:
    """Guards against: a broken file that ends in a traceback, or is judged as another."""
    more = CASES if verb == "decide" else SNAPSHOTS
    for name, content in {**NEITHER, **more}.items():
        if verb == "decide" and name in {"empty", "white space"}:
            continue  # no cases: nothing to decide
        code, out, err = told(verb, content)
        assert code == 2, (name, out, err)
        assert "Traceback" not in err, name
        if verb != "decide":
            error = json.loads(out)["error"]
            assert error["id"].startswith("snapshot_"), name
            assert error["remedy"], name
        else:
            assert err.count("error[") == 1, err


@pytest.mark.parametrize("verb", ["diagnose", "prove", "decide"])
def test_what_is_large_takes_bounded_memory_and_an_end(tmp_path: Path, verb: str) -> None:
    """Guards against: a large or deep document that exhausts the machine that judges it."""
    deep = json.dumps(put(healthy(), "role/trust_policy/Statement/0/Condition", "@"))
    files = {
        "statements": many(10_000),
        "deep": deep.replace('"@"', nested(900)).encode(),
        "deep text": snapshot(role={**healthy()["role"], "trust_policy": nested(900)}),
        "deeper text": snapshot(role={**healthy()["role"], "trust_policy": nested(50_000)}),
        "long": snapshot(caller="x" * 8_000_000),
    }
    if verb == "decide":
        body = {**CASE, "policies": {"identity": [{"Statement": [STATEMENT] * 10_000}]}}
        files = {"statements": json.dumps(body).encode(), "deep": json.dumps(CASE)
                 .replace("[]", nested(900)).encode()}  # fmt: skip
    for name, content in files.items():
        file = tmp_path / "given.json"
        file.write_bytes(content)
        done = subprocess.run(
            [sys.executable, "-c", MAIN, verb, str(file)],
            capture_output=True, text=True, timeout=600, check=False,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY)),
        )  # fmt: skip
        assert done.returncode in {0, 1, 2}, (name, done.stderr[-500:])
        assert "Traceback" not in done.stderr, (name, done.stderr[-500:])
        assert "MemoryError" not in done.stderr, name


WORDS = [
    None, True, 7, -1.5, "", "*", "x", "${aws:username}", "o-a", [], {}, [[]], [None], {"": {}},
    "arn:aws:iam::111122223333:root", "2012-10-17", "Deny", "\ud800", "\x00", "é" * 50,
    json.dumps({"Statement": [STATEMENT]}), json.loads(nested(120)), nested(900),
]  # fmt: skip


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every holder and name in JSON."""
    found: list[tuple[Any, Any]] = []
    names = list(value) if isinstance(value, dict) else range(len(value))
    for name in names:
        found.append((value, name))
        if isinstance(value[name], dict | list):
            found += places(value[name])
    return found


def spoilt(seed: list[tuple[int, int, int]]) -> bytes:
    """A healthy snapshot after some breakages: members replaced, taken away, repeated, added."""
    body = put(put(healthy(), "scps", [[{"Statement": [STATEMENT]}]]), "calls", {"mfa": True})
    for kind, at, word in seed:
        found = places(body)
        if not found:
            break
        holder, name = found[at % len(found)]
        value = copy.deepcopy(WORDS[word % len(WORDS)])
        if kind == 0:
            holder[name] = value
        elif kind == 1:
            del holder[name]
        elif isinstance(holder, list):
            holder.insert(name, value)
        else:
            holder[f"{name}x"] = holder.pop(name) if kind == 2 else value
    return json.dumps(body).encode()


BREAKAGES = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 10_000), st.integers(0, 100)), max_size=4
)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(BREAKAGES, st.integers(0), st.integers(0, 9), st.binary(max_size=6))
def test_whatever_is_broken_is_judged_or_refused(
    told: Callable[[str, bytes], tuple[int, str, str]],
    seed: list[tuple[int, int, int]], at: int, removed: int, put_in: bytes,
) -> None:  # fmt: skip
    """Guards against: a crash that leaves the reviewer of a pull request without an answer."""
    content = spoilt(seed)
    if put_in:
        at %= len(content)
        content = content[:at] + put_in + content[at + removed :]
    for verb in ("diagnose", "prove"):
        code, out, err = told(verb, content)
        assert code in {0, 1, 2}, (verb, err)
        assert "Traceback" not in err, (verb, err)
        assert ("error" in json.loads(out)) is (code == 2), (verb, out)
