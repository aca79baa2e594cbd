"""What Terraform prints, as wrappers, version managers and PowerShell hand it on.

And the version of the module in a folder.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from openai_ekm.cli.main import ekm, run
from openai_ekm.errors import BadInput
from openai_ekm.json_reader import UnreadableJsonError
from openai_ekm.snapshot.file import read_plan, read_snapshot
from openai_ekm.terraform import (
    find_module_version,
    find_program,
    read_outputs,
    read_printed,
    run_output,
    run_show,
    select_program,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

VALUES = {
    "role_arn": {"value": "arn:aws:iam::111122223333:role/x"},
    "kms_arn": {"value": "arn:aws:kms:eu-west-1:111122223333:alias/x"},
}
PRINTED = json.dumps(VALUES, indent=2) + "\n"
# Sources: https://github.com/hashicorp/setup-terraform/issues/85,
# https://github.com/tofuutils/tenv/issues/66, https://github.com/tofuutils/tenv/issues/286
BANNERS = {
    "setup-terraform": (
        f"[command]/RUNNER_TEMP/x/terraform-bin output -json\n{PRINTED}\n"
        "::debug::Terraform exited with code 0.\n"
        f"::set-output name=stdout::{PRINTED.replace(chr(10), '%0A')}\n"
    ),
    "tenv": f"Resolved version from /home/u/.tenv/Terraform/version : 1.11.4\n{PRINTED}",
    "tenv on GitHub": (
        f"Ignore GITHUB_ACTIONS, fail to open GITHUB_OUTPUT : open /x: no such file\n{PRINTED}"
    ),
}


@pytest.mark.parametrize("name", BANNERS)
def test_a_banner_is_read_past_and_named(name: str) -> None:
    """Behind a wrapper the outputs are "not JSON"; or lines vanish without a word."""
    found, notice = read_printed(BANNERS[name].encode())
    assert found == VALUES
    assert notice is not None
    assert BANNERS[name].split("\n")[0][:40] in notice
    assert read_printed(PRINTED.encode()) == (VALUES, None)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be"])
def test_encodings_of_powershell_are_read(encoding: str) -> None:
    """PowerShell's `>` writes UTF-16, or a byte order mark."""
    assert read_outputs(BANNERS["tenv"].encode(encoding), "x")[0] == VALUES


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"PK\x03\x04xx", "saved plan"),
        (b"", "not JSON"),
        (b"Usage: terraform [global options]", "not JSON"),
        (b"[" * 100_000, "nested deeper"),
    ],
)
def test_what_is_no_output_is_refused(content: bytes, words: str) -> None:
    """Deep JSON ends in a defect; a plan file in words about UTF-8."""
    with pytest.raises(UnreadableJsonError, match=words):
        read_printed(content)
    with pytest.raises(BadInput, match=words) as raised:
        read_outputs(content, "standard input")
    assert raised.value.id == "terraform_outputs_malformed"


@pytest.fixture(autouse=True)
def forget_program() -> Iterator[None]:
    """Choose no program for the tests that follow."""
    yield
    select_program(None)


def choose(folder: Path, script: str) -> None:
    """Put a program in the place of Terraform."""
    file = folder / "terraform"
    file.write_text(f"#!{sys.executable}\n{script}")
    file.chmod(0o755)
    select_program(str(file))


def test_terraform_is_run_in_the_folder_without_the_admin_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another folder's outputs are read, or the key is given to a program that needs none."""
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "sk-admin-secret")
    script = "import os, sys; print(os.getcwd(), sys.argv[1:], 'OPENAI_ADMIN_KEY' in os.environ)"
    (tmp_path / "root").mkdir()
    choose(tmp_path, script)
    said = run_output(tmp_path / "root")
    assert said == f"{tmp_path / 'root'} ['output', '-json', '-no-color'] False\n".encode()


def test_terraform_that_fails_is_quoted(tmp_path: Path) -> None:
    """The reason why Terraform failed is lost."""
    script = "import sys; sys.exit('Error: Backend\\n initialization required')"
    choose(tmp_path, script)
    with pytest.raises(BadInput) as raised:
        run_output(tmp_path)
    assert raised.value.id == "terraform_failed"
    assert "Error: Backend initialization required" in raised.value.message


def test_no_terraform_and_no_folder(tmp_path: Path) -> None:
    """Guards against: a traceback for a program or a folder that is missing."""
    select_program(str(tmp_path / "terraform"))
    with pytest.raises(BadInput, match="--terraform names") as raised:
        run_output(tmp_path)
    assert raised.value.id == "terraform_missing"
    with pytest.raises(BadInput) as raised:
        run_output(tmp_path / "no")
    assert raised.value.id == "terraform_folder_missing"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("No version is set for command terraform", 126),
        ("No preset version installed for command terraform", 1),
        ("Version could not be resolved (set by /x/version or tfenv use <version>)", 1),
        ("Failure during terraform call : fork/exec /x/terraform: no such file or directory", 1),
        ("mise ERROR No version is set for shim: terraform", 1),
    ],
)
def test_a_shim_without_a_version_is_named(tmp_path: Path, words: str, code: int) -> None:
    """Who has a version manager is told to run init and apply.

    Sources: https://github.com/tfutils/tfenv/issues/360,
    https://github.com/tofuutils/tenv/issues/172
    """
    script = f"import sys; print({words!r}, file=sys.stderr); sys.exit({code})"
    choose(tmp_path, script)
    with pytest.raises(BadInput) as raised:
        run_output(tmp_path)
    assert raised.value.id == "terraform_failed"
    assert str(tmp_path / "terraform") in raised.value.message
    assert words in raised.value.message
    assert ".terraform-version" in (raised.value.remedy or "")


