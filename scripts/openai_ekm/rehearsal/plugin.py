"""A pytest plugin that rehearses a Terraform root module on this machine: no account, no Docker.

pytest loads it in every run on a machine where the package is installed. Until a test asks for one
of these fixtures it starts nothing, changes nothing and imports no library:

- `ekm_localstack`: a private LocalStack, one for each test process.
- `ekm_openai`: an emulator of OpenAI's Admin API; faults, settings and log are reset after a test.
- `ekm_openai_server`: the same process without the reset, for fixtures of a wider scope.
- `ekm_workspace`: makes a Terraform workspace around a root module, in an AWS account of its own.
- `ekm_environment`: sets this process's environment, for tests that start Terraform themselves.

A test suite that uses them:

    def test_second_plan_is_empty(ekm_workspace):
        workspace = ekm_workspace("infrastructure/production", name="prod")
        workspace.apply()
        assert workspace.plan().empty

    def test_the_key_cannot_be_deleted(ekm_workspace):
        policy = ekm_workspace("infrastructure/production").plan().document("key_policy")
        assert "DenyKeyDeletion" in [statement["Sid"] for statement in policy["Statement"]]

`OPTIONS` has the settings. Each one is an ini value (`ekm_region`) and an option (`--ekm-region`).
"""

from __future__ import annotations

import itertools
import os
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from openai_ekm import rehearsal
from openai_ekm.errors import EkmError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from openai_ekm.rehearsal import EmulatorProcess, LocalStack, Workspace

__all__ = ["WorkspaceFactory"]

OPTIONS = {
    "ekm_terraform": "the Terraform program (default: terraform, from PATH)",
    "ekm_region": "the AWS Region (default: eu-west-1)",
    "ekm_aws_endpoint": "address of a LocalStack that runs already (default: start one)",
}
FIXTURES = frozenset(
    {"ekm_localstack", "ekm_openai", "ekm_openai_server", "ekm_workspace", "ekm_environment"}
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the settings, each as an ini value and as an option."""
    group = parser.getgroup(
        "ekm", "OpenAI Enterprise Key Management: settings of the ekm_ fixtures"
    )
    for name, text in OPTIONS.items():
        parser.addini(name, f"ekm_ fixtures: {text}", default="")
        group.addoption(f"--{name.replace('_', '-')}", dest=name, default=None, help=text)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    """Show the remedy of an error in a test that uses a fixture of this plugin."""
    if FIXTURES.isdisjoint(getattr(item, "fixturenames", ())):
        return
    error = call.excinfo.value if call.excinfo else None
    if isinstance(error, EkmError) and error.remedy and not hasattr(error, "__notes__"):
        error.add_note(f"remedy: {error.remedy}")


def _setting(config: pytest.Config, name: str) -> str:
    return str(config.getoption(name) or config.getini(name) or "")


def _region(config: pytest.Config) -> str:
    return _setting(config, "ekm_region") or rehearsal.REGION


class WorkspaceFactory(Protocol):
    """The function that `ekm_workspace` gives."""

    def __call__(
        self,
        root: Path | str,
        *,
        account: str | None = None,
        region: str | None = None,
        openai: EmulatorProcess | None = None,
        environment: Mapping[str, str] | None = None,
        **variables: Any,
    ) -> Workspace:
        """Copy a root module and point it at the rehearsal.

        Args:
            root: The root module's folder, relative to pytest's root directory.
            account: Twelve digits; a new account for each workspace when absent, so that names
                never meet.
            region: AWS Region; the setting's when absent.
            openai: The emulator; the shared one when absent.
            environment: Further variables of every command.
            variables: Terraform variables of every command.
        """
        ...


@pytest.fixture(scope="session")
def ekm_localstack(request: pytest.FixtureRequest) -> Iterator[LocalStack]:
    """Yield a private LocalStack for this test process; stopped at its end, however it ends."""
    endpoint = _setting(request.config, "ekm_aws_endpoint")
    with rehearsal.LocalStack.at(endpoint) if endpoint else rehearsal.LocalStack.start() as aws:
        yield aws


@pytest.fixture(scope="session")
def ekm_openai_server(ekm_localstack: LocalStack) -> Iterator[EmulatorProcess]:
    """Yield the emulator of OpenAI's Admin API for this test process; settings stay set."""
    with rehearsal.EmulatorProcess.start(ekm_localstack) as openai:
        yield openai


@pytest.fixture
def ekm_openai(ekm_openai_server: EmulatorProcess) -> Iterator[EmulatorProcess]:
    """Yield the emulator with an empty request log; put faults and settings back afterwards."""
    settings = ekm_openai_server.settings()
    ekm_openai_server.forget_requests()
    yield ekm_openai_server
    ekm_openai_server.set_faults()
    ekm_openai_server.set_settings(**settings)


@pytest.fixture(scope="session")
def ekm_workspace(
    request: pytest.FixtureRequest,
    ekm_localstack: LocalStack,
    tmp_path_factory: pytest.TempPathFactory,
) -> WorkspaceFactory:
    """Return a function that makes a `Workspace` around a root module; see `WorkspaceFactory`.

    It lives as long as the session, so that a fixture of any scope can hold an applied workspace:
    a KMS key takes Terraform 5 to 8 seconds, and is best shared. An applied resource needs no
    destroy: it goes with LocalStack.
    """
    accounts = (f"{number:012d}" for number in itertools.count(111122220001))
    config = request.config

    def make(
        root: Path | str,
        *,
        account: str | None = None,
        region: str | None = None,
        openai: EmulatorProcess | None = None,
        environment: Mapping[str, str] | None = None,
        **variables: Any,
    ) -> Workspace:
        server = openai or request.getfixturevalue("ekm_openai_server")
        folder = config.rootpath / root
        return rehearsal.Workspace(
            folder,
            tmp_path_factory.mktemp(folder.name) / "copy",
            rehearsal.rehearsal_environment(
                ekm_localstack,
                server,
                account=account or next(accounts),
                region=region or _region(config),
            )
            | dict(environment or {}),
            variables=variables,
            terraform=_setting(config, "ekm_terraform") or None,
        )

    return make


@pytest.fixture(scope="session")
def ekm_environment(
    request: pytest.FixtureRequest, ekm_localstack: LocalStack, ekm_openai_server: EmulatorProcess
) -> Iterator[Mapping[str, str]]:
    """Yield this process's environment, changed to lead Terraform to LocalStack and emulator.

    It is for tests that start Terraform themselves, for example with pytest-terraform. Ask for it
    before their fixtures: `pytestmark = pytest.mark.usefixtures("ekm_environment")`.
    """
    before = dict(os.environ)
    environment = rehearsal.process_environment(
        ekm_localstack, ekm_openai_server, region=_region(request.config)
    )
    os.environ.clear()
    os.environ.update(environment)
    yield environment
    os.environ.clear()
    os.environ.update(before)
