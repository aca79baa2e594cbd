"""Every colour of the page, in both schemes, and which of them meet: the style has no other.

Source: https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["DARK", "GRAPHIC", "LIGHT", "PAIRS", "SCHEMES", "TEXT", "Pair", "contrast", "css"]

LIGHT: Final = {
    "paper": "#faf8f4",
    "surface": "#ffffff",
    "sunken": "#f2efe8",
    "ink": "#1d2422",
    "soft": "#4f5b57",
    "line": "#dcd7cc",
    "strong": "#7d8781",
    "accent": "#0b5a61",
    "accent-back": "#e2efee",
    "good": "#1c6338",
    "good-back": "#e4f1e8",
    "bad": "#a01f1f",
    "bad-back": "#fbe8e6",
    "open": "#734a00",
    "open-back": "#faefd6",
    "plain": "#414e58",
    "plain-back": "#e9edf0",
    "series-openai": "#2b6f95",
    "series-others": "#a93a1c",
    "series-undecided": "#7a7f84",
    "series-failed": "#8a2563",
}

DARK: Final = {
    "paper": "#121615",
    "surface": "#191f1d",
    "sunken": "#212826",
    "ink": "#e7ebe8",
    "soft": "#aab6b1",
    "line": "#323d39",
    "strong": "#7f8c86",
    "accent": "#85d1d0",
    "accent-back": "#143436",
    "good": "#93d7a8",
    "good-back": "#14301f",
    "bad": "#ffa598",
    "bad-back": "#401a17",
    "open": "#f0c56e",
    "open-back": "#36290d",
    "plain": "#b9c5ce",
    "plain-back": "#27313a",
    "series-openai": "#6fb4dd",
    "series-others": "#ff9473",
    "series-undecided": "#9aa1a6",
    "series-failed": "#ee90c8",
}

SCHEMES: Final = {"light": LIGHT, "dark": DARK}

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


def css() -> str:
    """Return the colours as custom properties: light, dark where asked for, light in print."""
    light = f"color-scheme:light;{_properties(LIGHT)}"
    dark = f"color-scheme:dark;{_properties(DARK)}"
    return (
        f":root{{{light}}}\n"
        f"@media (prefers-color-scheme:dark){{:root:not([data-theme=light]){{{dark}}}}}\n"
        f":root[data-theme=dark]{{{dark}}}\n"
        f"@media print{{:root:root:root{{{light}}}}}\n"
    )


def _properties(scheme: dict[str, str]) -> str:
    return ";".join(f"--{name}:{colour}" for name, colour in scheme.items())
