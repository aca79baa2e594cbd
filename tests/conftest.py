"""What every suite of this repository shares; the fixtures of a rehearsal come from the package.

See `ekm.harness.plugin` for `ekm_localstack`, `ekm_openai`, `ekm_workspace` and the others: these
suites use the very plugin that a user's own suite does.
"""

from __future__ import annotations

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]


@pytest.fixture(scope="session")
def repository() -> Path:
    """The repository's root folder, which is also the root module's."""
    return Path(__file__).resolve().parent.parent
