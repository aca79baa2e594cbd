"""A snapshot as JSON: shapes are checked, values are left for judgement."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

from openai_ekm.errors import BadInput
from openai_ekm.policy.arn import is_account
from openai_ekm.snapshot.members import (
    UNSEEN,
    Alias,
    Calls,
    Customer,
    Key,
    NamedPolicy,
    Registration,
    Role,
)

__all__ = ["members", "snapshot_members"]

T = TypeVar("T")
Reader = Callable[[Any, str], Any]


def snapshot_members(source: Any, *, schema: str, strict: bool) -> dict[str, Any]:
    """Return the constructor arguments of `Snapshot` for a JSON object.

    Args:
        source: The JSON value.
        schema: The one schema that is read; a snapshot that names none is taken for it.
        strict: Refuse unknown members inside policy entries, keys and the role.

    Returns:
        Member name to value.

    Raises:
        BadInput: `snapshot_schema`, `snapshot_shape`, `snapshot_unknown_member` or
            `snapshot_duplicate`.
    """
    body = _object(source, "the snapshot")
    found = body.get("schema", schema)
    if found != schema:
        raise BadInput(
            "snapshot_schema",
            f"The snapshot has schema {found!r}; this version reads {schema!r}.",
            at_fault="schema",
            remedy="Collect it anew with this version, or read it with the version that made it.",
        )
    if "registration" not in body:
        raise _shape("registration", "an object", None)
    readers: dict[str, Reader] = {
        "registration": _registration,
        "role": lambda value, path: None if value is None else _role(value, path, strict=strict),
        "keys": _list_of(lambda value, path: _key(value, path, strict=strict)),
        "aliases": _list_of(_alias),
        "grants": _list_of(_object),
        "scps": _list_of(_as_read),
        "rcps": _list_of(_as_read),
        "customer": _customer,
        "administrators": _optional(_list_of(_text)),
        "caller": _optional(_text),
        "calls": lambda value, path: Calls() if value is None else _calls(value, path),
        "unknown_account": _optional(_account),
    }
    known = {name: readers[name](body[name], name) for name in readers if name in body}
    _refuse_twice(known)
    own = {*readers, "schema", "unseen"}
    extra = {name: body[name] for name in body if name not in own}
    return {**known, "reasons": _reasons(body.get("unseen", [])), "extra": extra}


def _refuse_twice(known: Mapping[str, Any]) -> None:
    """Refuse a key or an alias that is there twice: which of the two is in force?"""
    for member in ("keys", "aliases"):
        met: dict[str, int] = {}
        for index, each in enumerate(known.get(member, ())):
            first = met.setdefault(each.arn, index)
            if first != index:
                raise BadInput(
                    "snapshot_duplicate",
                    f"The snapshot has {each.arn} twice, at {member}[{first}] and "
                    f"{member}[{index}].",
                    at_fault=f"{member}[{index}]",
                    remedy="Take out the one that is not in force.",
                )


def _reasons(source: Any) -> dict[str, str]:
    """Return why members were not collected: an object with `path` and `reason` for each."""
    found: dict[str, str] = {}
    for index, each in enumerate(_list_of(_object)(source, "unseen")):
        place = f"unseen[{index}]"
        required: dict[str, Reader] = {"path": _text, "reason": _text}
        told = _read(each, place, required, {}, strict=False)
        found[told["path"]] = told["reason"]
    return found


def _registration(source: Any, path: str) -> Registration:
    required: dict[str, Reader] = {"role_arn": _text, "kms_arn": _text, "external_id": _text}
    optional: dict[str, Reader] = {"external_ids": _optional(_list_of(_text))}
    return Registration(**_read(source, path, required, optional, strict=False))


def _role(source: Any, path: str, *, strict: bool) -> Role:
    optional: dict[str, Reader] = {
        "trust_policy": _as_read,
        "permission_policies": _list_of(lambda value, place: _policy(value, place, strict=strict)),
        "permissions_boundary": _as_read,
        "permissions_boundary_arn": _text,
        "max_session_duration": _integer,
        "tags": _pairs,
    }
    return Role(**_read(source, path, {"arn": _text}, optional, strict=strict))


def _policy(source: Any, path: str, *, strict: bool) -> NamedPolicy:
    required: dict[str, Reader] = {"name": _text, "document": _as_read}
    optional: dict[str, Reader] = {"type": _policy_type, "arn": _text}
    return NamedPolicy(**_read(source, path, required, optional, strict=strict))


def _key(source: Any, path: str, *, strict: bool) -> Key:
    optional: dict[str, Reader] = {
        "state": _text,
        "spec": _text,
        "usage": _text,
        "origin": _text,
        "multi_region": _optional(_text),
        "policy": _as_read,
        "tags": _pairs,
        "related": _list_of(_text),
    }
    return Key(**_read(source, path, {"arn": _text}, optional, strict=strict))


def _alias(source: Any, path: str) -> Alias:
    return Alias(**_read(source, path, {"arn": _text, "target": _text}, {}, strict=False))


def _customer(source: Any, path: str) -> Customer:
    optional: dict[str, Reader] = {"account": _text, "organization": _optional(_text)}
    return Customer(**_read(source, path, {}, optional, strict=False))


def _calls(source: Any, path: str) -> Calls:
    optional: dict[str, Reader] = {
        "source_ip": _optional(_text),
        "vpc_endpoint": _optional(_text),
        "via_service": _optional(_text),
        "mfa": _optional(_boolean),
        "encryption_context": _pairs,
        "openai_organization": _optional(_text),
        "time": _optional(_text),
    }
    return Calls(**_read(source, path, {}, optional, strict=False))


def _read(
    source: Any,
    path: str,
    required: Mapping[str, Reader],
    optional: Mapping[str, Reader],
    *,
    strict: bool,
) -> dict[str, Any]:
    """Read an object's members by name; unknown ones go to `extra`, or are refused."""
    body = _object(source, path)
    missing = [name for name in required if name not in body]
    if missing:
        raise BadInput(
            "snapshot_shape",
            f"The snapshot's {path} lacks {missing[0]!r}.",
            at_fault=f"{path}.{missing[0]}",
            remedy="Collect the snapshot anew, or add the member.",
        )
    readers = {**required, **optional}
    unknown = [name for name in body if name not in readers]
    if strict and unknown:
        raise BadInput(
            "snapshot_unknown_member",
            f"The snapshot's {path} has the member {unknown[0]!r}, which this version does not "
            "know and which could change a judgement.",
            at_fault=f"{path}.{unknown[0]}",
            remedy=f"Remove it, or correct its name; known: {', '.join(readers)}.",
        )
    known = {name: readers[name](body[name], f"{path}.{name}") for name in readers if name in body}
    return {**known, "extra": {name: body[name] for name in unknown}}


