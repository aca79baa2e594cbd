"""A customer, and OpenAI's API over HTTP; LocalStack and emulator come from the plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.doubles.customer import Customer, Http

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai_ekm.rehearsal import EmulatorProcess, LocalStack


@pytest.fixture
def customer(ekm_localstack: LocalStack) -> Customer:
    """An account of its own whose key OpenAI can use."""
    return Customer(ekm_localstack)


@pytest.fixture
def api(ekm_openai: EmulatorProcess) -> Iterator[Http]:
    """OpenAI's Admin API."""
    http = Http(ekm_openai)
    with http.session:
        yield http
