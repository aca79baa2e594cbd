"""A repository that calls the module, and runs Terraform's own tests with a mocked provider."""

from __future__ import annotations

import json
import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from openai_ekm.rehearsal.module_copy import copy_root
from openai_ekm.rehearsal.terraform import Workspace

if TYPE_CHECKING:
    from pathlib import Path

    from openai_ekm.rehearsal.emulator import EmulatorProcess
    from openai_ekm.rehearsal.process import Run

pytestmark = pytest.mark.terraform

BLOCK = re.compile(r"^```hcl\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# The source in the registry with its version; a Git source has its version in the address.
SOURCE = re.compile(r'"[^"/]+/openai-ekm/aws"\n *version *= "[^"]+"')
BARE = 'mock_provider "aws" {}'
NOTHING = "Nothing is registered: the AWS provider is mocked."


@pytest.fixture(scope="module")
def published(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The module as a consumer names it: in a Git repository, with a tag."""
    folder = copy_root(repository, tmp_path_factory.mktemp("published") / "module")
    who = ("-c", "user.name=test", "-c", "user.email=test@example.com")
    for words in (
        ("init", "--quiet"),
        ("add", "--all"),
        (*who, "commit", "--quiet", "--message", "all"),
        ("tag", "v0.1.0"),
    ):
        subprocess.run(["git", *words], cwd=folder, check=True)
    return f"git::file://{folder}?ref=v0.1.0"


@pytest.fixture
def consumer(published: str, repository: Path, tmp_path: Path) -> Workspace:
    """The README's first start, with the admin key and the emulator in reach."""
    root = tmp_path / "root"
    root.mkdir()
    [start, *_] = BLOCK.findall((repository / "README.md").read_text(encoding="utf-8"))
    text, replaced = SOURCE.subn(json.dumps(published), start)
    assert replaced == 1
    (root / "main.tf").write_text(text, encoding="utf-8")
    return Workspace(root, tmp_path / "copy")


def run_tests(consumer: Workspace, text: str, openai: EmulatorProcess) -> Run:
    """Run `terraform test` with one file, as somebody with the credentials of production would."""
    (consumer.path / "tests").mkdir()
    (consumer.path / "tests" / "ours.tftest.hcl").write_text(text, encoding="utf-8")
    consumer.init()
    credentials = {
        **openai.environment(),
        "AWS_ACCESS_KEY_ID": "111122223333",
        "AWS_SECRET_ACCESS_KEY": "test",
    }
    return consumer.run("test", "-no-color", "-verbose", expected=None, environment=credentials)


def page(repository: Path) -> tuple[str, str]:
    """The two files of docs/terraform-test.md: the whole test, and the mocks with values added."""
    text = (repository / "docs" / "terraform-test.md").read_text(encoding="utf-8")
    whole, added = BLOCK.findall(text)
    return whole, added


def test_the_documented_test_passes_and_registers_nothing(
    consumer: Workspace, repository: Path, ekm_openai: EmulatorProcess
) -> None:
    """A consumer's test fails on a made-up partition, or its teardown is refused, or it registers.

    The credentials are those of the mocked account, so that only the module stands between the
    registrar and OpenAI.
    """
    whole, _ = page(repository)
    done = run_tests(consumer, whole, ekm_openai)
    assert done.ok, done.said
    assert "2 passed, 0 failed" in done.said
    assert ekm_openai.calls() == []
    assert NOTHING in done.said
    assert "arn:aws:iam::111122223333:role/openai-ekm" in done.said


@pytest.mark.parametrize(
    "provider",
    [
        pytest.param(BARE, id="bare"),
        pytest.param(None, id="values-added"),
        pytest.param(
            # A consumer's own, which gives all but the domain.
            'mock_provider "aws" {\n'
            '  mock_data "aws_caller_identity" {\n'
            '    defaults = { account_id = "111122223333", arn = "arn:aws:iam::111122223333:x" }\n'
            "  }\n"
            '  mock_data "aws_partition" {\n    defaults = { partition = "aws" }\n  }\n'
            "}",
            id="own",
        ),
    ],
)
def test_other_mocks_pass_and_register_nothing(
    provider: str | None, consumer: Workspace, repository: Path, ekm_openai: EmulatorProcess
) -> None:
    """Mocks that are not the module's own let the registrar run, or have no documented way."""
    runs = (
        'run "plans" {\n  command = plan\n}\n'
        'run "applies" {\n  assert {\n'
        '    condition = output.ekm.project_ids["payments-assistant"] != ""\n'
        '    error_message = "A project without an id."\n  }\n}\n'
    )
    done = run_tests(consumer, f"{provider or page(repository)[1]}\n{runs}", ekm_openai)
    assert done.ok, done.said
    assert "2 passed, 0 failed" in done.said
    assert ekm_openai.calls() == []
