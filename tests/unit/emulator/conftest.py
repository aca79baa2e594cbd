"""A fresh emulated organization for each test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.emulated import Api

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def api() -> Iterator[Api]:
    """A fresh organization."""
    found = Api()
    with found.client:
        yield found
    found.store.close()
