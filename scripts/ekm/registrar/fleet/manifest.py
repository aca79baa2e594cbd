"""A fleet file (`ekm-fleet/1`), or Terraform's outputs of a fleet, as entries. No I/O.

schema: ekm-fleet/1
defaults:
  external_id: org-abc123
  record: "ssm:/openai-ekm/{name}"
entries:
  - name: payments
    role_arn: arn:aws:iam::111122223333:role/openai-ekm-payments
    kms_arn: arn:aws:kms:eu-west-1:111122223333:key/…
    projects: [payments]
"""

from __future__ import annotations

import difflib
import json
import reprlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from ekm.errors import BadInput
from ekm.registrar.intent import Intent, check_project

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["SCHEMA", "Entry", "fleet_of_outputs", "parse", "with_projects"]

SCHEMA: Final = "ekm-fleet/1"
MEMBERS: Final = ("name", "role_arn", "kms_arn", "external_id", "projects", "record")
DEFAULTS: Final = ("role_arn", "external_id", "projects", "record")
TOP: Final = ("schema", "defaults", "entries")


@dataclass(frozen=True, slots=True)
class Entry:
    """One registration of a fleet.

    Args:
        where: Its place in the source, for messages (`entries[2]`, `ekm["red"]`).
        record: Where its record is, `ssm:NAME` or `file:PATH`.
    """

    where: str
    intent: Intent
    projects: tuple[str, ...]
    record: str

    @property
    def name(self) -> str:
        """The registration's name, unique in a fleet."""
        return self.intent.name


def parse(text: str, source: str, check_record: Callable[[str], object]) -> tuple[Entry, ...]:
    """Read a fleet file.

    Args:
        text: YAML or JSON.
        source: Where it came from, for messages.
        check_record: Refuses a record's place that is none; what it returns tells two apart.

    Raises:
        BadInput: Not of the schema; the message names the entry and the member.
    """
    value = _loaded(text, source)
    if not isinstance(value, Mapping):
        raise _malformed(source, "the file", "must be a mapping with schema and entries")
    _known(value, TOP, source, "the file")
    if value.get("schema") != SCHEMA:
        raise _malformed(
            source, "schema", f"is {_shown(value.get('schema'))}; this version reads {SCHEMA}"
        )
    defaults = value.get("defaults") or {}
    if not isinstance(defaults, Mapping):
        raise _malformed(source, "defaults", "must be a mapping")
    _known(defaults, DEFAULTS, source, "defaults")
    listed = value.get("entries")
    if not isinstance(listed, list) or not listed:
        raise _malformed(source, "entries", "must be a list of at least one registration")
    entries = []
    for index, given in enumerate(listed):
        where = f"entries[{index}]"
        if not isinstance(given, Mapping):
            raise _malformed(source, where, "must be a mapping")
        _known(given, MEMBERS, source, where)
        entries.append(_entry({**defaults, **given}, where, source, check_record))
    return _distinct(entries, source, check_record)


def fleet_of_outputs(
    text: str, source: str, check_record: Callable[[str], object]
) -> tuple[Entry, ...] | None:
    """Read `terraform output -json` of a root whose output `ekm` is a map of module outputs.

    Returns:
        None when it is no such map: then it is one registration, or not readable at all.

    Raises:
        BadInput: It is one, and an instance lacks an output or two are the same.
    """
    try:
        inner = json.loads(text)["ekm"]["value"]
    except (ValueError, KeyError, TypeError):
        return None
    if not isinstance(inner, dict) or not inner or "role_arn" in inner or "kms_arn" in inner:
        return None
    if not all(isinstance(one, dict) and "role_arn" in one for one in inner.values()):
        return None
    entries = []
    for key, one in inner.items():
        projects = one.get("projects")
        given = {member: one[member] for member in MEMBERS if one.get(member) is not None}
        given["projects"] = list(projects) if isinstance(projects, dict | list) else []
        entries.append(_entry(given, f"ekm[{json.dumps(key)}]", source, check_record))
    return _distinct(entries, source, check_record)


def with_projects(entries: tuple[Entry, ...], projects: tuple[str, ...]) -> tuple[Entry, ...]:
    """The entries, each with these projects besides its own."""
    for project in projects:
        check_project(project)
    return tuple(
        Entry(
            entry.where,
            entry.intent,
            tuple(dict.fromkeys((*entry.projects, *projects))),
            entry.record,
        )
        for entry in entries
    )


