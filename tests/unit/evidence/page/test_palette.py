"""The colours of the page: contrast of every pair that meets, and no colour beside them."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

from openai_ekm.evidence.page import palette
from tests.support import contrast

STYLE = (files("openai_ekm.evidence.page") / "templates" / "page.css").read_text(encoding="utf-8")


@pytest.mark.parametrize("scheme", contrast.SCHEMES)
@pytest.mark.parametrize("pair", contrast.PAIRS, ids=lambda pair: f"{pair.front}-on-{pair.back}")
def test_a_pair_of_colours_has_its_contrast(scheme: str, pair: contrast.Pair) -> None:
    """Guards against: text or a line that some people cannot see (WCAG 2.2, 1.4.3 and 1.4.11)."""
    colours = contrast.SCHEMES[scheme]
    assert contrast.contrast(colours[pair.front], colours[pair.back]) >= pair.least, pair.where


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [("#000000", "#ffffff", 21.0), ("#777777", "#ffffff", 4.48), ("#123456", "#123456", 1.0)],
)
def test_contrast_is_as_wcag_computes_it(one: str, other: str, ratio: float) -> None:
    """Guards against: a formula that passes every pair."""
    assert contrast.contrast(one, other) == pytest.approx(ratio, abs=0.01)
    assert contrast.contrast(other, one) == pytest.approx(ratio, abs=0.01)


def test_both_schemes_have_the_same_colours() -> None:
    """Guards against: a colour that the dark scheme leaves light."""
    assert palette.LIGHT.keys() == palette.DARK.keys()


def test_the_style_has_no_colour_of_its_own() -> None:
    """Guards against: a colour whose contrast nobody computes."""
    assert not re.search(r"#[0-9a-fA-F]{3,8}\b(?![^{]*\{)|\brgba?\(|\bhsla?\(|\boklch\(", STYLE)
    named = set(re.findall(r"var\(--([a-z-]+)\)", STYLE))
    assert named <= palette.LIGHT.keys()


def test_every_colour_is_used() -> None:
    """Guards against: pairs that are computed for nothing."""
    named = set(re.findall(r"var\(--([a-z-]+)\)", STYLE))
    assert palette.LIGHT.keys() - named == set()


def test_every_colour_in_front_is_in_a_pair() -> None:
    """Guards against: a new colour of a text or a bar without its contrast."""
    used = re.findall(r"(?:[;{]|^)(?:color|fill|stroke):var\(--([a-z-]+)\)", STYLE, re.MULTILINE)
    grounds = {"sunken", "accent-back", "bad-back", "surface", "paper", "line"}
    assert set(used) - grounds <= {each.front for each in contrast.PAIRS}


def test_print_is_light_whatever_was_chosen() -> None:
    """Guards against: paper full of dark ink."""
    last = palette.css().splitlines()[-1]
    assert last.startswith("@media print{:root:root:root{color-scheme:light;")
    assert palette.LIGHT["paper"] in last
