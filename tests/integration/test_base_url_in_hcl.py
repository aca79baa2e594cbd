"""The variable registration.base_url and the registrar read the same URLs the same way."""

from __future__ import annotations

import importlib.util
import re
from typing import TYPE_CHECKING

import pytest

from openai_ekm.errors import BadInput
from openai_ekm.openai_api.base_url import host_of, is_loopback, parse_base_url
from tests.support.hcl_patterns import accepted_by

if TYPE_CHECKING:
    from pathlib import Path

GOOD = [
    "https://api.openai.com/v1",
    "https://api.openai.com",
    "https://api.openai.com/",
    "https://us.api.openai.com/v1",
    "https://eu.api.openai.com/v1",
    "https://ae.api.openai.com/v1",
    "https://mtls.api.openai.com/v1",
    "https://mtls-eu.api.openai.com/v1/",
    "http://127.0.0.1:8080/v1",
    "http://localhost:65535/v1",
    "https://[::1]:1/v1",
]
# What the environment may name and a plan may not: another host than OpenAI's.
ENVIRONMENT_ALONE = ["https://gateway.example.com/v1", "http://127.8.9.1/v1", "https://10.0.0.1"]


@pytest.fixture(scope="module")
def hostile(repository: Path) -> list[str]:
    """The table of the unit test."""
    file = repository / "tests/network/test_base_url.py"
    spec = importlib.util.spec_from_file_location("hostile_urls", file)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: list[str] = module.HOSTILE
    return [url for url in found if "\ud800" not in url]


@pytest.mark.terraform
def test_plan_and_registrar_agree_on_every_url(
    repository: Path, tmp_path: Path, hostile: list[str]
) -> None:
    """Guards against: a URL that the plan lets through and that leads the key elsewhere."""
    text = (repository / "variables.registration.tf").read_text(encoding="utf-8")
    locals_block = re.search(r"^locals \{.*?^\}", text, re.DOTALL | re.MULTILINE)
    assert locals_block
    urls = [*GOOD, *ENVIRONMENT_ALONE, *hostile]
    by_plan = dict(zip(urls, accepted_by(tmp_path, locals_block[0], "base_url", urls), strict=True))
    for url, accepted in by_plan.items():
        try:
            host = host_of(parse_base_url(url))
        except BadInput:
            host = None
        if accepted:
            assert host is not None, f"the plan accepts {url!r}, and the registrar refuses it"
            assert host == "api.openai.com" or host.endswith(".api.openai.com") or is_loopback(host)
        assert accepted == (url in GOOD), url
        assert (host is not None) == (url in [*GOOD, *ENVIRONMENT_ALONE]), url
