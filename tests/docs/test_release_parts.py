"""What a release needs of the repository: pinned actions, the registry's structure, its checks."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import doc_examples  # noqa: E402 - a tool, not a package
import release  # noqa: E402 - a tool, not a package

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
USES = re.compile(r"uses: (?!\./|\$/)(?P<action>\S+)(?P<comment>.*)")


@pytest.mark.parametrize("file", WORKFLOWS, ids=[file.name for file in WORKFLOWS])
def test_every_action_is_pinned_by_its_commit(file: Path) -> None:
    """Guards against: an action whose tag somebody moves, beside a token that can publish."""
    used = list(USES.finditer(file.read_text(encoding="utf-8")))
    loose = [
        found["action"]
        for found in used
        if not re.fullmatch(r"[\w.-]+(/[\w.-]+)+@[0-9a-f]{40}", found["action"])
        or not re.fullmatch(r" # v\d+\.\d+\.\d+", found["comment"])
    ]
    assert loose == []


@pytest.mark.parametrize("file", WORKFLOWS, ids=[file.name for file in WORKFLOWS])
def test_a_workflow_has_no_permission_that_no_job_names(file: Path) -> None:
    """Guards against: a token of a job that can do what the job does not need."""
    workflow = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert workflow["permissions"] == {}
    assert all("permissions" in job for job in workflow["jobs"].values())


def test_one_job_alone_can_publish_and_it_runs_nothing_of_the_repository() -> None:
    """Guards against: a build or a test that runs beside a token for PyPI or GitHub."""
    jobs = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text("utf-8"))["jobs"]
    strong = {name for name, job in jobs.items() if "write" in job["permissions"].values()}
    assert strong == {"attest", "pypi", "github"}
    for name in strong:
        used = [step.get("uses", "") for step in jobs[name]["steps"]]
        assert [each for each in used if each.startswith("actions/checkout@")] == []
    assert jobs["attest"]["needs"] == ["test", "build"]


def test_the_module_has_the_structure_of_the_registry() -> None:
    """The registry shows a submodule with a README; ours are private, but one, and have none."""
    for name in ("README.md", "LICENSE", "main.tf", "variables.tf", "outputs.tf", "versions.tf"):
        assert (ROOT / name).is_file()
    assert (ROOT / "modules" / "monitoring" / "README.md").is_file()
    for module in {*(ROOT / "modules").iterdir()} - {ROOT / "modules" / "monitoring"}:
        assert not (module / "README.md").exists()
        assert (module / "variables.tf").read_text("utf-8").startswith("# A private module")
    for example in (ROOT / "examples").iterdir():
        page = (example / "README.md").read_text(encoding="utf-8")
        assert doc_examples.markers(page) == [f"example {example.name}"]


def test_pages_show_the_owner_and_the_version_of_the_release(tmp_path: Path) -> None:
    """Guards against: an example that installs another version than the page is about."""
    for name in (".github", "scripts/openai_ekm", "examples/fleet"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / ".github/CODEOWNERS").write_text("# Who\n* @acme/keys\n", encoding="utf-8")
    (tmp_path / "scripts/openai_ekm/_version.py").write_text('__version__ = "1.2.3"\n', "utf-8")
    shutil.copy(ROOT / "examples/fleet/main.tf", tmp_path / "examples/fleet")
    shown = doc_examples.example(tmp_path, "example fleet")
    assert '  source   = "acme/openai-ekm/aws"\n  version  = "1.2.3"\n  for_each = ' in shown
    page = 'source  = "<owner>/openai-ekm/aws"\n  version = "0.1.0"'
    assert (
        doc_examples.with_release(tmp_path, page)
        == 'source  = "acme/openai-ekm/aws"\n  version = "1.2.3"'
    )
    for page, wanted in (
        ("github.com/<owner>/{0}?ref=v0.1.0`", "github.com/acme/{0}?ref=v1.2.3`"),
        ("uses: <owner>/{0}/gate/pr@v0.1.0 # it", "uses: acme/{0}/gate/pr@v1.2.3 # it"),
        ("uses: old/{0}/gate@0123abc", "uses: acme/{0}/gate@0123abc"),
        ("--repo <owner>/{0}\n", "--repo acme/{0}\n"),
        ("the repository `{0}`", "the repository `{0}`"),
    ):
        name = "terraform-aws-openai-ekm"
        assert doc_examples.with_release(tmp_path, page.format(name)) == wanted.format(name)


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ({"a", "b", "stray"}, "stray: ['stray']; missing: []"),
        ({"a"}, "stray: []; missing: ['b']"),
    ],
)
def test_a_package_that_differs_from_git_is_refused(found: set[str], told: str) -> None:
    """Guards against: a file of the builder's machine in the package, and one that is left out."""
    with pytest.raises(release.Refused, match=re.escape(told)):
        release.compare("the sdist and git", found, {"a", "b"})


@pytest.mark.parametrize(
    "text", ["", "## 1.2.3\n\nA\n", "## 1.2.3 - 2026-01-02\n\n## 1.2.2\n\nA\n"]
)
def test_a_version_without_a_dated_section_is_refused(text: str) -> None:
    """Guards against: a release whose notes are missing, empty or without a date."""
    with pytest.raises(release.Refused, match="must have the section"):
        release.section(text, "1.2.3")


def test_the_notes_are_the_section_of_the_version() -> None:
    """Guards against: notes with a part of another version."""
    text = "# C\n\n## Unreleased\n\n## [1.2.3] - 2026-01-02\n\n### Added\n\n- A\n\n## 1.2.2\n\nB"
    assert release.section(text, "1.2.3") == "### Added\n\n- A"


def test_an_sbom_of_something_else_is_refused(tmp_path: Path) -> None:
    """Guards against: an SBOM that names a package that `terraform apply` does not install."""
    wheel = tmp_path / "a.whl"
    wheel.touch()
    document = {"components": [{"name": "Left_Pad", "version": "1", "purl": "pkg:pypi/left-pad@1"}]}
    with pytest.raises(release.Refused, match="found left-pad 1"):
        release.described(document, "1.2.3", wheel)
