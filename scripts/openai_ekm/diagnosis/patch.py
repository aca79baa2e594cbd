"""Snapshots as JSON to which a patch applies: documents kept as text become objects first."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from openai_ekm.json_reader import is_too_deep
from openai_ekm.policy.json_text import loads
from openai_ekm.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from openai_ekm.diagnosis.result import Change, Step

__all__ = ["apply", "apply_to", "at", "document_pointer", "opened"]


def opened(snapshot: Snapshot) -> dict[str, Any]:
    """Return a snapshot's JSON in which every document that is JSON text stands as its object.

    Args:
        snapshot: What was collected.
    """
    body: dict[str, Any] = _copy(snapshot.as_json())
    for pointer in _documents(body):
        holder, last = at(body, pointer[:-1]), pointer[-1]
        if isinstance(holder[last], str):
            try:
                read = loads(holder[last])
            except ValueError:
                continue  # broken text is a finding, and stays as it is
            if isinstance(read, dict) and not is_too_deep(read):
                holder[last] = read
    return body


def _copy(value: Any) -> Any:
    """Return a copy of JSON in which no two parts are one object, so that changes stay apart."""
    if isinstance(value, dict):
        return {name: _copy(each) for name, each in value.items()}
    return [_copy(each) for each in value] if isinstance(value, list | tuple) else value


def apply(snapshot: Snapshot, changes: Iterable[Change]) -> Snapshot:
    """Return the snapshot after some changes.

    Args:
        snapshot: What was collected.
        changes: Steps, each supposing those before it.
    """
    body = opened(snapshot)
    for change in changes:
        apply_to(body, change)
    return Snapshot.from_json(body, strict=False)


def at(body: Any, pointer: Iterable[Step]) -> Any:
    """Return what stands at a pointer."""
    for step in pointer:
        body = body[step]
    return body


def document_pointer(path: str) -> tuple[Step, ...]:
    """Return where a document of a snapshot path stands in its JSON.

    Args:
        path: Such as `trust_policy`, `permission_policies[0]`, `keys[0].policy`, `scps[0][1]`.
    """
    steps: list[Step] = []
    for part in path.split("."):
        name, *indices = part.replace("]", "").split("[")
        steps += [name, *map(int, indices)]
    if steps[0] in {"trust_policy", "permissions_boundary"}:
        return ("role", *steps)
    if steps[0] == "permission_policies":
        return ("role", *steps, "document")
    return tuple(steps)


def apply_to(body: Any, change: Change) -> None:
    """Carry out one step on JSON, in place."""
    *steps, last = change.path
    holder = at(body, steps)
    if change.op == "remove":
        del holder[last]
    elif change.op == "add" and isinstance(holder, list):
        place = len(holder) if last == "-" else int(last)
        holder.insert(place, copy.deepcopy(change.value))
    else:
        holder[last] = copy.deepcopy(change.value)


def _documents(body: dict[str, Any]) -> Iterator[tuple[Step, ...]]:  # noqa: C901 - one branch for each kind of document
    role = body.get("role")
    if isinstance(role, dict):
        for name in ("trust_policy", "permissions_boundary"):
            if name in role:
                yield "role", name
        for index, _ in enumerate(role.get("permission_policies", ())):
            yield "role", "permission_policies", index, "document"
    for index, key in enumerate(body.get("keys", ())):
        if "policy" in key:
            yield "keys", index, "policy"
    for name in ("scps", "rcps"):
        for level, documents in enumerate(body.get(name, ())):
            if isinstance(documents, list):
                for index, _ in enumerate(documents):
                    yield name, level, index
