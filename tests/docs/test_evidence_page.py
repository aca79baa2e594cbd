"""docs/operate/evidence.md says of the table of controls what the table has."""

from __future__ import annotations

from pathlib import Path

from openai_ekm.evidence.controls import FRAMEWORKS, read_controls

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "operate" / "evidence.md").read_text(encoding="utf-8")
BENCHMARK = "CIS AWS Foundations Benchmark "


def cells(line: str) -> list[str]:
    """The cells of a row of a table."""
    return [each.strip() for each in line.strip("|").split("|")]


def test_the_page_has_the_numbers_of_the_benchmark_s_version() -> None:
    """Guards against: a version that is named beside the numbers of another one."""
    table = PAGE.split("<!-- benchmark -->")[1].split("<!-- /benchmark -->")[0].strip()
    head, _, *rows = map(cells, table.splitlines())
    (framework,) = (each for each in FRAMEWORKS if each.startswith(BENCHMARK))
    column = head.index(framework.removeprefix(BENCHMARK))
    of_the_table = {(row.id, row.title) for row in read_controls() if row.framework == framework}
    assert {(row[column], row[0]) for row in rows} == of_the_table


def test_the_page_says_of_every_framework_what_it_was_compared_with() -> None:
    """Guards against: numbers that nobody has looked up, beside others that somebody has."""
    section = PAGE.split("### The table of controls")[1].split("<!-- benchmark -->")[0]
    rows = [cells(line) for line in section.splitlines() if line.startswith("| ")]
    assert {row[0] for row in rows[1:]} == FRAMEWORKS
    assert all(len(row) == 3 and all(row) for row in rows)