def _list_of(read: Callable[[Any, str], T]) -> Callable[[Any, str], tuple[T, ...]]:
    def read_list(value: Any, path: str) -> tuple[T, ...]:
        if not isinstance(value, list | tuple):
            raise _shape(path, "a list", value)
        return tuple(read(item, f"{path}[{index}]") for index, item in enumerate(value))

    return read_list


def _optional(read: Reader) -> Reader:
    return lambda value, path: None if value is None else read(value, path)


def _as_read(value: Any, path: str) -> Any:  # noqa: ARG001 - a reader takes both
    """Return documents as they are, to be judged later: a broken one is no bad input."""
    return value


def _checked(wanted: str, fits: Callable[[Any], bool]) -> Reader:
    def read(value: Any, path: str) -> Any:
        if not fits(value):
            raise _shape(path, wanted, value)
        return value

    return read


_object = _checked("an object", lambda value: isinstance(value, Mapping))
_text = _checked("a string", lambda value: isinstance(value, str))
_account = _checked(
    "a string of twelve digits", lambda value: isinstance(value, str) and is_account(value)
)
_boolean = _checked("true or false", lambda value: isinstance(value, bool))
_integer = _checked(
    "a whole number", lambda value: isinstance(value, int) and not isinstance(value, bool)
)
_policy_type = _checked('"inline" or "managed"', lambda value: value in ("inline", "managed"))


def _pairs(value: Any, path: str) -> Mapping[str, str]:
    if value is None:
        return {}
    return {
        name: _text(content, f"{path}.{name}") for name, content in _object(value, path).items()
    }


def _shape(path: str, wanted: str, found: object) -> BadInput:
    kind = "nothing" if found is UNSEEN or found is None else type(found).__name__
    return BadInput(
        "snapshot_shape",
        f"The snapshot's {path} must be {wanted}, not {kind}.",
        at_fault=path,
        remedy="Collect the snapshot anew, or correct the member.",
    )


# Members that are optional in the format: null in Python means absent in JSON.
_ABSENT_WHEN_NONE = {"external_ids", "administrators", "caller", "unknown_account"}


def members(value: Any) -> dict[str, Any]:
    """Return the members of a snapshot value as a JSON object, without what was not seen."""
    written: dict[str, Any] = {}
    for member in fields(value):
        content = getattr(value, member.name)
        if content is UNSEEN or member.name == "extra":
            continue
        if content is None and member.name in _ABSENT_WHEN_NONE:
            continue
        written[member.name] = _json(content)
    return {**written, **value.extra}


def _json(content: Any) -> Any:
    """Turn tuples into lists and snapshot values into objects; leave documents alone."""
    if is_dataclass(content):
        return members(content)
    if isinstance(content, tuple):
        return [_json(item) for item in content]
    if isinstance(content, Mapping):
        return dict(content)
    return content
