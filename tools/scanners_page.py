"""The tables of docs/scanners.md, and the suppressions that stand in the files."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["AT_THE_LINE", "Finding", "Row", "Suppression", "rows", "suppressions", "versions"]

PAGE = Path(__file__).resolve().parents[1] / "docs" / "scanners.md"
AT_THE_LINE = "at the line"
# The comment by which each scanner is told that a finding stays: rules, then the reason.
# A file is named by how its path ends; the first line of a shell script says what it is.
COMMENTS = {
    "bandit": re.compile(r"# no[s]ec\b:? *(?P<rules>B\d+(?:, B\d+)*)?(?: # (?P<reason>\S.*))?"),
    "checkov": re.compile(r"checkov:skip=(?P<rules>CKV\w+)(?:: (?P<reason>\S.*))?"),
    "trivy": re.compile(r"trivy:ignore:(?P<rules>[\w-]+)(?: (?P<reason>\S.*))?"),
    "zizmor": re.compile(r"zizmor: ignore\[(?P<rules>[\w, -]+)\](?: (?P<reason>\S.*))?"),
    "shellcheck": re.compile(r"shellcheck disable=(?P<rules>[\w,]+)(?: # (?P<reason>\S.*))?"),
}
READ_BY = {
    "bandit": (".py",),
    "checkov": (".tf", ".hcl", ".yml", ".yaml", ".json"),
    "trivy": (".tf", ".hcl"),
    "zizmor": (".yml", ".yaml"),
    "shellcheck": (".sh",),
}
SHELL = re.compile(rb"#!.*\b(?:ba|da)?sh\b")


class Finding(NamedTuple):
    """One thing that a scanner reports.

    Attributes:
        scanner: Its name.
        rule: The rule's id.
        place: A file of the repository, or a part of a plan: `plan` or a policy's name.
    """

    scanner: str
    rule: str
    place: str


class Suppression(NamedTuple):
    """One comment that tells a scanner to leave a finding out."""

    scanner: str
    rules: tuple[str, ...]
    place: str
    line: int
    reason: str


@dataclass(frozen=True)
class Row:
    """One row of the table of findings.

    Attributes:
        scanner: Its name.
        rule: The rule's id.
        places: Files, folders (with a slash at the end), or parts of a plan.
        verdict: `true` or `false`.
        why: The reason.
        suppressed: `at the line`, or why no comment can stand there.
    """

    scanner: str
    rule: str
    places: tuple[str, ...]
    verdict: str
    why: str
    suppressed: str

    def covers(self, finding: Finding) -> bool:
        """Return whether the row speaks of a finding."""
        return (self.scanner, self.rule) == finding[:2] and any(
            _holds(place, finding.place) for place in self.places
        )

    def unreported(self, findings: Iterable[Finding]) -> list[str]:
        """Return the row's places where no scanner reports its rule."""
        found = [
            one.place for one in findings if (one.scanner, one.rule) == (self.scanner, self.rule)
        ]
        return [place for place in self.places if not any(_holds(place, one) for one in found)]


def _holds(place: str, found: str) -> bool:
    return found.startswith(place) if place.endswith("/") else found == place


def _table(heading: str, page: Path) -> Iterator[list[str]]:
    """The cells of the rows of the table under a heading."""
    section = page.read_text(encoding="utf-8").split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    for line in lines[2:]:
        yield [cell.strip() for cell in line.strip("|").split("|")]


def versions(page: Path = PAGE) -> dict[str, tuple[str, str]]:
    """Return each scanner of the page with its version and its requirement, `name==version`."""
    return {cells[0]: (cells[1], cells[2].strip("`")) for cells in _table("Scanners", page)}


def rows(page: Path = PAGE) -> list[Row]:
    """Return the table of findings."""
    made = []
    for scanner, rule, where, verdict, why, suppressed in _table("Findings", page):
        places = tuple(place.strip().strip("`") for place in where.split(", "))
        made.append(Row(scanner, rule.split("`")[1], places, verdict, why, suppressed))
    return made


def readers(path: Path) -> list[str]:
    """Return the scanners that read a file."""
    found = [scanner for scanner, ends in READ_BY.items() if path.name.endswith(ends)]
    if not path.suffix and is_shell(path):
        found.append("shellcheck")
    return found


def is_shell(path: Path) -> bool:
    """Return whether a file is a shell script."""
    with path.open("rb") as file:
        return path.suffix == ".sh" or SHELL.match(file.readline(200)) is not None


def suppressions(root: Path, files: Iterable[str]) -> Iterator[Suppression]:
    """Yield every suppression that stands in the files of the repository.

    Args:
        root: The repository.
        files: Paths of its files.
    """
    for name in files:
        for scanner in readers(root / name):
            lines = (root / name).read_text(encoding="utf-8").splitlines()
            for number, line in enumerate(lines, 1):
                for found in COMMENTS[scanner].finditer(line):
                    rules = tuple(re.findall(r"[\w-]+", found["rules"] or ""))
                    yield Suppression(scanner, rules, name, number, found["reason"] or "")


def without_suppressions(path: Path) -> None:
    """Spoil every suppression in a file, so that the scanners report all that they find."""
    for scanner in readers(path):
        text = path.read_text(encoding="utf-8")
        spoilt = COMMENTS[scanner].sub("# (a suppression stood here)", text)
        if spoilt != text:
            path.write_text(spoilt, encoding="utf-8")
