"""Sentences of docs, help texts and docstrings open with their subject, or with a verb."""

from __future__ import annotations

import ast
import re
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from openai_ekm.cli.main import ekm

if TYPE_CHECKING:
    from collections.abc import Iterator

    import click

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
# A sentence opens a line, a list item or a cell of a table, or follows the end of another.
OPENING = re.compile(
    r"(?:^\s*(?:[-*] |\d+\. )?|\| |(?<!e\.g)(?<!i\.e)[.:;?!]\*{0,2} )"
    r"(?P<words>(?:Whoever|Whatever|What (?!is\b[^.]*\?)|Of (?:a|an|the)\b)[^.|]{0,40})"
)
# What follows is a list of noun phrases, each with its name before it.
SECTION = re.compile(r"^(?:Args|Attributes|Returns|Yields|Raises|Sources?|Example):", re.MULTILINE)
# A word that opens a noun phrase or a clause, and a plural or a third person: no imperative.
NO_VERB = re.compile(
    r"(?:An?|The|One|Each|Every|Everybody|Everything|Both|All|Any|No|None|Nothing|Nobody|Some"
    r"|Somebody|Something|Other|What|Whatever|Whether|Which|Who|Whoever|Where|When|Why|How|Of|As"
    r"|By|From|In|For|With|After|At|This|That|These|Those|Its?|[A-Z][a-z]*[^s]s|[^A-Za-z].*)$"
)
FENCE = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)


def openings(text: str) -> list[str]:
    """Openings of sentences that hide the subject; headings and heads of tables are none."""
    lines = [*FENCE.sub("", text).splitlines(), ""]
    return [
        found["words"]
        for line, following in pairwise(lines)
        if not line.startswith("#") and not following.startswith("|---")
        for found in OPENING.finditer(line)
    ]


def helps(command: click.Command, name: str) -> Iterator[tuple[str, str]]:
    """The help text of a verb, and that of each of its options."""
    yield name, command.help or ""
    for parameter in command.params:
        yield f"{name} {parameter.name}", getattr(parameter, "help", None) or ""
    for verb in getattr(command, "list_commands", lambda _: ())(None):
        yield from helps(command.get_command(None, verb), f"{name} {verb}")  # type: ignore[attr-defined]


def is_command(text: str) -> bool:
    """Whether a docstring opens with a verb in the imperative, as far as its first word tells."""
    return not NO_VERB.match(re.split(r"[ ,;:\n]", text, maxsplit=1)[0])


Defined = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def docstrings() -> Iterator[tuple[str, Defined, str]]:
    """Place, node and docstring of each class and function of the package."""
    for file in sorted((ROOT / "scripts" / "openai_ekm").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, Defined) and (text := ast.get_docstring(node)):
                yield f"{file.relative_to(ROOT)}:{node.lineno} {node.name}", node, text


@pytest.mark.parametrize(
    "text",
    [
        "Whoever applies needs this.",
        "It holds. What a plan lacks is a symbol.",
        "- Of the 79 all fail.",
        "| `a` | What nobody saw |",
    ],
)
def test_a_sentence_that_hides_its_subject_is_found(text: str) -> None:
    """Guards against: a check that lets everything pass."""
    assert openings(text) != []


@pytest.mark.parametrize(
    "text",
    ["## What it does", "| What | How |\n|---|---|", "```\nWhat a shell prints\n```"],
)
def test_headings_and_code_are_left_alone(text: str) -> None:
    """Headings, heads of tables and code are not sentences."""
    assert openings(text) == []


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_sentences_of_a_page_open_with_their_subject(page: Path) -> None:
    """No sentence opens with "Whoever", "Whatever", "What a …" or "Of the …"."""
    assert openings(page.read_text(encoding="utf-8")) == []


def test_sentences_of_the_help_open_with_their_subject() -> None:
    """The help of each verb and option reads as the pages do."""
    texts = dict(helps(ekm, "ekm"))
    assert len(texts) > 100
    assert {name: found for name, text in texts.items() if (found := openings(text))} == {}


def test_sentences_of_module_docstrings_open_with_their_subject() -> None:
    """The docstring of each module of the package reads as the pages do."""
    files = [*(ROOT / "scripts" / "openai_ekm").rglob("*.py")]
    texts = {
        str(file.relative_to(ROOT)): ast.get_docstring(ast.parse(file.read_text(encoding="utf-8")))
        for file in files
    }
    assert len(texts) > 100
    assert {file: found for file, text in texts.items() if (found := openings(text or ""))} == {}


def test_sentences_of_docstrings_open_with_their_subject() -> None:
    """The docstring of each class and function of the package reads as the pages do."""
    texts = {place: SECTION.split(text)[0] for place, _, text in docstrings()}
    assert len(texts) > 1000
    assert {place: found for place, text in texts.items() if (found := openings(text))} == {}


@pytest.mark.parametrize(
    "text",
    [
        "The key's policy.",
        "Whether it holds.",
        "Names of projects.",
        "Returns the key.",
        "(a): nobody else.",
        "`--all`.",
        "As `--json` prints it.",
    ],
)
def test_a_docstring_without_a_verb_is_found(text: str) -> None:
    """Guards against: a check that takes every docstring for a command."""
    assert not is_command(text)


@pytest.mark.parametrize("text", ["Return the key.", "Pass it on.", "Retire, then look."])
def test_a_docstring_that_opens_with_a_verb_is_left_alone(text: str) -> None:
    """Guards against: a check that takes a verb for a noun."""
    assert is_command(text)


def test_docstrings_of_functions_are_commands() -> None:
    """A function's docstring says in the imperative what the function does: "Return …"."""
    functions = {
        place: text
        for place, node, text in docstrings()
        # The group's docstring is the first line of `ekm --help`.
        if not isinstance(node, ast.ClassDef) and node.name != "ekm"
    }
    assert len(functions) > 1000
    assert {place: text for place, text in functions.items() if not is_command(text)} == {}


def test_docstrings_of_fault_tests_say_what_they_guard_against() -> None:
    """A report of tests/faults prints the docstring, which must not read as a fact."""
    tests = {
        f"{file.name} {node.name}": ast.get_docstring(node) or ""
        for file in (ROOT / "tests" / "faults").glob("test_*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }
    assert len(tests) > 200
    assert [test for test, text in tests.items() if not text.startswith("Guards against: ")] == []
