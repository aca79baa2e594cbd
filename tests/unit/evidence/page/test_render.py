"""The whole page: the same each time, closed to the outside, and nothing in it acts."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser

import pytest

from openai_ekm.evidence.pack import Pack
from openai_ekm.evidence.page import write_page
from openai_ekm.evidence.page.render import content_security_policy
from tests.constants import KEY
from tests.support.evidence_page_packs import bad_day, empty, good_day, hostile

PACKS = {"good": good_day, "bad": bad_day, "empty": empty}


@cache
def page_of(name: str) -> str:
    """The page of a pack, written once for all tests."""
    return write_page(PACKS[name]())


@cache
def spoilt_page(attack: str) -> str:
    """The page of a bad day with an attack in each text."""
    return write_page(hostile(ATTACKS[attack]))


ATTACKS = {
    "markup": "<svg onload=alert(1)>",
    "quotes": "\"'><img src=x onerror=alert(1)>",
    "script": "</script><script>alert(1)</script>",
    "style": "</style><style>*{display:none}</style>",
    "template": "{{ 7*7 }}{% raw %}",
    "address": "javascript:alert(1)",
    "bidi": "\u202e\u2066evil",
    "lines": "a\nb\r\n\x00\x1b[31m",
    "marks": "a" + "\u0301" * 100,
    "long": "W" * 65_536,
    "nothing": "",
}


class Reader(HTMLParser):
    """Reads a page as a browser does: elements, attributes, text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self.inside: dict[str, str] = {}
        self._open = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep an element."""
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        self._open = tag

    def handle_data(self, data: str) -> None:
        """Keep a text."""
        self.texts.append(data)
        if self._open in {"script", "style"}:
            self.inside[self._open] = self.inside.get(self._open, "") + data

    def handle_endtag(self, tag: str) -> None:
        """Leave an element."""
        if tag == self._open:
            self._open = ""


@pytest.mark.parametrize("name", PACKS)
def test_the_page_is_the_same_for_the_same_pack(name: str) -> None:
    """Guards against: a page that a second run writes otherwise, so that its hash differs."""
    assert page_of(name) == write_page(PACKS[name]())


@pytest.mark.parametrize("name", PACKS)
def test_the_policy_has_the_hashes_of_style_and_script(name: str) -> None:
    """Guards against: a style that no browser applies, or a policy that lets in another one."""
    reader = Reader(page_of(name))
    (policy,) = [
        attributes["content"]
        for tag, attributes in reader.elements
        if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    for element, directive in (("style", "style-src"), ("script", "script-src")):
        digest = hashlib.sha256(reader.inside[element].encode()).digest()
        assert f"{directive} 'sha256-{base64.b64encode(digest).decode()}';" in policy


def test_the_policy_changes_with_the_script() -> None:
    """Guards against: a hash that is written down and not computed."""
    assert content_security_policy("a", "b") != content_security_policy("a", "c")


@pytest.mark.parametrize("name", PACKS)
def test_nothing_on_the_page_needs_an_exception_of_the_policy(name: str) -> None:
    """Guards against: a style attribute, an event handler, or an address outside the pack."""
    for tag, attributes in Reader(page_of(name)).elements:
        assert "style" not in attributes
        assert not [each for each in attributes if each.startswith("on")]
        assert tag not in {"img", "iframe", "link", "object", "embed", "form", "base", "use"}
        address = attributes.get("href", "#none")
        assert re.fullmatch(r"#[a-z0-9-]+|[a-z-]+\.json", address), address


@pytest.mark.parametrize("name", PACKS)
def test_every_link_on_the_page_leads_somewhere_and_each_name_stands_once(name: str) -> None:
    """Guards against: a link to a section that this pack does not have."""
    elements = Reader(page_of(name)).elements
    ids = [attributes["id"] for _, attributes in elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in elements:
        if attributes.get("href", "").startswith("#"):
            assert attributes["href"][1:] in ids
        for each in attributes.get("aria-labelledby", "").split():
            assert each in ids


@pytest.mark.parametrize("attack", ATTACKS)
def test_hostile_text_is_text(attack: str) -> None:
    """Guards against: a name that becomes an element, an attribute or a script."""
    usual, spoilt = Reader(page_of("bad")), Reader(spoilt_page(attack))
    kinds = {tag for tag, _ in usual.elements}
    assert {tag for tag, _ in spoilt.elements} <= kinds | {"q"}
    assert [tag for tag, _ in spoilt.elements if tag in {"script", "style"}] == ["style", "script"]
    assert spoilt.inside == usual.inside
    for _, attributes in spoilt.elements:
        assert not [each for each in attributes if each.startswith("on") or each == "style"]
        assert not attributes.get("href", "").lower().startswith("javascript")


@pytest.mark.parametrize("attack", ["bidi", "lines", "markup", "template"])
def test_hostile_text_is_shown_and_not_dropped(attack: str) -> None:
    """Guards against: a name that vanishes, so that nobody sees the attack."""
    shown = {
        "bidi": "\\u202e\\u2066evil",
        "lines": "a\\nb\\r\\n\\u0000\\u001b[31m",
        "markup": "<svg onload=alert(1)>",
        "template": "{{ 7*7 }}{% raw %}",
    }[attack]
    page = "".join(Reader(spoilt_page(attack)).texts)
    assert page.count(shown) > 40
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00\x1b\r]", page)


def test_long_text_is_bounded() -> None:
    """Guards against: a page of a hundred megabytes."""
    assert len(spoilt_page("long")) < 600_000


@pytest.mark.parametrize("name", PACKS)
def test_the_page_never_judges_an_organization(name: str) -> None:
    """Guards against: a word that only an auditor may say."""
    page = page_of(name).lower()
    assert not re.search(
        r"complian|certified|passes the audit|meets the (control|requirement)", page
    )


def test_what_was_left_out_is_said() -> None:
    """Guards against: an empty section, which looks like a good answer."""
    page = page_of("empty")
    for each in (
        "No trail was read, so this page does not say who used the key.",
        "What is there was not compared with what was meant.",
        "OpenAI was not asked whether it can use the key.",
        "The pack holds no report of a drill.",
        "The pack does not say whether the key is rotated.",
        "No trail was named.",
    ):
        assert each in page


@pytest.mark.parametrize(("enabled", "shown"), [(False, "none"), (None, "not seen")])
def test_a_key_that_is_not_rotated_has_no_period_and_no_next_date(
    enabled: bool | None, shown: str
) -> None:
    """Guards against: "not seen" for what is known not to be there, and the other way round."""
    key: dict[str, object] = {
        "key_arn": KEY,
        "enabled": enabled,
        "rotations": [],
        "period_in_days": None,
        "next_rotation_at": None,
    }
    page = write_page(replace(good_day(), rotation={"keys": [key]}))
    for name in ("Period", "Next"):
        assert f"<div><dt>{name}</dt><dd>{shown}</dd></div>" in page


def test_what_the_pack_does_not_say_of_rotation_leads_to_its_reason() -> None:
    """Guards against: AWS's silence in a pack for which AWS was not asked."""
    assert (
        '<p>The pack does not say whether the key is rotated. See <a href="#not-seen">Not seen</a>.'
    ) in page_of("empty")


