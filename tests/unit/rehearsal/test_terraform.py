"""A workspace runs Terraform's commands in a copy, and reads their exit codes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from openai_ekm.errors import BadInput, CheckFailed
from openai_ekm.rehearsal import Workspace
from openai_ekm.rehearsal.process import Run

# Answers as a script says; logs its words and what it sees of the environment.
FAKE = """#!/bin/sh
echo "$@" >> "$FAKE_LOG"
env | sort > "$FAKE_LOG.env"
case "$1" in
  plan) exit "${FAKE_PLAN:-0}" ;;
  apply|destroy)
    [ -z "$FAKE_ERROR" ] && exit 0
    printf 'noise\\n│ Error: %s\\n│ because\\n' "$FAKE_ERROR" >&2
    exit 1 ;;
  show) echo '{"resource_changes": [
    {"address": "a", "change": {"actions": ["create"]}},
    {"address": "b", "change": {"actions": ["no-op"]}}]}' ;;
  output) echo '{"role_arn": {"value": "arn"}, "key_policy_json": {"value": "{\\\\"a\\\\": 1}"}}' ;;
esac
"""


# A caller that was started in the background (as CI may do) would ignore Ctrl-C altogether.
CALLER = """
import signal
import sys
from pathlib import Path
from openai_ekm.rehearsal.process import run_command
signal.signal(signal.SIGINT, signal.default_int_handler)
run_command([sys.argv[1]], Path("/"))
"""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Where the fake logs its words."""
    return tmp_path / "log"


@pytest.fixture
def workspace(tmp_path: Path, log: Path) -> Workspace:
    """A workspace around a small root, with a program that answers in Terraform's place."""
    program = tmp_path / "terraform"
    program.write_text(FAKE)
    program.chmod(0o755)
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "main.tf").touch()
    return Workspace(
        tmp_path / "root",
        tmp_path / "copy",
        {"FAKE_LOG": str(log), "TF_CLI_ARGS_init": "-plugin-dir=/mirror"},
        variables={"name": "prod"},
        terraform=str(program),
    )


def test_plan_reads_the_detailed_exit_code(workspace: Workspace) -> None:
    """A plan with changes would pass for an empty one."""
    assert workspace.plan().empty
    workspace.environment["FAKE_PLAN"] = "2"
    plan = workspace.plan()
    assert not plan.empty
    assert plan.actions == {"a": ("create",)}


def test_a_failed_plan_raises_and_a_refused_one_is_returned(workspace: Workspace) -> None:
    """A test of a refused input could not tell a refusal from a plan that went through."""
    workspace.environment["FAKE_PLAN"] = "1"
    with pytest.raises(CheckFailed) as caught:
        workspace.plan()
    assert caught.value.id == "terraform_failed"
    assert workspace.refused_plan().exit_code == 1
    workspace.environment["FAKE_PLAN"] = "0"
    with pytest.raises(CheckFailed) as caught:
        workspace.refused_plan()
    assert caught.value.id == "terraform_did_not_refuse"


def test_a_failure_shows_terraforms_error_and_not_its_noise(workspace: Workspace) -> None:
    """The reason would have to be looked for in pages of output, or be lost."""
    with pytest.raises(CheckFailed, match="projects are active") as caught:
        workspace.destroy(environment={"FAKE_ERROR": "projects are active"})
    assert "noise" not in caught.value.message
    run = workspace.destroy(check=False, environment={"FAKE_ERROR": "projects are active"})
    assert not run.ok
    assert "Error: projects are active because" in run.said


def test_variables_of_a_run_and_of_the_workspace(workspace: Workspace, log: Path) -> None:
    """A variable would be lost, or stay set for the commands that follow."""
    assert '"name": "prod"' in (workspace.path / "ekm.auto.tfvars.json").read_text()
    workspace.apply(names=["a", "b"])
    workspace.apply()
    _, first, second = log.read_text().splitlines()
    assert "-var-file=" in first
    assert "-var-file=" not in second
    assert "-auto-approve" in first


def test_init_runs_once_and_by_itself(workspace: Workspace, log: Path) -> None:
    """Every command would pay for an init, or the first one fail without."""
    workspace.apply()
    workspace.destroy()
    assert [line.split()[0] for line in log.read_text().splitlines()] == [
        "init",
        "apply",
        "destroy",
    ]


LOCK = """# Maintained by "terraform init".
provider "registry.terraform.io/hashicorp/aws" {
  version     = "5.100.0"
  constraints = ">= 5.100.0"
%s}
"""
CHECKSUMS = (
    '  hashes = [\n    "h1:edXOJWE4ORX8Fm+dpVpICzMZJat4AX0VRCAy/xkcOc0=",\n    "zh:1",\n  ]\n'
)


