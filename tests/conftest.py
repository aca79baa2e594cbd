"""What every suite of this repository shares; the fixtures of a rehearsal come from the package.

See `ekm.harness.plugin` for `ekm_localstack`, `ekm_openai`, `ekm_workspace` and the others: these
suites use the very plugin that a user's own suite does.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

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


@pytest.fixture(scope="session")
def repository() -> Path:
    """The repository's root folder, which is also the root module's."""
    return Path(__file__).resolve().parent.parent
