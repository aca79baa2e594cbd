"""Scan the repository, the plans of its examples and their policies; compare with docs/scanners.md.

It fails when a scanner shows a customer something, when a finding is not in the page, when the page
has one that no scanner reports, and when a scanner has another version than the page says.

The repository is scanned as a clone has it, twice: as it is, and without its suppressions. The
first shows what a customer sees, the second everything that the page must explain.
"""

from __future__ import annotations

import json
import shutil
import subprocess  # nosec B404 # each call says below why it is safe
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import scanners
import scanners_page
from scanners_page import Finding

from openai_ekm.errors import EkmError
from openai_ekm.rehearsal import LocalStack, Workspace
from openai_ekm.snapshot.plan_instances import merge_unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
KEY = "arn:aws:kms:eu-west-1:111122223333:key/11111111-2222-4333-8444-555555555555"
ORGANIZATION = {"organization_id": "org-abc123"}
DOCUMENTS = {
    "trust_policy": "trust policy",
    "permission_policy": "identity policy",
    "key_policy": "key policy",
}


def copy_repository(to: Path) -> None:
    """Copy what a clone of the repository would have, with what is not committed yet."""
    listed = subprocess.run(  # nosec B603, B607 # the git on PATH, fixed words
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    for name in listed.split("\0"):
        if name and (ROOT / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, to / name)


def make_plans(into: Path, work: Path) -> None:
    """Plan every example, and write the plan as `terraform show -json` prints it."""
    into.mkdir()
    with LocalStack.start() as aws:
        made = aws.client("kms").create_key()["KeyMetadata"]["Arn"]
        further: dict[str, dict[str, Any]] = {
            "existing-key": {"kms_key_arn": made},
            "fleet": {"keys": {"red": {"projects": ["red-chat"]}, "blue": {}}},
        }
        for example in sorted(path.name for path in (ROOT / "examples").iterdir() if path.is_dir()):
            workspace = Workspace(
                ROOT / "examples" / example,
                work / example,
                aws.environment(),
                variables=ORGANIZATION | further.get(example, {}),
            )
            (into / f"{example}.json").write_text(
                json.dumps(workspace.plan().json), encoding="utf-8"
            )


def policies(plans: Path) -> Iterator[tuple[str, str]]:
    """Yield each policy of the plans once: its name, and its text."""
    seen: set[str] = set()
    for file in sorted(plans.glob("*.json")):
        for planned in json.loads(file.read_text(encoding="utf-8"))["resource_changes"]:
            if not planned["address"].endswith("terraform_data.documents"):
                continue
            change = planned["change"]
            written = merge_unknown(change["after"], change["after_unknown"], KEY)["input"]
            for member, name in DOCUMENTS.items():
                text = json.dumps(written.get(member))
                if text != "null" and text not in seen:
                    seen.add(text)
                    yield name, text


def scan_repository(work: Path) -> tuple[set[Finding], set[Finding]]:
    """Return what the scanners show of a clone, and what they would show without suppressions."""
    clone, bare = work / "clone", work / "bare"
    copy_repository(clone)
    shutil.copytree(clone, bare)
    for path in bare.rglob("*"):
        if path.is_file():
            scanners_page.without_suppressions(path)
    for name, text in scanners.CANARIES.values():
        (bare / name).write_text(text, encoding="utf-8")
    shown, skipped = scanners.checkov_repository(clone)
    everything = shown | skipped
    for name, scan in scanners.REPOSITORY.items():
        progress(name)
        shown |= set(scan(clone))
        found = set(scan(bare))
        if name in scanners.CANARIES:
            canary = {one for one in found if one.place == scanners.CANARIES[name][0]}
            if not canary:
                raise scanners.ScanError(f"{name} does not report a fault made for it")
            found -= canary
        everything |= found
    return shown, everything


def scan_plans(work: Path) -> set[Finding]:
    """Return what the scanners show of the examples' plans and their policies."""
    progress("plans of the examples")
    make_plans(work / "plans", work)
    progress("checkov and trivy on the plans")
    found = set(scanners.plans(work / "plans"))
    for scanner, scan in scanners.POLICIES.items():
        progress(f"{scanner} on the policies")
        for name, text in policies(work / "plans"):
            found |= {Finding(scanner, rule, name) for rule in scan(text)}
    return found


def faults(shown: set[Finding], everything: set[Finding]) -> Iterator[str]:
    """Compare what was found with the page; say each difference."""
    table = scanners_page.rows()
    for one in sorted(shown):
        yield f"{one.scanner} shows {one.rule} in {one.place}: mend it, or say there why it stays"
    for one in sorted(everything):
        if not any(row.covers(one) for row in table):
            yield f"docs/scanners.md does not have {one.scanner} {one.rule} in {one.place}"
    for row in table:
        for place in row.unreported(everything):
            yield f"docs/scanners.md has {row.scanner} {row.rule} in {place}: no scanner reports it"


def wrong_versions() -> Iterator[str]:
    """Say each scanner whose version is not the page's."""
    page = scanners_page.versions()
    for scanner in sorted(page.keys() | scanners.VERSIONS.keys()):
        if scanner not in page or scanner not in scanners.VERSIONS:
            yield f"docs/scanners.md and tools/scanners.py differ about {scanner}"
        elif (runs := scanners.version_of(scanner)) != page[scanner][0]:
            yield f"docs/scanners.md says {scanner} {page[scanner][0]}; {runs} runs"


def progress(what: str) -> None:
    """Say what is done now."""
    print(f"scanning: {what}", file=sys.stderr, flush=True)


def main() -> int:
    """Print every difference; return 1 when there is one."""
    started = time.monotonic()
    found = list(wrong_versions())
    with tempfile.TemporaryDirectory(prefix="ekm-scan-") as folder:
        work = Path(folder)
        progress("checkov")
        shown, everything = scan_repository(work)
        planned = scan_plans(work)
    found += faults(shown, everything | planned)
    for one in found:
        print(one)
    seconds = time.monotonic() - started
    print(f"{len(found)} differences from docs/scanners.md, found in {seconds:.0f} s")
    return 1 if found else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (EkmError, scanners.ScanError) as error:
        sys.exit(f"{error} {getattr(error, 'remedy', None) or ''}")
