"""What the suites of the launcher share."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.attached import Attached, share_provider
from tests.support.launched import Machine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from openai_ekm.rehearsal import LocalStack

# The suite gives whole files to its workers: one that takes long is not to be the last.
LONGEST = (
    "test_terraform_registration",
    "test_module_calls",
    "test_monitoring",
    "test_examples",
    "test_terraform_removal",
    "test_interlocks",
    "test_adopt",
    "test_demo",
    "test_admin_key_nowhere",
    "test_external_id_change",
    "test_launcher",
    "test_launcher_attacks",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files that take longest first."""
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.stem, len(LONGEST)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    """Show, with a test that failed, what LocalStack refused, and its last lines."""
    report = yield
    aws: LocalStack | None = getattr(item, "funcargs", {}).get("ekm_localstack")
    if report.failed and aws:
        lines = aws.log.splitlines()
        odd = [line for line in lines if "=> 200" not in line]
        report.sections.append(("LocalStack", "\n".join([*odd[-40:], "…", *lines[-40:]])))
    return report


@pytest.fixture(scope="session", autouse=True)
def shared_provider() -> Iterator[Attached]:
    """Let the commands of a workspace share one provider process."""
    attached = share_provider()
    yield attached
    attached.close()


@pytest.fixture
def provider_of_each_command(shared_provider: Attached) -> Iterator[None]:
    """Let each command start its provider, as at a user's."""
    shared_provider.is_off = True
    yield
    shared_provider.is_off = False


@pytest.fixture
def machine(repository: Path, tmp_path: Path) -> Machine:
    """A machine with the module, an empty PATH and no cache yet."""
    return Machine.made(repository, tmp_path)


@pytest.fixture(scope="session")
def uv(repository: Path) -> str:
    """The uv that `make env` put beside the environment."""
    found = repository / ".tools" / "bin" / "uv"
    return str(found) if found.exists() else str(shutil.which("uv"))