def _entry(
    given: Mapping[str, Any], where: str, source: str, check_record: Callable[[str], object]
) -> Entry:
    name = given.get("name")
    shown = f"{where} ({name})" if isinstance(name, str) and name else where
    for member in MEMBERS:
        if member != "projects" and member not in given:
            raise _malformed(source, shown, f"has no {member}", member=f"{where}.{member}")
        if member != "projects" and not isinstance(given[member], str):
            raise _malformed(
                source,
                shown,
                f"has the {member} {_shown(given[member])}, which is not text",
                member=f"{where}.{member}",
            )
    projects = given.get("projects") or []
    if not isinstance(projects, list) or not all(isinstance(one, str) for one in projects):
        raise _malformed(
            source,
            shown,
            f"has projects {_shown(projects)}, which is no list of names",
            member=f"{where}.projects",
        )
    try:
        intent = Intent(
            role_arn=given["role_arn"],
            kms_arn=given["kms_arn"],
            external_id=given["external_id"],
            name=given["name"],
        )
        for project in projects:
            check_project(project)
        record = given["record"].replace("{name}", given["name"])
        check_record(record)
    except BadInput as failure:
        raise BadInput(
            "fleet_malformed",
            f"{source}: {shown}: {failure.message}",
            at_fault=f"{where}.{(failure.at_fault or '').removeprefix('--')}",
            remedy=failure.remedy,
        ) from None
    return Entry(where, intent, tuple(dict.fromkeys(projects)), record)


def _distinct(
    entries: list[Entry], source: str, check_record: Callable[[str], object]
) -> tuple[Entry, ...]:
    """The entries, no two of which are, or are kept in, the same."""
    seen: dict[tuple[str, object], Entry] = {}
    for entry in entries:
        intent = entry.intent
        for what, value in (
            ("name", intent.name),
            ("record", str(check_record(entry.record))),
            ("role, key and external id", (intent.role_arn, intent.kms_arn, intent.external_id)),
        ):
            other = seen.setdefault((what, value), entry)
            if other is not entry:
                raise BadInput(
                    "fleet_duplicate",
                    f"{source}: {entry.where} ({entry.name}) has the same {what} as {other.where} "
                    f"({other.name}){_also(value)}.",
                    at_fault=entry.where,
                    remedy="Give each registration a name, a key and a record of its own; take "
                    "out what is there twice.",
                )
    return tuple(entries)


def _also(value: object) -> str:
    return f": {value}" if isinstance(value, str) else ""


def _shown(value: object) -> str:
    """A value in a few words: by aliases a small file holds one of any size."""
    short = reprlib.Repr()
    short.maxlevel, short.maxstring, short.maxother = 2, 80, 80
    return short.repr(value)


def _known(given: Mapping[Any, Any], known: Sequence[str], source: str, where: str) -> None:
    for member in given:
        if member not in known:
            close = difflib.get_close_matches(_shown(member).strip("'"), known, n=1)
            hint = f"; did you mean {close[0]}?" if close else f"; known are {', '.join(known)}"
            raise _malformed(source, where, f"has the unknown member {_shown(member)}{hint}")


def _loaded(text: str, source: str) -> object:
    """The text as JSON where it looks like it, else as YAML; a key given twice is refused."""
    try:
        if text.lstrip().startswith("{"):
            return json.loads(text, object_pairs_hook=_once)
        return _yaml(text)
    except _UnreadableError as failure:
        raise BadInput(
            "fleet_unreadable",
            f"{source} is neither JSON nor YAML that can be read: {failure}.",
            at_fault=source,
            remedy="Correct that line; the manual has a whole file as an example.",
        ) from None
    except (ValueError, RecursionError) as failure:
        raise BadInput(
            "fleet_unreadable",
            f"{source} is not JSON: {failure}.",
            at_fault=source,
            remedy="Correct it, or write YAML.",
        ) from None


class _UnreadableError(Exception):
    """What is wrong, in one line."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _UnreadableError(f"the key {key!r} is there twice")
        found[key] = value
    return found


def _yaml(text: str) -> object:
    import yaml  # noqa: PLC0415 - only where a manifest is read

    class Loader(yaml.SafeLoader):  # type: ignore[misc]
        """YAML's safe types; a key given twice is an error, not the last one wins."""

    def mapping(loader: Any, node: Any) -> dict[Any, Any]:
        for key, _ in node.value:
            if key.tag == "tag:yaml.org,2002:merge":
                raise _UnreadableError(
                    f"<< is not read; what entries share goes into defaults (line "
                    f"{key.start_mark.line + 1})"
                )
        pairs = [(loader.construct_object(key, deep=True), value) for key, value in node.value]
        keys = [key if isinstance(key, str) else _shown(key) for key, _ in pairs]
        for index, key in enumerate(keys):
            if key in keys[:index]:
                line = node.value[index][0].start_mark.line + 1
                raise _UnreadableError(f"the key {key!r} is there twice (line {line})")
        return {key: loader.construct_object(value, deep=True) for key, value in pairs}

    Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, mapping)
    try:
        return cast("object", yaml.load(text, Loader))  # noqa: S506 - a SafeLoader
    except yaml.YAMLError as failure:
        mark = getattr(failure, "problem_mark", None)
        what = getattr(failure, "problem", None) or "malformed"
        raise _UnreadableError(f"{what} (line {mark.line + 1})" if mark else str(what)) from None
    except (RecursionError, TypeError) as failure:
        raise _UnreadableError(str(failure) or "nested too deeply") from None


def _malformed(source: str, where: str, wrong: str, member: str | None = None) -> BadInput:
    return BadInput(
        "fleet_malformed",
        f"{source}: {where} {wrong}.",
        at_fault=member or where,
        remedy="An entry has name, role_arn, kms_arn, external_id and record, and optionally "
        "projects; defaults may give all but name and kms_arn.",
    )
