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

from openai_ekm.evidence.identifiers import (
    TAGS,
    Found,
    embedded_json,
    find_in_text,
    find_names,
    holds_names,
)
from openai_ekm.evidence.pack import Document, NotSeen, Pack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["StandIns", "redact"]

# Our own text, which names nobody.
_OURS: Final = frozenset({"generated_at", "redacted", "versions", "controls"})
# A word that could as well be a word of ours: not replaced where it alone is a value of ours.
_WORD: Final = re.compile(r"[a-z_]+")


class StandIns:
    """The stand-in of each identifier, given in the order in which they are met.

    Args:
        found: The identifiers, each with its kind.
    """

    def __init__(self, found: Iterable[Found]) -> None:
        self._by_text: dict[str, str] = {}
        self._ids: set[str] = set()
        counts: dict[str, int] = {}
        for each in found:
            if each.text not in self._by_text:
                counts[each.kind] = counts.get(each.kind, 0) + 1
                self._by_text[each.text] = _stand_in(each.kind, counts[each.kind])
                if each.kind != "name":
                    self._ids.add(each.text)
        # AWS compares names without case, and some texts have them in lower case.
        for text, stand_in in list(self._by_text.items()):
            self._by_text.setdefault(text.lower(), stand_in)
        self._pattern = _pattern(self._by_text)

    def __len__(self) -> int:
        return len(self._by_text)

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
        return self._pattern.sub(lambda found: self._by_text[found[0]], text)


def redact(pack: Pack, further: Iterable[str] = ()) -> tuple[Pack, StandIns]:
    """Return the pack with stand-ins, and what gives them, for texts outside the pack.

    Args:
        pack: The pack, with all its claims and decisions.
        further: Texts outside the pack that will be rewritten, too.
    """
    body = {
        field.name: _plain(getattr(pack, field.name))
        for field in fields(Pack)
        if field.name not in _OURS
    }
    stand_ins = StandIns((*find_names(body), *(f for text in further for f in find_in_text(text))))

    def rewritten(value: Any) -> Any:
        return _map(value, stand_ins.rewrite)

    return (
        replace(
            pack,
            redacted=True,
            snapshot=rewritten(pack.snapshot),
            documents=tuple(
                Document(each.path, stand_ins.rewrite(each.title), rewritten(_parsed(each.body)))
                for each in pack.documents
            ),
            decisions=tuple(map(rewritten, pack.decisions)),
            proof=rewritten(pack.proof),
            diagnosis=rewritten(pack.diagnosis),
            validation=rewritten(pack.validation),
            usage=rewritten(pack.usage),
            drift=rewritten(pack.drift),
            drills=tuple(map(rewritten, pack.drills)),
            rotation=rewritten(pack.rotation),
            audit_events=rewritten(pack.audit_events),
            not_seen=tuple(
                NotSeen(each.member, stand_ins.rewrite(each.what), stand_ins.rewrite(each.why))
                for each in pack.not_seen
            ),
        ),
        stand_ins,
    )


def _plain(value: Any) -> Any:
    """Return documents and gaps as JSON, to be searched."""
    if isinstance(value, Document):
        return {"title": value.title, "document": _parsed(value.body)}
    if isinstance(value, NotSeen):
        return {"what": value.what, "why": value.why}
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return value


def _parsed(value: Any) -> Any:
    """Return the JSON object that a text holds; else the value."""
    found = embedded_json(value) if isinstance(value, str) else None
    return value if found is None else found


def _map(value: Any, rewrite: Callable[..., str], member: str = "") -> Any:
    """Return a JSON value with every text rewritten, the names of members included."""
    if isinstance(value, str):
        parsed = _parsed(value)
        if parsed is not value:
            return json.dumps(_map(parsed, rewrite), ensure_ascii=False)
        return rewrite(value, is_name=holds_names(member))
    if isinstance(value, Mapping):
        return {
            rewrite(name): _map(each, rewrite, member if member == TAGS else name)
            for name, each in value.items()
        }
    if isinstance(value, list | tuple):
        return [_map(each, rewrite, member) for each in value]
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


def _pattern(texts: Iterable[str]) -> re.Pattern[str] | None:
    """Return a pattern of all texts, the longest first, that takes no longer for more of them."""
    tree: dict[str, Any] = {}
    for text in texts:
        place = tree
        for character in text:
            place = place.setdefault(character, {})
        place[""] = {}
    if not tree:
        return None
    # A boundary on both sides: `ann` is not replaced in `annual`.
    return re.compile(rf"(?<![A-Za-z0-9]){_alternatives(tree)}(?![A-Za-z0-9])")


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
