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
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, cast

from openai_ekm.errors import BadInput
from openai_ekm.json_reader import UnreadableJsonError, read_json
from openai_ekm.registration.intent import Intent, check_project
from openai_ekm.terraform import module_instances

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
        """Return the registration's name, unique in a fleet."""
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
    value = _load(text, source)
    if not isinstance(value, Mapping):
        raise _malformed(source, "the file", "must be a mapping with schema and entries")
    _check_members(value, TOP, source, "the file")
    if value.get("schema") != SCHEMA:
        raise _malformed(
            source, "schema", f"is {_short_text(value.get('schema'))}; this version reads {SCHEMA}"
        )
    defaults = _defaults(value.get("defaults"), source)
    listed = value.get("entries")
    if not isinstance(listed, list) or not listed:
        raise _malformed(source, "entries", "must be a list of at least one registration")
    entries = []
    lists = _ProjectLists()
    for index, given in enumerate(listed):
        where = f"entries[{index}]"
        if not isinstance(given, Mapping):
            raise _malformed(source, where, "must be a mapping")
        _check_members(given, MEMBERS, source, where)
        entries.append(_entry({**defaults, **given}, where, source, check_record, lists))
    return _distinct(entries, source, check_record)


def fleet_of_outputs(
    printed: Mapping[str, Any], source: str, check_record: Callable[[str], object]
) -> tuple[Entry, ...] | None:
    """Read the outputs of a root whose output `ekm` is a map of module outputs.

    Args:
        printed: What `terraform output -json` prints, decoded.
        source: Where it came from, for messages.
        check_record: As for `parse`.

    Returns:
        None when it is no such map: then it is one registration, or not readable at all.

    Raises:
        BadInput: It is one, and an instance lacks an output or two are the same.
    """
    instances = module_instances(printed)
    if None in instances or not all("role_arn" in one for one in instances.values()):
        return None
    entries = []
    for key, one in instances.items():
        projects = one.get("projects")
        given = {member: one[member] for member in MEMBERS if one.get(member) is not None}
        given["projects"] = list(projects) if isinstance(projects, dict | list) else []
        where = f"ekm[{json.dumps(key)}]"
        entries.append(_entry(given, where, source, check_record, _ProjectLists()))
    return _distinct(entries, source, check_record)


def with_projects(entries: tuple[Entry, ...], projects: tuple[str, ...]) -> tuple[Entry, ...]:
    """Return the entries, each with these projects besides its own."""
    for project in projects:
        check_project(project)
    joined = {id(entry.projects): entry.projects for entry in entries}  # entries may share one
    joined = {at: tuple(dict.fromkeys((*own, *projects))) for at, own in joined.items()}
    return tuple(replace(entry, projects=joined[id(entry.projects)]) for entry in entries)


def _defaults(given: object, source: str) -> Mapping[str, Any]:
    """Return the defaults; each is of its type, also where every entry has a value of its own."""
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise _malformed(source, "defaults", "must be a mapping")
    _check_members(given, DEFAULTS, source, "defaults")
    for member, found in given.items():
        if member != "projects" and not isinstance(found, str):
            raise _wrong_type(source, "defaults", "defaults", member, found)
    projects = given.get("projects")
    if projects is not None and not _is_list_of_text(projects):
        raise _wrong_type(source, "defaults", "defaults", "projects", projects)
    return given