@pytest.mark.parametrize(
    "words", ["Error: required plugins are not installed", "Error: No state file was found"]
)
def test_a_failure_of_terraform_itself_is_no_shim(tmp_path: Path, words: str) -> None:
    """Terraform's own refusal is taken for a version manager's."""
    script = f"import sys; print({words!r}, file=sys.stderr); sys.exit(1)"
    choose(tmp_path, script)
    with pytest.raises(BadInput) as raised:
        run_output(tmp_path)
    assert "shim" not in raised.value.message
    assert "init" in (raised.value.remedy or "")


def test_a_program_that_cannot_run_is_no_defect(tmp_path: Path) -> None:
    """A file without the right to run it, or of another machine, ends in a defect."""
    file = tmp_path / "terraform"
    file.write_bytes(b"\x7fELF nonsense")
    file.chmod(0o755)
    select_program(str(file))
    with pytest.raises(BadInput, match="cannot be started") as raised:
        run_output(tmp_path)
    assert raised.value.id == "terraform_failed"


def test_the_program_is_the_option_then_the_variable_then_what_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guards against: OpenTofu in place of the Terraform that was named, or none of the two."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("EKM_TERRAFORM", raising=False)
    with pytest.raises(BadInput, match="Neither terraform nor tofu"):
        find_program()
    for name in ("tofu", "terraform", "named", "selected"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
        if name == "named":
            monkeypatch.setenv("EKM_TERRAFORM", "named")
        if name == "selected":
            select_program("selected")
        assert find_program() == str(tmp_path / name)


def test_a_variable_that_names_no_program_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Guards against: another program in place of the one that the variable names."""
    monkeypatch.setenv("EKM_TERRAFORM", "no-such-program")
    with pytest.raises(BadInput, match="EKM_TERRAFORM names 'no-such-program'") as raised:
        find_program()
    assert raised.value.at_fault == "EKM_TERRAFORM"


def test_a_saved_plan_is_shown_by_terraform(tmp_path: Path) -> None:
    """A saved plan is read where it was made: Terraform needs the folder's providers."""
    root = tmp_path / "root"
    (root / ".terraform").mkdir(parents=True)
    plan = root / "plan.out"
    plan.write_bytes(b"PK\x03\x04xx")
    choose(
        tmp_path,
        "import json, os, sys; print(json.dumps({'in': os.getcwd(), 'words': sys.argv[1:]}))",
    )
    expected = {"in": str(root), "words": ["show", "-json", "-no-color", str(plan)]}
    assert json.loads(run_show(plan)) == expected
    assert read_plan(str(plan)) == (expected, None)
    with pytest.raises(BadInput, match="saved plan, which --from-plan reads"):
        read_snapshot(str(plan))


@pytest.mark.parametrize("name", BANNERS)
def test_a_verb_reads_past_a_banner_with_a_notice(
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The notice gets lost on the way, or goes where the result goes."""
    (tmp_path / "text").write_text(BANNERS[name], encoding="utf-16")
    choose(
        tmp_path,
        f"import sys; sys.stdout.buffer.write(open({str(tmp_path / 'text')!r}, 'rb').read())",
    )
    monkeypatch.setenv("PATH", str(tmp_path))
    assert run(ekm, "ekm", ["handoff", "--from-terraform", str(tmp_path), "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["role_arn"] == VALUES["role_arn"]["value"]
    assert "Read past" in err


@pytest.mark.parametrize("name", BANNERS)
def test_a_plan_is_read_as_outputs_are(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A plan behind a banner, or in PowerShell's encoding, is called broken."""
    file = tmp_path / "plan.json"
    plan = '{"resource_changes": []}\n'
    file.write_text(BANNERS[name].replace(PRINTED, plan, 1), encoding="utf-16")
    for verb in ("prove", "snapshot", "diagnose"):
        assert run(ekm, "ekm", [verb, "--from-plan", str(file)]) == 2
        err = capsys.readouterr().err
        assert "Read past" in err
        assert "error[plan_without_documents]" in err


def write_module(folder: Path, version: str) -> None:
    """Write the one file of a module that says its version."""
    target = folder / "scripts" / "openai_ekm" / "_version.py"
    target.parent.mkdir(parents=True)
    target.write_text(f'"""The version."""\n\n__version__ = "{version}"\n')


def test_the_module_is_found_where_it_is_called(tmp_path: Path) -> None:
    """Guards against: the package's version in place of the module's, which differ after a pin."""
    assert find_module_version(tmp_path) is None
    write_module(tmp_path / ".terraform/modules/ekm", "7.8.9")
    listed = {"Modules": [{"Key": "", "Dir": "."}, {"Key": "ekm", "Dir": ".terraform/modules/ekm"}]}
    (tmp_path / ".terraform/modules/modules.json").write_text(json.dumps(listed))
    assert find_module_version(tmp_path) == "7.8.9"
    write_module(tmp_path, "1.2.3")
    assert find_module_version(tmp_path) == "1.2.3"


@pytest.mark.parametrize("content", ["{", "[]", '{"Modules": 1}', '{"Modules": [{}]}'])
def test_a_broken_list_of_modules_is_no_defect(content: str, tmp_path: Path) -> None:
    """Guards against: a traceback where a user asks what is installed."""
    (tmp_path / ".terraform/modules").mkdir(parents=True)
    (tmp_path / ".terraform/modules/modules.json").write_text(content)
    assert find_module_version(tmp_path) is None
