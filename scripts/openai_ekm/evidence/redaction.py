"""Stand-ins for account ids, names and addresses: one for each, the same in every member. Pure.

Identifiers are found first, in all members together: in ARNs, by the form of ids and addresses, and
in the members that hold names. Then every text is rewritten, sentences included. Claims and
decisions are made before, so that they are of the real documents.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, Final

from openai_ekm.errors import BadInput
from openai_ekm.evidence.identifiers import (
    Found,
    account_of,
    embedded_json,
    find_in_text,
    find_names,
)
from openai_ekm.evidence.identifiers_members import may_hold_a_name, member_of
from openai_ekm.evidence.pack import Document, NotSeen, Pack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["StandIns", "redact"]

# Our own text, which names nobody.
_OURS: Final = frozenset({"generated_at", "redacted", "versions", "controls"})
# A word that could as well be a word of ours: not replaced where it alone is a value of ours.
_WORD: Final = re.compile(r"[a-z_]+")
_ANY_WORD: Final = re.compile(r"[A-Za-z_]+")


class StandIns:
    """The stand-in of each identifier, given in the order in which they are met.

    Args:
        found: The identifiers, each with its kind.
    """

    def __init__(self, found: Iterable[Found]) -> None:
        self._by_text: dict[str, str] = {}
        self._ids: set[str] = set()
        counts: dict[str, int] = {}
        given: dict[str, str] = {}
        for each in found:
            if each.kind != "name":
                self._ids.add(each.text)
            key = each.text.replace("-", "") if each.kind == "account" else each.text
            if key not in given:
                counts[each.kind] = counts.get(each.kind, 0) + 1
                given[key] = _stand_in(each.kind, counts[each.kind])
            self._by_text.setdefault(each.text, given[key])
        for text, stand_in in list(self._by_text.items()):
            for form in _forms(text):
                self._by_text.setdefault(form, stand_in)
        # AWS compares names without case, and some texts have them in other letters. A single
        # word could as well be one of ours: `Key`, `OpenAI`.
        for text, stand_in in list(self._by_text.items()):
            self._by_text.setdefault(text.lower(), stand_in)
            self._by_text.setdefault(text.upper(), stand_in)
        self._pattern = _pattern(self._by_text)

    def rewrite(self, text: str, *, is_name: bool = False) -> str:
        """Return a text with each identifier replaced.

        Args:
            text: The text.
            is_name: Whether it stands where a name does, and no word of ours can.
        """
        if self._pattern is None:
            return text
        if not is_name and _WORD.fullmatch(text) and text not in self._ids:
            return text
        return self._pattern.sub(lambda found: self._given(found[0]), text)

    def _given(self, text: str) -> str:
        for form in (text, text.lower(), text.casefold()):
            if form in self._by_text:
                return self._by_text[form]
        return "name"  # letters that are one without case, and that no case makes one


def redact(pack: Pack, further: Iterable[str] = ()) -> tuple[Pack, StandIns]:
    """Return the pack with stand-ins, and what gives them, for texts outside the pack.

    Args:
        pack: The pack, with all its claims and decisions.
        further: Texts outside the pack that will be rewritten, too.

    Raises:
        BadInput: A text holds JSON that is nested too deep to be searched for names.
    """
    try:
        return _redacted(pack, further)
    except RecursionError:  # also by texts in texts, of which none is too deep by itself
        raise BadInput(
            "evidence_nested_too_deep",
            "A text in the pack holds JSON that is nested too deep to be searched for names.",
            at_fault="--redact",
            remedy="Leave out the file that holds it, or write the pack without --redact.",
        ) from None


def _redacted(pack: Pack, further: Iterable[str]) -> tuple[Pack, StandIns]:
    searched = {
        field.name: getattr(pack, field.name) for field in fields(Pack) if field.name not in _OURS
    }
    body = {name: _plain(value) for name, value in searched.items()}
    stand_ins = StandIns((*find_names(body), *(f for text in further for f in find_in_text(text))))
    rewrite = stand_ins.rewrite

    def rewritten(value: Any, member: str) -> Any:
        if isinstance(value, Document):
            body = _object(_map(value.body, rewrite, member))
            return Document(value.path, rewrite(value.title), body)
        if isinstance(value, NotSeen):
            return NotSeen(value.member, rewrite(value.what), rewrite(value.why))
        if isinstance(value, tuple):
            return tuple(rewritten(each, member) for each in value)
        return _map(value, rewrite, member)

    members: dict[str, Any] = {name: rewritten(value, name) for name, value in searched.items()}
    return replace(pack, redacted=True, **members), stand_ins


def _plain(value: Any) -> Any:
    """Return documents and gaps as JSON, to be searched."""
    if isinstance(value, Document):
        return {"title": value.title, "document": value.body}
    if isinstance(value, NotSeen):
        return {"what": value.what, "why": value.why}
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return value


def _object(value: Any) -> Any:
    """Return the JSON object that a text holds; else the value."""
    parsed = _parsed(value)
    return parsed if isinstance(parsed, Mapping) else value


def _parsed(value: Any) -> Any:
    """Return the JSON object or list that a text holds; else the value."""
    found = embedded_json(value) if isinstance(value, str) else None
    return value if found is None else found


def _map(value: Any, rewrite: Callable[..., str], member: str = "") -> Any:
    """Return a JSON value with every text rewritten, the names of members included."""
    if isinstance(value, str):
        parsed = _parsed(value)
        if parsed is not value:
            return json.dumps(_map(parsed, rewrite, member), ensure_ascii=False)
        return rewrite(value, is_name=may_hold_a_name(member))
    if isinstance(value, Mapping):
        return {
            rewrite(name): _map(each, rewrite, member_of(member, value, name))
            for name, each in value.items()
        }
    if isinstance(value, list | tuple):
        return [_map(each, rewrite, member) for each in value]
    account = account_of(value, member)
    if account is not None:
        return rewrite(account)
    return value


def _stand_in(kind: str, number: int) -> str:
    """Return a stand-in; that of an account has the form of one, so that ARNs stay ARNs."""
    if kind == "account":
        return f"{number:012d}"
    if kind == "statement":
        return f"Statement{number}"
    if kind == "email":
        return f"person-{number}@example.invalid"
    return f"{kind}-{number}"


def _forms(text: str) -> Iterator[str]:
    """Yield how sentences, JSON and addresses write a text that has to be escaped."""
    yield repr(text)[1:-1]
    yield json.dumps(text)[1:-1]
    yield json.dumps(text, ensure_ascii=False)[1:-1]
    if "@" in text:
        yield text.replace("@", "%40")


def _pattern(texts: Iterable[str]) -> re.Pattern[str] | None:
    """Return a pattern of all texts, the longest first, that takes no longer for more of them."""
    words: dict[str, Any] = {}
    others: dict[str, Any] = {}
    for text in texts:
        is_word = _ANY_WORD.fullmatch(text) is not None
        place = words if is_word else others
        for character in text if is_word else text.lower():
            place = place.setdefault(character, {})
        place[""] = {}
    groups = [f"(?i:{_alternatives(others)})"] if others else []
    groups += [_alternatives(words)] if words else []
    if not groups:
        return None
    # A boundary on both sides: `ann` is not replaced in `annual`. What is no word comes first: of
    # two that begin alike, it is the longer one.
    return re.compile(rf"(?<![A-Za-z0-9])(?:{'|'.join(groups)})(?![A-Za-z0-9])")


def _alternatives(tree: dict[str, Any]) -> str:
    """Return the texts of a tree as one group, of which the longest wins."""
    ends = "" in tree
    branches = []
    for first, rest in tree.items():
        if first:
            chain, after = first, rest
            while len(after) == 1 and "" not in after:
                ((character, after),) = after.items()
                chain += character
            branches.append(re.escape(chain) + (_alternatives(after) if len(after) > 1 else ""))
    if not branches:
        return ""
    return f"(?:{'|'.join(branches)})" + ("?" if ends else "")