def _is_list_of_text(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


class _NotNamesError(Exception):
    """A value is no list of names."""


class _ProjectLists:
    """Lists of projects, each checked once: entries share that of the defaults, or by an alias."""

    def __init__(self) -> None:
        self._checked: dict[int, tuple[object, tuple[str, ...]]] = {}

    def checked(self, projects: object) -> tuple[str, ...]:
        """Return the projects, each once.

        Raises:
            BadInput: A name is malformed.
            _NotNamesError: It is no list of names.
        """
        if id(projects) not in self._checked:  # the list is kept beside: its id stays its own
            if not isinstance(projects, list) or not _is_list_of_text(projects):
                raise _NotNamesError
            for project in projects:
                check_project(project)
            self._checked[id(projects)] = (projects, tuple(dict.fromkeys(projects)))
        return self._checked[id(projects)][1]


def _entry(
    given: Mapping[str, Any],
    where: str,
    source: str,
    check_record: Callable[[str], object],
    lists: _ProjectLists,
) -> Entry:
    name = given.get("name")
    shown = f"{where} ({name})" if isinstance(name, str) and name else where
    for member in MEMBERS:
        if member != "projects" and member not in given:
            raise _malformed(source, shown, f"has no {member}", member=f"{where}.{member}")
        if member != "projects" and not isinstance(given[member], str):
            raise _wrong_type(source, shown, where, member, given[member])
    projects = [] if given.get("projects") is None else given["projects"]
    try:
        names = lists.checked(projects)
    except _NotNamesError:
        raise _wrong_type(source, shown, where, "projects", projects) from None
    except BadInput as failure:
        raise _refusal(failure, source, shown, where) from None
    try:
        intent = Intent(
            role_arn=given["role_arn"],
            kms_arn=given["kms_arn"],
            external_id=given["external_id"],
            name=given["name"],
        )
        record = given["record"].replace("{name}", given["name"])
        check_record(record)
    except BadInput as failure:
        raise _refusal(failure, source, shown, where) from None
    return Entry(where, intent, names, record)


def _refusal(failure: BadInput, source: str, shown: str, where: str) -> BadInput:
    """Return the refusal of a value, with the place of the entry."""
    return BadInput(
        "fleet_malformed",
        f"{source}: {shown}: {failure.message}",
        at_fault=f"{where}.{(failure.at_fault or '').removeprefix('--')}",
        remedy=failure.remedy,
    )


def _distinct(
    entries: list[Entry], source: str, check_record: Callable[[str], object]
) -> tuple[Entry, ...]:
    """Return the entries, no two of which are, or are kept in, the same."""
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


def _short_text(value: object) -> str:
    """Return a value in a few words: by aliases a small file holds one of any size."""
    short = reprlib.Repr()
    short.maxlevel, short.maxstring, short.maxother = 2, 80, 80
    return short.repr(value)


def _check_members(given: Mapping[Any, Any], known: Sequence[str], source: str, where: str) -> None:
    for member in given:
        if member not in known:
            close = difflib.get_close_matches(_short_text(member).strip("'"), known, n=1)
            hint = f"; did you mean {close[0]}?" if close else f"; known are {', '.join(known)}"
            raise _malformed(source, where, f"has the unknown member {_short_text(member)}{hint}")


def _load(text: str, source: str) -> object:
    """Return the text read as JSON if it looks like it, else as YAML; refuse a key given twice."""
    try:
        if text.lstrip().startswith("{"):
            return read_json(text)
        return _yaml(text)
    except _UnreadableError as failure:
        raise BadInput(
            "fleet_unreadable",
            f"{source} is neither JSON nor YAML that can be read: {failure}.",
            at_fault=source,
            remedy="Correct that line; the manual has a whole file as an example.",
        ) from None
    except UnreadableJsonError as failure:
        raise BadInput(
            "fleet_unreadable",
            f"{source} {failure}.",
            at_fault=source,
            remedy="Correct it, or write YAML.",
        ) from None


class _UnreadableError(Exception):
    """The fault of a manifest, in one line."""


@dataclass(frozen=True, slots=True)
class _Plain:
    """A plain scalar of YAML that is no text: no member is one, so its value is never made.

    YAML reads `1:59` as a number of base 60, and a date as one that may not exist.
    """

    text: str

    def __repr__(self) -> str:
        return self.text


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
        found: dict[Any, Any] = {}
        for key_node, value in node.value:
            key = loader.construct_object(key_node, deep=True)
            if key in found:
                line = key_node.start_mark.line + 1
                raise _UnreadableError(f"the key {_short_text(key)} is there twice (line {line})")
            found[key] = loader.construct_object(value, deep=True)
        return found

    Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, mapping)
    for kind in ("int", "float", "timestamp"):
        Loader.add_constructor(f"tag:yaml.org,2002:{kind}", lambda _, node: _Plain(node.value))
    try:
        return cast("object", yaml.load(text, Loader))  # noqa: S506  # nosec B506 # a SafeLoader
    except yaml.YAMLError as failure:
        mark = getattr(failure, "problem_mark", None)
        what = getattr(failure, "problem", None) or "malformed"
        raise _UnreadableError(f"{what} (line {mark.line + 1})" if mark else str(what)) from None
    except RecursionError:
        raise _UnreadableError("nested too deeply") from None
    except TypeError as failure:  # a key that is a list or a mapping
        raise _UnreadableError(str(failure)) from None


def _wrong_type(source: str, shown: str, where: str, member: str, value: object) -> BadInput:
    """Return the refusal of a member that is not text, or of projects that are no list of names."""
    if member == "projects":
        wrong = f"has projects {_short_text(value)}, which is no list of names"
    else:
        wrong = f"has the {member} {_short_text(value)}, which is not text"
    return _malformed(source, shown, wrong, member=f"{where}.{member}")


def _malformed(source: str, where: str, wrong: str, member: str | None = None) -> BadInput:
    return BadInput(
        "fleet_malformed",
        f"{source}: {where} {wrong}.",
        at_fault=member or where,
        remedy="An entry has name, role_arn, kms_arn, external_id and record, and optionally "
        "projects; defaults may give all but name and kms_arn.",
    )
