"""The page of `ekm evidence` in real Chromium, with its policy in force."""

from __future__ import annotations

import re
from importlib.resources import files
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from openai_ekm.evidence.page import palette
from tests.browser.conftest import CHROMIUM, PACKS, Visit
from tests.support import contrast

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

    from tests.browser.conftest import Open

pytestmark = pytest.mark.skipif(
    CHROMIUM is None,
    reason="no Chromium here: nobody opened the page of `ekm evidence` in a browser "
    "(tools/browser installs one)",
)

SCHEMES = ("light", "dark")

# Of each text in a drawing or plot: its colour, and that of the topmost thing behind its middle.
COLOURS_OF_TEXT = """
() => {
  const found = [];
  for (const text of document.querySelectorAll("svg text")) {
    if (!text.getClientRects().length) continue;
    text.scrollIntoView({block: "center", behavior: "instant"});
    const box = text.getBoundingClientRect();
    const under = document.elementsFromPoint(box.x + box.width / 2, box.y + box.height / 2);
    let back = "";
    for (const each of under) {
      if (each === text || each.tagName === "text") continue;
      const style = getComputedStyle(each);
      const colour = each instanceof SVGGeometryElement ? style.fill : style.backgroundColor;
      if (colour && colour !== "none" && colour !== "rgba(0, 0, 0, 0)") { back = colour; break; }
    }
    found.push([text.textContent, getComputedStyle(text).fill, back]);
  }
  return found;
}
"""

# Of each text: how far it sticks out of the box that it begins in, or else out of the drawing.
OVERRUN_OF_TEXT = """
() => {
  const found = [];
  for (const svg of document.querySelectorAll("svg.drawing, svg.plot")) {
    if (!svg.getClientRects().length) continue;
    const boxes = [...svg.querySelectorAll("rect.box")].map(each => each.getBoundingClientRect());
    for (const text of svg.querySelectorAll("text")) {
      const at = text.getBoundingClientRect();
      const inside = boxes.find(
        box => at.x >= box.x && at.x < box.right && at.y >= box.y && at.y < box.bottom);
      const right = Math.min((inside || svg.getBoundingClientRect()).right, innerWidth);
      found.push([text.textContent, at.right - right]);
    }
  }
  return found;
}
"""


def rgb(colour: str) -> str:
    """A computed colour as `#rrggbb`."""
    red, green, blue = map(int, re.findall(r"\d+", colour)[:3])
    return f"#{red:02x}{green:02x}{blue:02x}"


@pytest.mark.parametrize("name", PACKS)
def test_nothing_is_loaded_and_nothing_is_refused(
    visit: Open, pages: dict[str, Path], name: str
) -> None:
    """Guards against: a request that leaves the page, or a part that its own policy refuses."""
    found: Visit = visit(name)
    button = found.page.locator("#scheme")
    button.click()
    for details in found.page.locator("details:not([open]) > summary").all()[:2]:
        details.click()
    assert found.asked == [pages[name].as_uri()]
    assert found.said == []
    # The style and the script that the policy names were applied.
    assert button.text_content() == "Use light colours"
    assert found.page.evaluate("getComputedStyle(document.body).marginTop") == "0px"


def test_the_policy_is_in_force(browser: Browser, pages: dict[str, Path], tmp_path: Path) -> None:
    """Guards against: a policy that is written down and stops nothing."""
    attack = (
        '<p id="p" style="color:red" onclick="window.hit=1">x</p><script>window.hit=1</script>'
        '<style>#p{color:red}</style><img src="http://127.0.0.1:9/x"><iframe src="x"></iframe>'
    )
    file = tmp_path / "index.html"
    page = pages["good"].read_text(encoding="utf-8")
    file.write_text(page.replace('<main id="main"', f'{attack}<main id="main"'), encoding="utf-8")
    context = browser.new_context()
    found = Visit(context.new_page())
    found.page.goto(file.as_uri())
    found.page.locator("#p").click()
    assert found.page.evaluate("window.hit") is None
    assert found.page.evaluate("getComputedStyle(p).color") != "rgb(255, 0, 0)"
    refused = [each for each in found.said if "Content Security Policy" in each]
    assert len(refused) >= 5
    assert found.refused == ["csp"] * len(found.refused) != []
    context.close()


@pytest.mark.parametrize(
    ("name", "width", "scheme"),
    [
        ("bad", 1280, "light"),
        ("bad", 320, "dark"),
        ("empty", 1280, "dark"),
        ("hostile", 320, "light"),
    ],
)
def test_axe_finds_nothing(visit: Open, name: str, width: int, scheme: str) -> None:
    """Guards against: what a screen reader or a keyboard cannot use (axe-core, all its rules).

    The policy would refuse axe: it runs in a page of its own, where the policy is passed over.
    """
    axe = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
    page = visit(name, width=width, color_scheme=scheme, bypass_csp=True).page
    page.evaluate(axe)
    found = page.evaluate(
        "axe.run(document, {resultTypes: ['violations'], runOnly: "
        "['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']})"
    )
    assert len(found["passes"]) > 20
    assert [(each["id"], each["nodes"][0]["html"][:200]) for each in found["violations"]] == []


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("name", ["good", "bad"])
def test_text_of_drawings_has_its_contrast_where_it_stands(
    visit: Open, name: str, scheme: str
) -> None:
    """Guards against: a text on another ground than the palette's pairs say; axe skips SVG."""
    for width in (1280, 320):
        page = visit(name, width=width, color_scheme=scheme).page
        found = page.evaluate(COLOURS_OF_TEXT)
        assert len(found) > 20
        known = {
            (contrast.SCHEMES[scheme][each.front], contrast.SCHEMES[scheme][each.back])
            for each in contrast.PAIRS
            if each.least == contrast.TEXT
        }
        for text, front, back in found:
            assert contrast.contrast(rgb(front), rgb(back)) >= contrast.TEXT, (text, front, back)
            assert (rgb(front), rgb(back)) in known, (text, front, back)