def test_a_warning_is_not_called_a_fault() -> None:
    """Guards against: a screen reader that tells of a fault where OpenAI can use the key."""
    found = {"statement": None, "sid": None, "document": "scps", "message": "x", "remedy": "y"}
    diagnosis = {"faults": [{"id": "one", **found}], "warnings": [{"id": "two", **found}]}
    page = write_page(replace(good_day(), diagnosis={**good_day().diagnosis, **diagnosis}))
    labels = re.findall(r'aria-label="((?:Fault|Warning)[^"]*)"', page)
    assert labels == ["Fault one", "Warning two"]


def test_each_claim_and_each_control_is_shown_with_all_it_says() -> None:
    """Guards against: a control without what it does not show."""
    pack = bad_day()
    page = "".join(Reader(page_of("bad")).texts)
    for control in pack.controls:
        for text in (control.title, control.supports, control.does_not_show, control.person):
            assert text in page
    for claim in pack.proof["claims"]:
        assert f"Claim {claim['id']}: " in page


def test_a_control_says_which_of_its_members_the_pack_lacks() -> None:
    """Guards against: a control that seems to rest on a report that nobody gave."""
    pack = replace(good_day(), drift=None)
    (row,) = (each for each in pack.controls if each.id == "CM-3")
    assert row.members == ("usage", "drift", "audit_events")
    page = "".join(Reader(write_page(replace(pack, controls=(row,)))).texts)
    assert "From usage, drift (not in this pack), audit events" in page


def test_refused_calls_that_name_nothing_are_shown() -> None:
    """Guards against: an auditor who reads of every call but those that no alarm tells of."""
    pack = bad_day()
    assert pack.usage is not None
    event = {**pack.usage["others"]["events"][0], "reason": "names neither <b>key</b>"}
    usage = {**pack.usage, "unattributed": {"calls": 1, "events": [event]}}
    heading = "Refused calls whose records name no key and no role"
    page = write_page(replace(pack, usage=usage))
    assert f"<h3>{heading}</h3>" in page
    assert "names neither &lt;b&gt;key&lt;/b&gt;" in page
    assert heading not in write_page(pack)


def test_each_plot_has_its_table() -> None:
    """Guards against: a number that only those who see the plot can read."""
    pack = bad_day()
    assert pack.usage is not None
    page = page_of("bad")
    figures = re.findall(r'<figure class="figure".*?</figure>', page, re.DOTALL)
    assert len(figures) == 6
    for figure in figures:
        assert figure.count('role="img"') >= 1
        assert figure.count("<title ") == figure.count("<desc ") == figure.count('role="img"')
        assert "<caption>" in figure
    rows = re.findall(
        r'<th scope="row"><code>([\d-]+)</code></th><td class="number">(\d+)', figures[0]
    )
    assert [(day, int(calls)) for day, calls in rows] == [
        (each["day"], each["calls"]) for each in pack.usage["by_day"]
    ]


@pytest.mark.parametrize("name", PACKS)
def test_the_page_is_well_formed(name: str) -> None:
    """Guards against: an element that is never closed, which a browser closes elsewhere."""
    page = page_of(name)
    empty_elements = {"meta", "br", "wbr", "rect", "path", "circle", "line", "polygon"}
    stack: list[str] = []

    class Nesting(HTMLParser):
        def handle_starttag(self, tag: str, _attributes: object) -> None:
            if tag not in empty_elements:
                stack.append(tag)

        def handle_startendtag(self, *_: object) -> None:
            pass

        def handle_endtag(self, tag: str) -> None:
            assert stack.pop() == tag

    Nesting().feed(page)
    assert stack == []
    assert page.startswith('<!doctype html>\n<html lang="en">')


def test_a_day_that_is_none_is_a_row_without_a_column() -> None:
    """Guards against: a report whose days nobody can read, which ends the run."""
    usage = {"by_day": [{"day": "someday", "calls": 3}], "openai": {}, "others": {}}
    assert "<code>someday</code>" in write_page(replace(empty(), usage=usage))


def test_a_pack_is_all_that_the_page_needs() -> None:
    """Guards against: a page that reads the clock, the machine or the network."""
    assert isinstance(good_day(), Pack)
    assert "29 November 2026, 10:00 UTC" in write_page(good_day())
