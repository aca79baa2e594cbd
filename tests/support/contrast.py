"""Which colours of the evidence page meet, and the contrast that each pair must have.

Source: https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from openai_ekm.evidence.page import palette

SCHEMES: Final = {"light": palette.LIGHT, "dark": palette.DARK}

TEXT: Final = 4.5
GRAPHIC: Final = 3.0


@dataclass(frozen=True, slots=True)
class Pair:
    """Two colours that meet on the page.

    Args:
        front: Name of the colour in front: of a text, a line or a bar.
        back: Name of the colour behind it.
        least: The least contrast: `TEXT`, or `GRAPHIC` for lines and bars that carry meaning.
        where: Where they meet.
    """

    front: str
    back: str
    least: float
    where: str


_STATES: Final = ("good", "bad", "open", "plain")
_SERIES: Final = ("series-openai", "series-others", "series-undecided", "series-failed")

PAIRS: Final = (
    *(
        Pair(front, back, TEXT, "text of the page")
        for front in ("ink", "soft", "accent")
        for back in ("paper", "surface", "sunken")
    ),
    *(Pair(each, f"{each}-back", TEXT, "a word of state on its ground") for each in _STATES),
    *(Pair(each, "surface", TEXT, "a word of state on a card") for each in _STATES),
    *(Pair(each, "paper", TEXT, "a word of state on the page") for each in _STATES),
    Pair("accent", "accent-back", TEXT, "picture: the key's name"),
    Pair("ink", "accent-back", TEXT, "picture: text in the key's box"),
    Pair("soft", "accent-back", TEXT, "picture: small text in the key's box"),
    Pair("ink", "bad-back", TEXT, "picture: text in a stranger's box"),
    Pair("soft", "bad-back", TEXT, "picture: small text in a stranger's box"),
    Pair("surface", "good", TEXT, "picture: number of an arrow that is allowed"),
    Pair("surface", "bad", TEXT, "picture: number of an arrow that breaks a claim"),
    Pair("surface", "open", TEXT, "picture: number of an arrow that is undecided"),
    Pair("surface", "plain", TEXT, "picture: number of an arrow of administration"),
    Pair("surface", "accent", TEXT, "skip link and letters of claims"),
    *(
        Pair(each, back, GRAPHIC, "picture: arrows and borders")
        for each in (*_STATES, "accent")
        for back in ("surface", "sunken")
    ),
    Pair("strong", "surface", GRAPHIC, "picture: borders of boxes; focus and controls"),
    Pair("strong", "paper", GRAPHIC, "controls on the page"),
    Pair("strong", "sunken", GRAPHIC, "picture: borders of boxes in a zone"),
    *(Pair(each, "surface", GRAPHIC, "plots: bars") for each in _SERIES),
    Pair("accent", "paper", GRAPHIC, "focus ring on the page"),
)


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours, from 1 to 21.

    Args:
        one: As `#rrggbb`.
        other: The same.
    """
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(int(colour[start : start + 2], 16) / 255) for start in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(share: float) -> float:
    low = 0.04045
    return share / 12.92 if share <= low else float(((share + 0.055) / 1.055) ** 2.4)
