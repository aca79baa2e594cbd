"""A reader can open each source that code cites: a public URL, or a page of this repository.

A citation is `Source:` or `Sources:` in a comment or docstring. It goes on to the end of its
sentence or paragraph, and holds nothing but references, and notes in parentheses.
"""

from __future__ import annotations

import io
import re
import subprocess
import tokenize
from pathlib import Path

import pytest

from tests.support.headings import anchors

ROOT = Path(__file__).resolve().parents[2]
CITATION = re.compile(r"\bSources?:\s(.*?)(?=\n\s*\n|\.\s+[A-Z`]|\Z)", re.DOTALL)
URL = re.compile(r"https://[\w-]+(?:\.[\w-]+)+(?:/[^\s,;()<>\"]*[\w/])?")
PAGE = re.compile(
    r"(?<![\w/.-])((?:bench|docs|examples|modules|scripts|tests|tools)/[\w./-]*[\w-])(?:#([\w-]+))?"
)
NOTE = re.compile(r"\([^()]*(?:\([^()]*\)[^()]*)*\)")
BETWEEN = re.compile(r"[\s,;.]|\band\b")
# Texts that are not in this repository.
ELSEWHERE = re.compile(r"wire\s+contract|design\s+section|openai-ekm-api", re.IGNORECASE)
THIS = "tests/docs/test_sources.py"


def committed(*patterns: str) -> list[str]:
    """Files of this repository, by patterns of git."""
    listed = subprocess.run(
        ["git", "ls-files", *patterns], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [file for file in listed.stdout.split() if file != THIS and (ROOT / file).is_file()]


CODE = committed("*.py", "*.tf", "*.hcl", "tools/*", "bench/*")


def prose(file: str) -> list[str]:
    """Docstrings, and comments: one text for comments on adjacent lines."""
    content = (ROOT / file).read_text(encoding="utf-8")
    if not file.endswith(".py"):
        lines = re.sub(r"^\s*#", "#", content, flags=re.MULTILINE).split("\n")
        return re.findall(r"#.+(?:\n#.*)*", "\n".join(lines))
    texts: list[str] = []
    row = -1
    for token in tokenize.generate_tokens(io.StringIO(content).readline):
        if token.type == tokenize.STRING and token.string.lstrip("r").startswith('"""'):
            texts.append(token.string.lstrip("r").strip('"'))
        elif token.type == tokenize.COMMENT:
            alone = token.line.lstrip().startswith("#")
            adjacent = alone and token.start[0] == row + 1
            row = token.start[0] if alone else -1
            if adjacent:
                texts[-1] += "\n" + token.string
            else:
                texts.append(token.string)
    return texts


def wrong(citation: str) -> list[str]:
    """What a reader cannot open of a citation."""
    found = [
        missing
        for path, anchor in PAGE.findall(NOTE.sub(" ", citation))
        if (missing := missing_page(path, anchor))
    ]
    rest = NOTE.sub(" ", citation)
    if not URL.search(rest) and not PAGE.search(rest):
        found.append("no reference")
    rest = BETWEEN.sub("", PAGE.sub(" ", URL.sub(" ", rest)))
    return [*found, rest] if rest else found


def missing_page(path: str, anchor: str) -> str:
    """Return what is not there of a page of this repository, or nothing."""
    if not (ROOT / path).exists():
        return path
    if anchor and anchor not in anchors(ROOT / path):
        return f"{path}#{anchor}"
    return ""


def citations(file: str) -> list[str]:
    """Every citation of a file of code."""
    texts = (re.sub(r"^\s*#+ ?", "", text, flags=re.MULTILINE) for text in prose(file))
    return [cited for text in texts for cited in CITATION.findall(text)]


@pytest.mark.parametrize(
    "citation",
    [
        "the manual",
        "docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html",
        "http://example.com/page",
        "docs/no-such-page.md",
        "docs/traps.md#no-such-heading",
        "docs/traps.md#openai; KMS GetKeyPolicy",
        "https://help.openai.com/en/articles/20000953, 20000957 (no swap)",
        "(docs/traps.md)",
    ],
)
def test_a_citation_that_nobody_can_open_is_found(citation: str) -> None:
    """Guards against: a check that lets everything pass."""
    assert wrong(citation) != []


@pytest.mark.parametrize(
    "citation",
    [
        "https://help.openai.com/en/articles/20000953 (the flag),\nhttps://example.com/a#b.",
        "docs/traps.md#openai (what (else) it says) and modules/key",
    ],
)
def test_a_citation_that_can_be_opened_passes(citation: str) -> None:
    """A URL or a page that exists, with notes in parentheses, is a citation."""
    assert wrong(citation) == []


def test_citations_are_read_from_docstrings_and_comments() -> None:
    """Guards against: a search that finds no citation, and so nothing wrong."""
    in_python = [each for file in CODE if file.endswith(".py") for each in citations(file)]
    assert len(in_python) > 100
    assert any("\n" in each for each in in_python)


def test_each_source_can_be_opened() -> None:
    """Guards against: a source outside the repository, a page that moved, a heading renamed."""
    found = {
        f"{file}: {cited}": faults
        for file in CODE
        for cited in citations(file)
        if (faults := wrong(cited))
    }
    assert found == {}


def test_each_page_that_code_names_exists() -> None:
    """Guards against: a comment or message that sends a reader to a page that moved."""
    found = {
        (file, missing)
        for file in CODE
        for path, anchor in PAGE.findall((ROOT / file).read_text(encoding="utf-8"))
        if path.startswith("docs/") and path.endswith(".md")
        if (missing := missing_page(path, anchor))
    }
    assert found == set()


def test_no_file_cites_a_text_outside_the_repository() -> None:
    """Guards against: a section number of a document that readers do not have."""
    found = [
        file
        for file in committed()
        if ELSEWHERE.search((ROOT / file).read_text(encoding="utf-8", errors="replace"))
    ]
    assert found == []
