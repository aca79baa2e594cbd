"""The picture of who may do what: places and lines, for a wide page and for a narrow one.

Nothing is scaled to fit text: a name is shortened to the cells that its box has, and the table
below the picture has it whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from openai_ekm.evidence.page.access import Kind, State
from openai_ekm.evidence.page.shapes import Arrow, Badge, Box, Line, Picture, Zone
from openai_ekm.evidence.page.text import join_words, name_of, shorten

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from openai_ekm.evidence.page.access import Way
    from openai_ekm.evidence.page.shapes import Subject

__all__ = ["STATE_WORDS", "describe", "narrow", "wide"]

_CELL: Final = 7.83  # width of a character of the fixed-width font at 13 units
_PAD: Final = 12
_LINE: Final = 18
_MOST: Final = 3  # entries of one box; the table has all
_SMALL_CELL: Final = 7.23  # the same at 12 units; our own words are in a narrower font


def wide(subject: Subject, ways: Sequence[Way], *, all_seen: bool) -> Picture:
    """Lay the picture out in three columns: OpenAI and others, your role, your key.

    Args:
        subject: What is in the middle.
        ways: All of them, numbered.
        all_seen: Whether the proof decided that there is nobody else.
    """
    openai, role, key = _row(subject, xs=(14, 352, 736), ys=(46, 46, 46), width=208)
    below = role.bottom + 60
    iam = _group("Changes the role", _of(ways, Kind.IAM), 352, below, 208, style="quiet")
    admins = _group(
        "Changes the key", _of(ways, Kind.ADMINISTRATOR), 736, below, 208, style="admin"
    )
    others = _others(ways, 14, below, 208, all_seen=all_seen, least=iam.height + 34)
    bottom = max(others.bottom, admins.bottom, iam.bottom + 30) + 16
    first, second = _way(ways, Kind.OPENAI), _way(ways, Kind.ROLE)
    line = openai.y + 30
    arrows = [
        _arrow(first, (openai.right, line), (role.x, line), cross=(320, line)),
        _arrow(second, (role.right, line), (key.x, line), cross=(704, line)),
        Arrow(((iam.middle, iam.y), (iam.middle, role.bottom)), _style(_of(ways, Kind.IAM))),
    ]
    if _of(ways, Kind.ADMINISTRATOR):
        style = _style(_of(ways, Kind.ADMINISTRATOR))
        arrows.append(Arrow(((admins.middle, admins.y), (admins.middle, key.bottom)), style))
    strangers = _of(ways, Kind.STRANGER)
    entry, lower = role.y + 66, iam.bottom + 22
    if to_role := [each for each in strangers if each.target == "role"]:
        corners = ((others.right, below + 20), (300, below + 20), (300, entry), (role.x, entry))
        arrows.append(Arrow(corners, _style(to_role)))
    if to_key := [each for each in strangers if each.target == "key"]:
        corners = ((others.right, lower), (706, lower), (706, entry), (key.x, entry))
        arrows.append(Arrow(corners, _style(to_key)))
    return Picture(
        name="wide",
        width=960,
        height=bottom,
        zones=(
            Zone(0, 8, 236, role.bottom + 6, "OpenAI's AWS account"),
            Zone(336, 8, 624, bottom - 8, _yours(subject)),
            Zone(0, below - 32, 236, bottom - below + 32, "Anybody else", _zone_style(strangers)),
        ),
        boxes=(openai, role, key, iam, admins, others),
        arrows=tuple(arrows),
        labels=(
            Line(286, line - 20, "trust policy", "label"),
            Line(648, line - 20, "role's policy", "label"),
            Line(648, line + 28, "and key policy", "label"),
        ),
        badges=(_badge(first, 286, line), _badge(second, 648, line)),
    )


def narrow(subject: Subject, ways: Sequence[Way], *, all_seen: bool) -> Picture:
    """Lay the picture out in one column, for a narrow page.

    Args:
        subject: What is in the middle.
        ways: All of them, numbered.
        all_seen: Whether the proof decided that there is nobody else.
    """
    x, width = 36.0, 268.0
    tops = (40.0, 40.0 + 84 + 96, 40.0 + 2 * 84 + 96 + 66)
    openai, role, key = _row(subject, xs=(x, x, x), ys=tops, width=width)
    admins = _group(
        "Changes the key", _of(ways, Kind.ADMINISTRATOR), x, key.bottom + 46, width, style="admin"
    )
    iam = _group(
        "Changes the role", _of(ways, Kind.IAM), x, admins.bottom + 20, width, style="quiet"
    )
    below = iam.bottom + 64
    others = _others(ways, x, below, width, all_seen=all_seen, least=0)
    first, second = _way(ways, Kind.OPENAI), _way(ways, Kind.ROLE)
    middle, along = openai.middle, openai.right - 44
    arrows = [
        _arrow(first, (along, openai.bottom), (along, role.y), cross=(along, role.y - 24)),
        _arrow(second, (along, role.bottom), (along, key.y), cross=(along, key.y - 24)),
        Arrow(
            ((iam.x, iam.y + 24), (20, iam.y + 24), (20, role.y + 60), (role.x, role.y + 60)),
            _style(_of(ways, Kind.IAM)),
        ),
    ]
    if _of(ways, Kind.ADMINISTRATOR):
        style = _style(_of(ways, Kind.ADMINISTRATOR))
        arrows.append(Arrow(((middle, admins.y), (middle, key.bottom)), style))
    strangers = _of(ways, Kind.STRANGER)
    for target, box, bus in (("role", role, 329.0), ("key", key, 319.0)):
        if members := [each for each in strangers if each.target == target]:
            out = others.y + (20 if target == "key" else 36)
            end = box.y + 60
            corners = ((others.right, out), (bus, out), (bus, end), (box.right, end))
            arrows.append(Arrow(corners, _style(members)))
    bottom = others.bottom + 16
    return Picture(
        name="narrow",
        width=340,
        height=bottom,
        zones=(
            Zone(2, 6, 336, openai.bottom + 8, "OpenAI's AWS account"),
            Zone(2, role.y - 36, 336, iam.bottom - role.y + 50, _yours(subject)),
            Zone(2, below - 34, 336, bottom - below + 34, "Anybody else", _zone_style(strangers)),
        ),
        boxes=(openai, role, key, admins, iam, others),
        arrows=tuple(arrows),
        labels=(
            Line(along - 20, openai.bottom + 31, "by the trust policy", "label-end"),
            Line(along - 20, role.bottom + 26, "by the role's policy", "label-end"),
            Line(along - 20, role.bottom + 42, "and the key policy", "label-end"),
        ),
        badges=(_badge(first, along, openai.bottom + 26), _badge(second, along, role.bottom + 30)),
    )


def _yours(subject: Subject) -> str:
    return f"Your AWS account {shorten(subject.account, 14)}"


def _row(
    subject: Subject, xs: Sequence[float], ys: Sequence[float], width: float
) -> tuple[Box, Box, Box]:
    """Return the boxes of OpenAI's role, your role and your key."""
    most = int((width - 2 * _PAD) / _CELL)
    texts = (
        ("OpenAI's role", subject.openai, f"account {subject.openai_account}", "openai"),
        ("Your role", subject.role, f"external id {shorten(subject.external_id, 12)}", "role"),
        ("Your key", subject.key, subject.key_state, "key"),
    )
    boxes = []
    for x, y, (title, name, note, style) in zip(xs, ys, texts, strict=True):
        lines = (
            Line(x + _PAD, y + 26, title, "title"),
            Line(x + _PAD, y + 48, shorten(name, most), "name"),
            Line(x + _PAD, y + 68, shorten(note, int((width - 2 * _PAD) / _SMALL_CELL)), "note"),
        )
        boxes.append(Box(x, y, width, 84, style, lines))
    return boxes[0], boxes[1], boxes[2]


