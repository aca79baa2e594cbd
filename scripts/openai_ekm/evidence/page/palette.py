"""Every colour of the page, in both schemes: the style has no other."""

from __future__ import annotations

from typing import Final

__all__ = ["DARK", "LIGHT", "css"]

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
