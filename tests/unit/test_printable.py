"""Text from outside, as a terminal, a JSON reader and a Markdown reader get it."""

from __future__ import annotations

import json
import re
import sys
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from openai_ekm.printable import code_span, escape_markdown, json_text, printable

HOSTILE = st.text(
    st.one_of(
        st.sampled_from(
            "\n\r\t\x07\x1b\x7f\x85\x9b\u200b\u200f\u202e\u2028\u2029\u2066\ufeff\udc80"
        ),
        st.sampled_from("#*_`[]()<>&|~$!\\-+=. 0123456789:/@\"'abcwh"),
        st.characters(),
    ),
    max_size=60,
)
ORDINARY = ("Äpfel, Straße", "鍵の管理", "مفتاح", "ключ", "🔑 👍🏽", "e\u0301", "a b", "C:\\x")


def acts_or_hides(character: str) -> bool:
    """Whether a terminal acts on a character, or shows nothing for it."""
    return unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"} or (
        unicodedata.category(character) == "Zs" and character != " "
    )


def escapes_of(text: str) -> str:
    """Every character of a text as its escape."""
    return "".join(f"\\u{ord(c):04x}" if ord(c) <= 0xFFFF else f"\\U{ord(c):08x}" for c in text)


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_text_stays(text: str) -> None:
    """A project with an umlaut or an emoji in its name cannot be recognized."""
    assert printable(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb\r\tc", r"a\nb\r\tc"),
        ("\x1b]52;c;AAAA\x07", r"\u001b]52;c;AAAA\u0007"),
        ("\x7f\x85\x9b", r"\u007f\u0085\u009b"),
        ("\u202egnp\u2066\u200b\ufeff", r"\u202egnp\u2066\u200b\ufeff"),
        ("\u2028\u2029\udc80", r"\u2028\u2029\udc80"),
        ("\u00a0\u2800\u3164\u115f", r"\u00a0\u2800\u3164\u115f"),
        ("\U000e0041", r"\U000e0041"),
    ],
)
def test_what_acts_or_hides_is_an_escape(text: str, shown: str) -> None:
    """A name writes to the clipboard, forges a line, or looks like another name."""
    assert printable(text) == shown


@pytest.mark.exhaustive
def test_no_character_of_unicode_acts_or_hides() -> None:
    """Guards against: one of the 1.1 million code points that the rule forgets."""
    for first in range(0, sys.maxunicode + 1, 64):
        block = "".join(map(chr, range(first, first + 64)))
        # Most blocks stay as they are, or are escapes altogether.
        alone = [block] if printable(block) in {block, escapes_of(block)} else block
        for text in alone:
            shown = printable(text)
            assert not any(map(acts_or_hides, set(shown))), hex(first)
            assert shown == text or shown.isascii()


@given(HOSTILE)
def test_escaping_again_changes_nothing(text: str) -> None:
    """A value that was escaped in a sentence looks different once the line is."""
    assert printable(printable(text)) == printable(text)
    assert len(printable(text).splitlines()) <= 1


@example("\x7f\x9b\u202e\udc80\U000e0041", False, 2)
@example("\x7f", True, None)
@given(HOSTILE, st.booleans(), st.sampled_from([None, 2]))
def test_json_keeps_its_value_and_holds_nothing_raw(
    text: str,
    ascii_only: bool,
    indent: int | None,
) -> None:
    """`--json` on a terminal acts on what OpenAI wrote, or a program reads another value."""
    value = {text: [text, {"é": text}], "n": 1.5}
    shown = json_text(value, indent=indent, ensure_ascii=ascii_only)
    assert json.loads(shown) == value
    assert not any(acts_or_hides(character) for line in shown.split("\n") for character in line)
    assert json.loads(json_text("ä鍵\u3000", ensure_ascii=False)) == "ä鍵\u3000"
    assert "ä鍵" in json_text("ä鍵")


PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def plain_text_of(markdown: str) -> tuple[list[str], str]:
    """The kinds of tokens that a page has, and the text that it shows."""
    kinds, shown = [], []
    for token in PARSER.parse(markdown):
        kinds.append(token.type)
        for child in token.children or ():
            kinds.append(child.type)
            shown.append(child.content if not child.hidden else "")
    return [kind for kind in kinds if kind not in {"text", "text_special"}], "".join(shown)


MARKDOWN = (
    "<script>x</script>",
    "<!-- x",
    "<?x",
    "<div x",
    "\\[x\\](http://example.invalid)",
    "&lt;b&#62;",
    "# x",
    "- x",
    "+ x",
    "1. x",
    "1) x",
    "===",
    "---",
    "> x",
    "`x` ``y``",
    "*x* __y__ ~~z~~",
    "[x](http://example.invalid)",
    "![x](http://example.invalid)",
    "[x]: http://example.invalid",
    "<http://example.invalid>",
    "a | b | c",
    "a \\| b",
    "\\",
    "\\<b>",
    "\\`",
    "```",
    "~~~",
    "    x",
)


@pytest.mark.parametrize("text", MARKDOWN)
def test_markdown_in_a_value_is_text_alone(text: str) -> None:
    """A project name puts a link, a heading, HTML or a column into the evidence of a drill."""
    check_markdown(text)


@given(HOSTILE)
def test_a_generated_value_in_markdown_is_text_alone(text: str) -> None:
    """As above, where nobody thought of the value."""
    check_markdown(text)


def check_markdown(text: str) -> None:
    """A page with the value has the tokens of a page with a letter in its place."""
    shown = printable(text).strip()
    value = escape_markdown(text)
    page = f"| a | b |\n|---|---|\n| {value} | x |\n\nSo: {value}\n\n> {value}\n\n- {value}\n"
    harmless, _ = plain_text_of(page.replace(value, "v") if value else page)
    kinds, told = plain_text_of(page)
    assert kinds == harmless
    assert told.count(shown) >= 4


@pytest.mark.parametrize("text", ["https://x.invalid", "HTTP://x.invalid", "www.x.invalid"])
def test_an_address_is_no_link(text: str) -> None:
    """GitHub makes a link of a bare address; an escape in it stops that."""
    assert re.fullmatch(r"(?i)https?\\://x\\?.invalid|www\\.x.invalid", escape_markdown(text))


@example("``` ` ``")
@example("`")
@example("a|b\\|c")
@given(HOSTILE.filter(lambda text: printable(text).strip()))
def test_a_code_span_is_one_span_of_the_value(text: str) -> None:
    """An id with a backtick ends the span, and what follows is Markdown."""
    page = f"| a | b |\n|---|---|\n| {code_span(text)} | x |\n"
    inside = [child for token in PARSER.parse(page) for child in token.children or ()]
    assert [child.type for child in inside].count("code_inline") == 1
    assert [child.content for child in inside if child.type != "code_inline"] == ["a", "b", "x"]