def _group(title: str, ways: Sequence[Way], x: float, y: float, width: float, *, style: str) -> Box:
    """Return a box with an entry for each way: its number, who it is, what they may do."""
    lines, badges = [Line(x + _PAD, y + 24, title, "title")], []
    room = width - 2 * _PAD - 26
    at = y + 48
    for each in ways[:_MOST]:
        badges.append(Badge(x + _PAD + 9, at - 4.5, each.number, each.state.value))
        lines.append(Line(x + _PAD + 26, at, shorten(name_of(each.who), int(room / _CELL)), "name"))
        for part in _wrap(each.does, int(room / _SMALL_CELL)):
            at += _LINE
            lines.append(Line(x + _PAD + 26, at, part, "small"))
        at += _LINE + 8
    if not ways:
        lines.append(Line(x + _PAD, at, "No statement was seen", "small"))
        at += _LINE + 8
    if len(ways) > _MOST:
        more = f"and {len(ways) - _MOST:,} more, in the table"
        lines.append(Line(x + _PAD, at, more, "small"))
        at += _LINE + 8
    return Box(x, y, width, at - y - 14, style, tuple(lines), tuple(badges))


def _others(
    ways: Sequence[Way], x: float, y: float, width: float, *, all_seen: bool, least: float
) -> Box:
    """Return the box of everybody else: those that were found, or that there is nobody."""
    strangers = _of(ways, Kind.STRANGER)
    breaks = any(each.state is State.BREAKS for each in strangers)
    if strangers:
        box = _group(
            "They get to role or key" if breaks else "Named, see the table",
            strangers,
            x,
            y,
            width,
            style="stranger" if breaks else "quiet",
        )
    else:
        words = (
            ("Nobody", "gets to the role or the key:", "claims a and c hold")
            if all_seen
            else ("Nobody was found", "and not everything was seen:", "claims a and c say what")
        )
        lines = (
            Line(x + _PAD, y + 26, words[0], "title"),
            Line(x + _PAD, y + 48, words[1], "small"),
            Line(x + _PAD, y + 66, words[2], "small"),
        )
        box = Box(x, y, width, 82, "nobody" if all_seen else "quiet", lines)
    least = least if any(each.target == "key" for each in strangers) else 0
    return Box(box.x, box.y, box.width, max(box.height, least), box.style, box.lines, box.badges)


