"""What every suite of this repository shares.

The fixtures `ekm_localstack`, `ekm_openai`, `ekm_workspace` and so on come from
`openai_ekm.rehearsal.plugin`, the pytest plugin of the package. The corrections of pytest-terraform
are here, and not in the plugin: they are for these suites alone.
"""

from __future__ import annotations

import gc
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings
from pytest_terraform import tf, xdist

from tests.support.aws_models import shared
from tests.support.schemas import held

if TYPE_CHECKING:
    from collections.abc import Iterator

pytest_plugins = ["pytester"]

# A property is tried with the same examples each time, however slow the machine is: what fails is
# what somebody changed. `make fuzz` and `make faults` try others, at random.
settings.register_profile(
    "repeatable",
    derandomize=not os.environ.keys() & {"EKM_FUZZ_EXAMPLES", "EKM_FAULTS_EXAMPLES"},
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("repeatable")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that shortens a run."""
    parser.addoption(
        "--cases", type=int, metavar="N", help="run at most N cases of each test, spread evenly"
    )


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the cases of a test that are more than `--cases`."""
    most = config.getoption("cases")
    if not most:
        return
    cases: dict[str, list[pytest.Item]] = {}
    for item in items:
        cases.setdefault(item.nodeid.partition("[")[0], []).append(item)
    kept = {each[place * len(each) // most] for each in cases.values() for place in range(most)}
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = [item for item in items if item in kept]


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Collect tests without the search for garbage: nearly all that is made then stays.

    The search would take a third of the time.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Correct four faults of pytest-terraform 0.7.0 before it configures itself.

    - It takes OpenTofu where that is installed.
    - It stops every run on a machine without Terraform, also a run that needs none.
    - It calls `load`, which does not exist, in every worker but the one that applied.
    - It destroys what a shared fixture applied although its teardown is off.
    """
    # Mutation runs without our plugin, and needs no Terraform.
    if not config.pluginmanager.hasplugin("terraform") or not config.pluginmanager.hasplugin("ekm"):
        return
    if not config.option.dest_tf_binary:
        name = config.getoption("ekm_terraform") or config.getini("ekm_terraform") or "terraform"
        config.option.dest_tf_binary = shutil.which(name) or name
    tf.TerraformTestApi.load = classmethod(lambda cls, path: cls.from_file(path))
    shared = xdist.ScopedTerraformFixture
    destroy = shared.tear_down
    shared.tear_down = lambda self: None if self.teardown_config == "off" else destroy(self)


@pytest.fixture(scope="session")
def repository() -> Path:
    """The repository's root folder, which is also the root module's."""
    return Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session", autouse=True)
def _forget_the_terminal() -> Iterator[None]:
    """Let no test depend on the terminal of whoever runs it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TERM", "xterm-256color")
        for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES"):
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(scope="session", autouse=True)
def _read_the_models_of_aws_once() -> Iterator[None]:
    """Let all sessions of boto3 share what describes AWS's API."""
    with pytest.MonkeyPatch.context() as patch:
        yield from shared(patch)


@pytest.fixture(autouse=True)
def _hold_output_to_its_schema(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Hold each JSON document that a verb prints in this process to its published schema."""
    yield from held(monkeypatch)
