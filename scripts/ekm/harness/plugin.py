"""A pytest plugin that rehearses a Terraform root module on this machine: no account, no Docker.

Installed with the package, active in every pytest run, and idle until a fixture is asked for:

- `ekm_localstack`: a private LocalStack, one for each test process.
- `ekm_openai`: an emulator of OpenAI's Admin API; faults, settings and log are reset after a test.
- `ekm_openai_server`: the same process without the reset, for fixtures of a wider scope.
- `ekm_workspace`: makes a Terraform workspace around a root module, in an AWS account of its own.
- `ekm_environment`: sets this process's environment, for tests built on pytest-terraform.

A suite of a user's own:

    def test_second_plan_is_empty(ekm_workspace):
        workspace = ekm_workspace("infrastructure/production", name="prod")
        workspace.apply()
        assert workspace.plan().empty

    def test_the_key_cannot_be_deleted(ekm_workspace):
        policy = ekm_workspace("infrastructure/production").plan().document("key_policy")
        assert "DenyKeyDeletion" in [statement["Sid"] for statement in policy["Statement"]]

Settings, in the ini file or on the command line: `ekm_terraform` (`--ekm-terraform`), the program;
`ekm_region` (`--ekm-region`), the AWS Region; `ekm_aws_endpoint` (`--ekm-aws-endpoint`), a
LocalStack that already runs. Importing this module imports neither boto3 nor LocalStack nor the
emulator.
"""

from __future__ import annotations

import itertools
import os
import shutil
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from ekm.errors import EkmError
from ekm.harness.emulator import EmulatorProcess
from ekm.harness.environment import clean
from ekm.harness.localstack import CUSTOMER_ACCOUNT, REGION, LocalStack
from ekm.harness.providers import provider_settings
from ekm.harness.surroundings import rehearsal_environment
from ekm.harness.terraform import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["WorkspaceFactory"]

OPTIONS = {
    "ekm_terraform": ("the Terraform program of the workspaces", ""),
    "ekm_region": ("AWS Region of the rehearsal", REGION),
    "ekm_aws_endpoint": ("a LocalStack that already runs, instead of a private one", ""),
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the settings, each as an ini value and as an option."""
    group = parser.getgroup("ekm", "rehearsal of OpenAI Enterprise Key Management")
    for name, (text, default) in OPTIONS.items():
        parser.addini(name, text, default=default)
        group.addoption(f"--{name.replace('_', '-')}", dest=name, default=None, help=text)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Make pytest-terraform, when it is there, use Terraform and work under pytest-xdist.

    By itself it prefers OpenTofu, stops every run on a machine without Terraform, even one that
    needs none, calls a `load` that does not exist for fixtures shared between workers, and
    destroys what such a fixture applied although its teardown is off.
    """
    if not config.pluginmanager.hasplugin("terraform"):
        return
    from pytest_terraform import tf, xdist  # noqa: PLC0415 - only where it is installed

    if not config.option.dest_tf_binary:
        name = _setting(config, "ekm_terraform") or "terraform"
        config.option.dest_tf_binary = shutil.which(name) or name
    tf.TerraformTestApi.load = classmethod(lambda cls, path: cls.from_file(path))
    shared = xdist.ScopedTerraformFixture
    destroy = shared.tear_down
    shared.tear_down = lambda self: None if self.teardown_config == "off" else destroy(self)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_makereport(call: pytest.CallInfo[None]) -> None:
    """Show an error's remedy, which pytest would not, under its message."""
    error = call.excinfo.value if call.excinfo else None
    if isinstance(error, EkmError) and error.remedy and not hasattr(error, "__notes__"):
        error.add_note(f"remedy: {error.remedy}")


def _setting(config: pytest.Config, name: str) -> str:
    return str(config.getoption(name) or config.getini(name) or "")


class WorkspaceFactory(Protocol):
    """What `ekm_workspace` gives."""

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
    """A private LocalStack for this test process; stopped at its end, however it ends."""
    endpoint = _setting(request.config, "ekm_aws_endpoint")
    with LocalStack.at(endpoint) if endpoint else LocalStack.start() as aws:
        yield aws


@pytest.fixture(scope="session")
def ekm_openai_server(ekm_localstack: LocalStack) -> Iterator[EmulatorProcess]:
    """The emulator of OpenAI's Admin API for this test process; what a test sets stays set."""
    with EmulatorProcess.start(ekm_localstack) as openai:
        yield openai


@pytest.fixture
def ekm_openai(ekm_openai_server: EmulatorProcess) -> Iterator[EmulatorProcess]:
    """The emulator with an empty request log; its faults and settings are put back afterwards."""
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
    """A function that makes a `Workspace` around a root module; see `WorkspaceFactory`.

    It lives as long as the session, so that a fixture of any scope can hold an applied workspace:
    a KMS key takes Terraform 5 to 8 seconds, and is best shared. What is applied needs no destroy;
    it goes with LocalStack.
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
        return Workspace(
            folder,
            tmp_path_factory.mktemp(folder.name) / "copy",
            rehearsal_environment(
                ekm_localstack,
                server,
                account=account or next(accounts),
                region=region or _setting(config, "ekm_region"),
            )
            | dict(environment or {}),
            variables=variables,
            terraform=_setting(config, "ekm_terraform") or None,
        )

    return make


@pytest.fixture(scope="session")
def ekm_environment(
    request: pytest.FixtureRequest,
    ekm_localstack: LocalStack,
    ekm_openai_server: EmulatorProcess,
) -> Iterator[Mapping[str, str]]:
    """This process's environment pointed at the rehearsal, for pytest-terraform's own fixtures.

    Ask for it before them: `pytestmark = pytest.mark.usefixtures("ekm_environment")`.
    """
    before = dict(os.environ)
    environment = clean(
        rehearsal_environment(
            ekm_localstack,
            ekm_openai_server,
            account=CUSTOMER_ACCOUNT,
            region=_setting(request.config, "ekm_region"),
        ),
        provider_settings(),
    )
    os.environ.clear()
    os.environ.update(environment)
    yield environment
    os.environ.clear()
    os.environ.update(before)
