"""Members of a pack that are given as files: what `ekm` printed earlier, and reports of drills."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from openai_ekm.errors import BadInput
from openai_ekm.json_reader import UnreadableJsonError, read_content, read_json
from openai_ekm.snapshot import UNSEEN

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from openai_ekm.snapshot import Snapshot

__all__ = ["check_key", "read_given"]

# Option to the members that such a file has at least.
_MARKS: Final = {
    "--usage": ("openai", "by_day", "others"),
    "--drift": ("answer", "checks", "differences"),
    "--drill": ("schema", "verb", "events"),
    "--validation": ("external_key_id", "asked_at", "status"),
    "--rotation": ("keys",),
    "--audit-events": ("events",),
}
_SCHEMAS: Final = {"--drift": "ekm-drift/1", "--drill": "ekm-drill/1"}
_MAKERS: Final = {
    "--usage": "what `ekm usage` prints with --json",
    "--drift": "what the verb drift prints with --json",
    "--drill": "the report that `ekm drill revoke --report PATH` writes to PATH.json",
    "--validation": "validation.json of an earlier pack",
    "--rotation": "rotation.json of an earlier pack",
    "--audit-events": "audit-events.json of an earlier pack",
}


def read_given(option: str, file: str) -> dict[str, Any]:
    """Read a member of the pack from a file.

    Args:
        option: The option that named it.
        file: Its path, or `-` for standard input.

    Raises:
        BadInput: It cannot be read, or is something else.
    """
    try:
        found = read_json(read_content(file))
    except OSError as error:
        raise _bad(option, file, f"cannot be read: {error.strerror}") from None
    except UnreadableJsonError as error:
        raise _bad(option, file, str(error)) from None
    if not isinstance(found, dict):
        raise _bad(option, file, f"is a JSON {type(found).__name__}, not an object")
    missing = [name for name in _MARKS[option] if name not in found]
    if missing:
        raise _bad(option, file, f"has no member {missing[0]!r}")
    schema = _SCHEMAS.get(option)
    if schema is not None and found.get("schema") != schema:
        raise _bad(
            option, file, f"has the schema {str(found.get('schema'))[:60]!r}, not {schema!r}"
        )
    return found


def check_key(option: str, given: Mapping[str, Any], snapshot: Snapshot) -> None:
    """Refuse a file that is about another key: side by side they would tell an untrue story.

    Args:
        option: The option that named it.
        given: What it holds.
        snapshot: Of the key that the pack is about.

    Raises:
        BadInput: Each key that it names is another one.
    """
    ours = {snapshot.registration.kms_arn}
    ours |= set() if snapshot.keys is UNSEEN else {key.arn for key in snapshot.keys}
    ours |= set() if snapshot.aliases is UNSEEN else {each.arn for each in snapshot.aliases}
    named = {each for each in _keys_in(given) if isinstance(each, str)}
    if named and not named & ours:
        raise BadInput(
            "evidence_of_another_key",
            f"{option} is about {min(named)}, and the pack about {snapshot.registration.kms_arn}.",
            at_fault=option,
            remedy="Give what is about the same key, or leave it out.",
        )


def _keys_in(given: Mapping[str, Any]) -> Iterator[Any]:
    """Yield the keys that a report says it is about, wherever its format has them."""
    yield given.get("kms_arn")
    yield given.get("key_arn")
    for member, name in (("of", "kms_arn"), ("keys", "key_arn")):
        found = given.get(member)
        for each in found if isinstance(found, list) else [found]:
            if isinstance(each, dict):
                yield each.get(name)


def _bad(option: str, file: str, why: str) -> BadInput:
    return BadInput(
        "evidence_member_malformed",
        f"{option} {file} {why}.",
        at_fault=file,
        remedy=f"Name {_MAKERS[option]}.",
    )