def _wrap(text: str, most: int) -> Iterable[str]:
    """Return our own words in at most two lines."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if len(longer) <= most:
            lines[-1] = longer
        else:
            lines.append(word)
    kept = [shorten(each, most) for each in lines if each]
    return kept if len(kept) <= 2 else [kept[0], f"{shorten(kept[1], most - 2)} …"]  # noqa: PLR2004


def _of(ways: Sequence[Way], kind: Kind) -> list[Way]:
    return [each for each in ways if each.kind is kind]


def _way(ways: Sequence[Way], kind: Kind) -> Way:
    return _of(ways, kind)[0]


def _style(ways: Sequence[Way]) -> str:
    """Return how an arrow of several ways is drawn: as the worst of them."""
    order = "breaks missing undecided not-seen denied proven"
    worst = [State(each) for each in order.split()]
    found = {each.state for each in ways}
    return next(each.value for each in worst if each in found)


def _zone_style(strangers: Sequence[Way]) -> str:
    return "breach" if any(each.state is State.BREAKS for each in strangers) else "account"


def _arrow(
    way: Way, start: tuple[float, float], end: tuple[float, float], cross: tuple[float, float]
) -> Arrow:
    closed = way.state in {State.MISSING, State.DENIED}
    return Arrow((start, end), way.state.value, cross if closed else None)


def _badge(way: Way, x: float, y: float) -> Badge:
    return Badge(x, y, way.number, way.state.value)


def describe(ways: Sequence[Way]) -> str:
    """Return the picture in words, for those who do not see it.

    Args:
        ways: All of them, numbered.
    """
    parts = []
    for each in ways[: 4 * _MOST]:
        who = {Kind.OPENAI: "OpenAI's role", Kind.ROLE: "your role"}.get(each.kind)
        name = who or shorten(name_of(each.who), 60)
        parts.append(f"{each.number}: {name} {each.does} ({STATE_WORDS[each.state]})")
    more = len(ways) - len(parts)
    return f"{join_words(parts)}{f'; {more:,} more are in the table' if more > 0 else ''}."


STATE_WORDS: Final = {
    State.PROVEN: "proven",
    State.BREAKS: "breaks a claim",
    State.DENIED: "denied elsewhere",
    State.UNDECIDED: "undecided",
    State.MISSING: "nothing allows it",
    State.NOT_SEEN: "not seen",
}