@pytest.mark.parametrize("width", [320, 768, 1280])
@pytest.mark.parametrize("name", PACKS)
def test_the_page_fits_its_window(visit: Open, name: str, width: int) -> None:
    """Guards against: a page that scrolls sideways, or a name that runs out of its box."""
    page = visit(name, width=width).page
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    # Half a unit is the rounding of a font that is not quite the one the boxes are measured for.
    overrun = [each for each in page.evaluate(OVERRUN_OF_TEXT) if each[1] > 0.5]
    assert overrun == []


def test_the_hostile_page_is_no_longer_than_a_person_scrolls(visit: Open) -> None:
    """Guards against: 64 KB in each name that bury the claims."""
    found: Visit = visit("hostile")
    assert found.page.locator("svg[onload], [onerror], main script").count() == 0
    usual = visit("bad").page.evaluate("document.documentElement.scrollHeight")
    assert found.page.evaluate("document.documentElement.scrollHeight") < 5 * usual
    assert "\\u202e" in (found.page.locator("#who table").text_content() or "")


def test_the_keyboard_reaches_everything_and_shows_where_it_is(visit: Open) -> None:
    """Guards against: a focus that nobody sees, or a part that only a mouse can use."""
    page = visit("bad").page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.evaluate("document.activeElement.getBoundingClientRect().y") >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    reached = 0
    for _ in range(60):
        page.keyboard.press("Tab")
        tag, outline, style = page.evaluate(
            "(() => { const at = document.activeElement, style = getComputedStyle(at);"
            "return [at.tagName, parseFloat(style.outlineWidth), style.outlineStyle]; })()"
        )
        if tag == "BODY":
            break
        assert (outline >= 2, style) == (True, "solid"), tag
        reached += 1
    assert reached > 30


def test_the_scheme_is_chosen_by_keyboard_and_without_storage(visit: Open) -> None:
    """Guards against: a button that needs a mouse, or a store that a file may not have."""
    found: Visit = visit("good", color_scheme="dark")
    page = found.page
    button = page.locator("#scheme")
    assert button.text_content() == "Use light colours"
    ground = "getComputedStyle(document.body).backgroundColor"
    assert rgb(page.evaluate(ground)) == palette.DARK["paper"]
    button.press("Enter")
    assert rgb(page.evaluate(ground)) == palette.LIGHT["paper"]
    button.press("Space")
    assert rgb(page.evaluate(ground)) == palette.DARK["paper"]
    assert (
        page.evaluate("localStorage.length + sessionStorage.length + document.cookie.length") == 0
    )


def test_it_works_without_script(visit: Open) -> None:
    """Guards against: a reader whose browser runs no script, who sees half of it."""
    page = visit("bad", java_script_enabled=False).page
    assert not page.locator("#scheme").is_visible()
    for section in page.locator("main > section").all():
        assert section.is_visible()
    policy = page.locator("details.document").first
    assert not policy.locator("pre").is_visible()
    policy.locator("summary").click()
    policy.locator("pre").wait_for(state="visible")


def test_a_link_to_a_policy_opens_it(visit: Open) -> None:
    """Guards against: a link from a claim to a document that stays closed."""
    page = visit("bad").page
    page.locator("#claim-c .place a").first.click()
    # The event of the new address comes after the click has returned.
    page.locator("details.document[open]").wait_for()
    assert page.locator("details.document[open]").count() == 1


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_motion_is_only_for_those_who_want_it(visit: Open, motion: str) -> None:
    """Guards against: a page that glides under somebody whom that makes ill."""
    page = visit("good", reduced_motion=motion).page
    behaviour = page.evaluate("getComputedStyle(document.documentElement).scrollBehavior")
    assert behaviour == ("auto" if motion == "reduce" else "smooth")


def test_headings_are_in_order_and_tables_have_their_heads(visit: Open) -> None:
    """Guards against: a screen reader's list of headings with holes, or a cell without a head."""
    page = visit("bad").page
    levels = page.evaluate(
        "[...document.querySelectorAll('h1,h2,h3,h4,h5,h6')].map(each => +each.tagName[1])"
    )
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert page.locator("header, nav, main, footer").count() == 4
    assert page.locator("table").count() == page.locator("table:has(> caption)").count() > 8
    assert page.locator("th:not([scope])").count() == 0


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_it_prints_to_a_tagged_pdf_with_everything_open(
    visit: Open, tmp_path: Path, script: bool
) -> None:
    """Guards against: paper that leaves out what is closed on the screen, or a PDF without tags."""
    page = visit("bad", color_scheme="dark", java_script_enabled=script).page
    page.emulate_media(media="print", color_scheme="dark")
    if script:
        ground = page.evaluate("getComputedStyle(document.documentElement).colorScheme")
        assert ground == "light"
    shown = page.locator("details table, details pre").evaluate_all(
        "found => found.map(each => each.checkVisibility())"
    )
    assert len(shown) > 8
    assert all(shown)
    assert not page.locator("#scheme").is_visible()
    file = tmp_path / "page.pdf"
    page.pdf(path=file, tagged=True, prefer_css_page_size=True)
    content = file.read_bytes()
    assert b"/StructTreeRoot" in content
    assert b"/Lang (en)" in content or b"/Lang(en)" in content
    assert b"/MarkInfo" in content