def test_only_init_computes_the_checksums_of_providers(
    workspace: Workspace, tmp_path: Path
) -> None:
    """Guards against: checksums that `init` does not see, or that every command computes anew."""
    lock = workspace.path / ".terraform.lock.hcl"
    lock.write_text(LOCK % CHECKSUMS)
    program = Path(workspace.terraform)
    program.write_text(f'#!/bin/sh\ncp .terraform.lock.hcl "{tmp_path}/$1"\n')
    workspace.apply()
    assert (tmp_path / "init").read_text() == LOCK % CHECKSUMS
    assert (tmp_path / "apply").read_text() == LOCK % ""


@pytest.mark.parametrize(("users", "seen"), [(None, "400"), ("off", "off")])
def test_terraform_collects_garbage_less_often(
    workspace: Workspace,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    users: str | None,
    seen: str,
) -> None:
    """Guards against: a slower rehearsal, or a setting of the user that gets lost."""
    if users is None:
        monkeypatch.delenv("GOGC", raising=False)
    else:
        monkeypatch.setenv("GOGC", users)
    made = Workspace(tmp_path / "root", tmp_path / "again", terraform=workspace.terraform)
    assert made.environment["GOGC"] == seen


def test_two_downloads_into_one_cache_take_turns(
    workspace: Workspace, log: Path, tmp_path: Path
) -> None:
    """Terraform's plugin cache is not safe for two at once: both would end with a broken one."""
    program = Path(workspace.terraform)
    program.write_text('#!/bin/sh\necho begin >> "$FAKE_LOG"; sleep 0.3; echo end >> "$FAKE_LOG"\n')
    workspace.environment |= {
        "TF_PLUGIN_CACHE_DIR": str(tmp_path / "plugins"),
        "EKM_CACHE_DIR": str(tmp_path / "cache"),
    }
    with ThreadPoolExecutor(2) as pool:
        for run in [pool.submit(workspace.init) for _ in range(2)]:
            run.result()
    assert log.read_text().split() == ["begin", "end", "begin", "end"]


def test_outputs_are_values_and_documents(workspace: Workspace) -> None:
    """A test would have to unwrap Terraform's types and parse policy text itself."""
    assert workspace.outputs()["role_arn"] == "arn"
    assert workspace.document("key_policy") == {"a": 1}


def test_the_users_accounts_are_out_of_reach(
    workspace: Workspace, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rehearsal would create keys in the account of whoever runs it."""
    assert "AWS_PROFILE" not in workspace.environment
    monkeypatch.setenv("AWS_PROFILE", "production")
    workspace.apply()
    assert "AWS_PROFILE" not in Path(f"{log}.env").read_text()


def test_a_root_that_is_none_is_refused(tmp_path: Path, workspace: Workspace) -> None:
    """A mistyped folder would be planned as an empty configuration."""
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInput):
        Workspace(tmp_path / "empty", tmp_path / "c", terraform=workspace.terraform)


def test_said_reads_sentences_across_terraforms_frames() -> None:
    """A sentence that Terraform wraps would not be found in its output."""
    run = Run(("destroy",), 1, "", "│ Error: two projects\n│   are active\n╵", 0.1)
    assert "two projects are active" in run.said


def test_an_interrupted_caller_interrupts_the_command(tmp_path: Path) -> None:
    """Ctrl-C would leave Terraform and its providers running."""
    script = tmp_path / "slow"
    script.write_text(
        "#!/bin/sh\ntrap 'echo interrupted > \"$0.done\"; exit 0' TERM\n"
        'echo $$ > "$0.pid"\nwhile :; do sleep 0.05; done\n'
    )
    script.chmod(0o755)
    caller = subprocess.Popen(
        [
            sys.executable,
            "-c",
            CALLER,
            str(script),
        ],
        stderr=subprocess.PIPE,
    )
    until_written(Path(f"{script}.pid"))
    os.kill(caller.pid, signal.SIGINT)
    _, stderr = caller.communicate(timeout=120)
    assert b"KeyboardInterrupt" in stderr
    assert until_written(Path(f"{script}.done")) == "interrupted\n"


def until_written(file: Path) -> str:
    """Wait until there is a line in a file."""
    deadline = time.monotonic() + 120
    while not file.exists() or not file.read_text().endswith("\n"):
        assert time.monotonic() < deadline, file
        time.sleep(0.02)
    return file.read_text()
