"""Check what runs in pipelines: workflows, the action, the GitLab component.

zizmor looks for what an attacker can use, check-jsonschema compares with the schemas that it
brings. Neither uses the network.
"""

from __future__ import annotations

import os
import re
import subprocess  # nosec B404 # each call says below why it is safe
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent


def run(*words: str | Path) -> None:
    """Run a checker of the environment, and end with its output if it finds something."""
    done = subprocess.run(  # nosec B603 # fixed words
        [str(BIN / words[0]), *map(str, words[1:])],
        cwd=ROOT,
        env={**os.environ, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(done.stdout + done.stderr)


def check_gitlab(component: Path) -> None:
    """Check a component, which is two documents: its inputs, and the jobs."""
    head, separator, jobs = component.read_text(encoding="utf-8").partition("\n---\n")
    if not separator or "spec:\n  inputs:" not in head:
        sys.exit(f"{component} has no document of inputs before its jobs.")
    with tempfile.TemporaryDirectory() as folder:
        part = Path(folder) / "jobs.yml"
        part.write_text(jobs, encoding="utf-8")
        schema = ("--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci")
        run("check-jsonschema", *schema, part)


def check_caller(page: Path) -> None:
    """Check the workflow that a page shows, with a name and a commit in place of its words."""
    shown = re.findall(
        r"^```yaml\n(name: .*?)^```$", page.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    for text in shown:
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder) / ".github" / "workflows"
            place.mkdir(parents=True)
            file = place / "caller.yml"
            file.write_text(
                text.replace("MODULE", "owner/name").replace("COMMIT", "0" * 40), encoding="utf-8"
            )
            run("zizmor", "--offline", "--no-progress", "--quiet", file)
            run("check-jsonschema", "--builtin-schema", "vendor.github-workflows", file)


def main() -> None:
    """Check every file."""
    workflows = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
    action = ROOT / "action.yml"
    run("zizmor", "--offline", "--no-progress", "--quiet", *workflows, action)
    run("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *workflows)
    run("check-jsonschema", "--builtin-schema", "vendor.github-actions", action)
    for page in ("docs/pipeline.md", "docs/operate/drift.md"):
        check_caller(ROOT / page)
    for component in sorted((ROOT / "templates").glob("*.yml")):
        check_gitlab(component)


if __name__ == "__main__":
    main()
