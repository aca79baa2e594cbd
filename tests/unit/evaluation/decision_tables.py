"""Reads the decision tables of tests/cases; anything it does not know is an error.

A table holds groups. A group has a base case (`request`, `policies`); each of its cases is the
base with members set or removed by JSON pointer, and says what must come out. Every allowing
case must have a denying twin in its group, one change away.
"""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openai_ekm.policy.json_text import RepeatedMember, loads

TABLES = Path(__file__).resolve().parents[2] / "cases"
TABLE = {"about", "source", "groups"}
GROUP = {"request", "policies", "cases"}
CASE = {"name", "set", "remove", "decision", "decided_by", "missing", "message"}
DECISIONS = {"Allowed", "ExplicitlyDenied", "ImplicitlyDenied", "error"}


@dataclass(frozen=True)
class Row:
    """One case of a table, ready to be decided.

    Args:
        name: Table and sentence.
        case: `id`, `request`, `policies`.
        decision: What must come out.
        decided_by: `document#statement` of each deciding statement, in any order.
        missing: Texts, each of which must stand in some sentence of `missing`.
        message: Text that must stand in the message; None when there must be no message.
    """

    name: str
    case: dict[str, Any]
    decision: str
    decided_by: tuple[str, ...]
    missing: tuple[str, ...]
    message: str | None


def rows() -> list[Row]:
    """Every case of every table."""
    found = [row for path in sorted(TABLES.glob("*.json")) for row in _table(path)]
    names = [row.name for row in found]
    assert len(names) == len(set(names)), "two cases share a name"
    return found


def _table(path: Path) -> list[Row]:
    table = loads(path.read_text(encoding="utf-8"))
    _known(table, TABLE, path.name)
    found: list[Row] = []
    for group in table["groups"]:
        _known(group, GROUP, path.name)
        found += _group(group, path.stem)
    return found


def _group(group: dict[str, Any], table: str) -> list[Row]:
    changes: list[tuple[str, frozenset[str]]] = []
    found: list[Row] = []
    for case in group["cases"]:
        _known(case, CASE, f"{table}: {case.get('name')}")
        assert case["decision"] in DECISIONS, case["name"]
        body = copy.deepcopy({"request": group["request"], "policies": group["policies"]})
        for pointer, value in case.get("set", {}).items():
            _set(body, pointer, copy.deepcopy(value), case["name"])
        for pointer in case.get("remove", []):
            _remove(body, pointer, case["name"])
        made = {json.dumps(each) for each in case.get("set", {}).items()}
        changes.append((case["decision"], frozenset(made | set(case.get("remove", [])))))
        found.append(
            Row(
                name=f"{table}: {case['name']}",
                case={"id": case["name"], **body},
                decision=case["decision"],
                decided_by=tuple(case.get("decided_by", [])),
                missing=tuple(case.get("missing", [])),
                message=case.get("message"),
            )
        )
    for row, (decision, ours) in zip(found, changes, strict=True):
        if decision == "Allowed":
            assert any(
                other != "Allowed" and len(_pointers(ours ^ theirs)) == 1
                for other, theirs in changes
            ), f"{row.name}: no denying twin one change away"
    return found


def _pointers(operations: frozenset[str]) -> set[str]:
    """Where two cases differ: a member set to two different values is one difference."""
    return {json.loads(each)[0] if each.startswith("[") else each for each in operations}


def _known(value: dict[str, Any], known: set[str], where: str) -> None:
    assert not isinstance(value, RepeatedMember), f"{where}: a member stands twice"
    assert set(value) <= known, f"{where}: unknown {set(value) - known}"


def _walk(body: Any, pointer: str) -> tuple[Any, Any]:
    steps = [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]
    for step in steps[:-1]:
        body = body[int(step)] if isinstance(body, list) else body[step]
    last = steps[-1]
    return body, int(last) if isinstance(body, list) and last != "-" else last


def _set(body: Any, pointer: str, value: Any, name: str) -> None:
    holder, last = _walk(body, pointer)
    if isinstance(holder, list) and last == "-":
        holder.append(value)
        return
    same = isinstance(holder, dict) and last in holder and holder[last] == value
    assert not same, f"{name}: {pointer} is already {value!r}"
    holder[last] = value


def _remove(body: Any, pointer: str, name: str) -> None:
    holder, last = _walk(body, pointer)
    assert isinstance(holder, list) or last in holder, f"{name}: nothing at {pointer}"
    del holder[last]
