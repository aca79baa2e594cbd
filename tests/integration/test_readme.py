"""What the README shows works when it is pasted."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from openai_ekm.rehearsal.terraform import Workspace

if TYPE_CHECKING:
    from openai_ekm.rehearsal.localstack import LocalStack
    from openai_ekm.rehearsal.plugin import WorkspaceFactory

# Their shell steps want what `terraform init` leaves.
pytestmark = [pytest.mark.terraform, pytest.mark.usefixtures("provider_of_each_command")]

BLOCK = re.compile(r"^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
SOURCE = re.compile(r'source\s*=\s*"[^"]*/openai-ekm/aws"\n\s*version\s*=\s*"[^"]*"')


def blocks(repository: Path, language: str) -> list[str]:
    """The README's blocks of a language."""
    text = (repository / "README.md").read_text(encoding="utf-8")
    return [found["text"] for found in BLOCK.finditer(text) if found["language"] == language]


def test_the_start_of_the_readme_is_valid_against_the_module(
    repository: Path, tmp_path: Path
) -> None:
    """The first thing that a reader pastes names an argument that the module does not have."""
    shown = blocks(repository, "hcl")
    assert shown
    for number, block in enumerate(shown):
        root = tmp_path / f"root{number}"
        root.mkdir()
        source = os.path.relpath(repository, root)
        text, replaced = SOURCE.subn(f'source = "{source}"', block)
        assert replaced == 1
        (root / "main.tf").write_text(text, encoding="utf-8")
        workspace = Workspace(root, tmp_path / f"copy{number}")
        workspace.init()
        assert workspace.run("validate", "-no-color").ok


def test_the_python_of_the_readme_compiles(repository: Path) -> None:
    """A reader copies a test that is not Python."""
    shown = blocks(repository, "python")
    assert shown
    for block in shown:
        compile(block, "README.md", "exec")


def gate(repository: Path, workspace: Workspace, **variables: str) -> tuple[int, Any, str]:
    """Run the README's gate for pull requests as it is printed: exit code, SARIF and text."""
    text = (repository / "README.md").read_text(encoding="utf-8")
    (printed,) = re.findall(r"^```\n(terraform plan .*?)^```$", text, re.MULTILINE | re.DOTALL)
    workspace.init()
    path = f"{Path(sys.executable).parent}{os.pathsep}{workspace.environment['PATH']}"
    given = {f"TF_VAR_{name}": value for name, value in variables.items()}
    ran = subprocess.run(
        ["bash", "-ec", printed],
        cwd=workspace.path,
        env={**workspace.environment, "PATH": path, **given},
        capture_output=True,
        text=True,
        check=False,
    )
    log = workspace.path / "ekm.sarif"
    assert log.is_file(), ran.stderr
    return ran.returncode, json.loads(log.read_text(encoding="utf-8")), ran.stdout


def undecided(log: Any) -> set[str]:
    """The members that leave claims undecided, as the results of a log name them."""
    results = [each for told in log["runs"] for each in told["results"]]
    assert {each["ruleId"] for each in results} <= {"EKM100/undecided"}
    prints = (each["partialFingerprints"]["ekmClaim/v1"] for each in results)
    return {member for each in prints for member in each.split(":")[1:]}


@pytest.mark.parametrize(
    ("example", "variables"),
    [
        ("api-project", {}),
        ("chatgpt-workspace", {}),
        ("fleet", {"keys": {"red": {}, "blue": {}}}),
    ],
)
def test_the_gate_of_the_readme_passes_on_an_example(
    repository: Path, ekm_workspace: WorkspaceFactory, example: str, variables: dict[str, Any]
) -> None:
    """A reader pastes the gate into a pipeline, and no pull request passes it."""
    given = {"organization_id": "org-abc123", **variables}
    code, log, said = gate(repository, ekm_workspace(f"examples/{example}", **given))
    assert code == 0, said
    assert undecided(log) == set()
    assert len(log["runs"]) == len(variables.get("keys", [""]))


def test_the_gate_of_the_readme_leaves_an_existing_key_undecided(
    repository: Path, ekm_workspace: WorkspaceFactory, ekm_localstack: LocalStack
) -> None:
    """A key whose policy nobody read passes, or its pull request is blamed for it."""
    account = "444455557777"
    made = ekm_localstack.session(account).client("kms").create_key()
    workspace = ekm_workspace(
        "examples/existing-key",
        account=account,
        organization_id="org-abc123",
        kms_key_arn=made["KeyMetadata"]["Arn"],
    )
    code, log, said = gate(repository, workspace)
    assert code == 8, said
    assert undecided(log) == {"keys[0].policy"}
    assert "(a) holds" in said


def test_the_gate_of_the_readme_judges_a_module_that_is_called_after_something(
    repository: Path, ekm_workspace: WorkspaceFactory, ekm_localstack: LocalStack
) -> None:
    """With depends_on the plan knows no account: every claim fails, for a role that nobody has."""
    account = "444455558888"
    kms = ekm_localstack.session(account).client("kms")
    key_arn = kms.create_key()["KeyMetadata"]["Arn"]
    kms.create_alias(AliasName="alias/gate", TargetKeyId=key_arn.rpartition("/")[2])
    workspace = ekm_workspace(
        "tests/terraform/called-after",
        account=account,
        key_arn=key_arn,
        alias_arn=f"{key_arn.rpartition(':')[0]}:alias/gate",
    )
    workspace.init()
    code, log, said = gate(repository, workspace)
    text = json.dumps(log) + said
    assert not re.search(r":(?:000000000000|111111111111):", text)
    assert "not-known-before-apply" not in text
    assert code == 8
    # What the module makes holds; of a key that it does not make a plan has no policy.
    answers = dict(re.findall(r"^(module\.\S+): (\w+)$", said, re.MULTILINE))
    made = {name for name in answers if name.startswith("module.new[")}
    assert len(made) == 2
    assert {name for name, answer in answers.items() if answer == "holds"} == made
    assert {answer for name, answer in answers.items() if name not in made} == {"UNDECIDED"}
    assert len({each["automationDetails"]["id"] for each in log["runs"]}) == len(answers)
    workspace.apply()
    code, _, said = gate(repository, workspace, revision="2")
    assert code == 8
    assert dict(re.findall(r"^(module\.\S+): (\w+)$", said, re.MULTILINE)) == answers
