"""Markdown: one table whose cells show values as they are."""

from __future__ import annotations

import re

import pytest
from markdown_it import MarkdownIt

from openai_ekm.reports import State, as_markdown
from openai_ekm.reports.markdown import LONGEST_TABLE, safe_text
from tests.unit.reports.samples import every_state, finding, hostile, report

EVIL = [
    "a|b",
    "a\\|b",
    "a\\\\|b`|`",
    "x\n\n# heading\n| forged | row |",
    "`` ` ```",
    "<img src=https://evil.example/x>",
    "<!-- hidden",
    "[link](https://evil.example)",
    "![picture](https://evil.example)",
    "https://evil.example/x",
    "www.evil.example",
    "mail@evil.example",
    "@octocat and @org/team",
    "owner/repo#12 #34 GH-56",
    "!12 ~label %milestone &epic $snippet",
    "/close",
    "$x^2$ :tada:",
    "*bold* _it_ ~~gone~~",
    "\u202eabc\u200b\x1b[31m",
    "a\\",
    "&lt;b&gt; &#64;octocat",
]
MENTION = re.compile(r"[@#]\w|GH-\d|www\.|://|[!~%&$]\w")


def tables(text: str) -> tuple[list[list[list[tuple[str, str]]]], set[str]]:
    """The rows of a text's tables as cells of (kind, content), and the kinds of everything."""
    parser = MarkdownIt("gfm-like", {"linkify": False})
    rows: list[list[list[tuple[str, str]]]] = []
    kinds: set[str] = set()
    for token in parser.parse(text):
        kinds.add(token.type)
        if token.type == "tr_open":
            rows.append([])
        if token.type == "inline":
            parts = [(each.type, each.content) for each in token.children or ()]
            kinds |= {kind for kind, _ in parts}
            if rows:
                rows[-1].append(parts)
    return rows, kinds


def test_each_state_is_a_row_with_its_remedy() -> None:
    """Guards against: a table without what a reviewer is to do."""
    text = as_markdown([every_state()])
    rows, _ = tables(text)
    assert len(rows) == 7
    assert text.splitlines()[0] == (
        "### ekm prove: 1 holds, 1 FAILS, 1 UNDECIDED, 1 undecided and accepted, 1 warning, "
        "1 accepted"
    )
    said = ["".join(content for _, content in row[-1]) for row in rows[1:]]
    accept = " To accept it undecided, add --accept-undecided c=REASON."
    remedy = "Remove the statement."
    assert said == ["", remedy, remedy + accept, remedy, remedy, remedy]
    assert "Accepted: the owner proves it" in text


@pytest.mark.parametrize("text", EVIL)
def test_a_value_is_shown_and_does_nothing(text: str) -> None:
    """Guards against: a name that forges a row, mentions a team, or loads a picture."""
    written = as_markdown([hostile(text), report(finding(State.HOLDS))])
    body, _, notes = written.partition("\n\n- ")
    rows, kinds = tables(body)
    assert [len(row) for row in rows] == [5] * 4
    assert kinds <= {
        *("heading_open", "heading_close", "inline", "text", "code_inline", "html_inline"),
        *("table_open", "table_close", "thead_open", "thead_close", "tbody_open", "tbody_close"),
        *("tr_open", "tr_close", "th_open", "th_close", "td_open", "td_close"),
    }
    shown = [part for row in rows for cell in row for part in cell]
    assert {content for kind, content in shown if kind == "html_inline"} <= {"<br>"}
    plain = [content for kind, content in shown if kind == "text"]
    assert [each for each in plain if MENTION.search(each)] == []
    assert len(notes.strip().splitlines()) == 1
    assert all(each.isprintable() or each in "\n\ufe0f" for each in written)


@pytest.mark.parametrize("text", EVIL)
def test_a_cell_ends_where_github_ends_it(text: str) -> None:
    """GitHub takes a backslash and the sign after it for one: a bar after that ends the cell."""
    (line,) = safe_text(text).splitlines()
    assert "|" not in re.sub(r"\\[!-/:-@\[-`{-~]", "", line)


def test_plain_words_stay_text_and_values_are_code() -> None:
    """Guards against: a table that nobody can read."""
    arn = "arn:aws:iam::111122223333:role/x"
    assert safe_text(f"The role ({arn}) isn't allowed kms:Decrypt, today.") == (
        f"The role (`{arn}`) isn't allowed `kms:Decrypt`, today."
    )


def test_a_command_and_the_name_of_a_symbol_are_one_piece_of_code() -> None:
    """Guards against: code marks in the middle of a command or an ARN."""
    arn = "arn:aws:kms:eu-west-1:111122223333:key/(key id not known before apply)"
    assert safe_text(f"Allowed on {arn}") == f"Allowed on `{arn}`"
    assert safe_text("Run (`ekm prove --from-plan -`), then go on.") == (
        "Run (`ekm prove --from-plan -`), then go on."
    )
    assert safe_text("`@team` and ``x`") == "`@team` and ``` ``x` ```"


def test_the_gravest_rows_of_too_many_are_kept() -> None:
    """Guards against: a comment that is too long for GitHub, so that nobody sees a failure."""
    holding = [finding(State.HOLDS) for _ in range(5000)]
    text = as_markdown([report(*holding, finding(State.FAILS))])
    assert len(text) < LONGEST_TABLE + 2000
    assert "❌" in text
    assert "more rows are left out" in text
