"""Nothing of the user's own accounts reaches what a rehearsal starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from openai_ekm.loopback import keep_from_proxies
from openai_ekm.rehearsal.environment import cache_folder, clean


@pytest.mark.parametrize(
    "name",
    [
        "AWS_PROFILE",
        "AWS_ACCESS_KEY_ID",
        "AWS_SESSION_TOKEN",
        "AWS_ENDPOINT_URL_KMS",
        "OPENAI_ADMIN_KEY",
        "OPENAI_BASE_URL",
        "EKM_CONFIRM_ARCHIVE",
        "EKM_RECORD",
        "TF_VAR_name",
        "TF_WORKSPACE",
        "TF_CLI_ARGS",
        "PYTHONPATH",
    ],
)
def test_drops(name: str) -> None:
    """A rehearsal would reach a real account, or judge another input than the one given."""
    assert name not in clean(base={name: "the user's own", "PATH": "/bin"})


@pytest.mark.parametrize("name", ["PATH", "HOME", "EKM_TF_MIRROR", "EKM_CACHE_DIR", "PIP_CERT"])
def test_keeps(name: str) -> None:
    """The user's tools and folders would not be found."""
    assert clean(base={name: "x"}) == {name: "x"}


@pytest.mark.parametrize(
    ("environment", "spared"),
    [
        ({}, None),
        ({"NO_PROXY": "a.test"}, None),
        ({"HTTPS_PROXY": ""}, None),
        ({"https_proxy": "http://p"}, "localhost,127.0.0.1,::1,[::1]"),
        ({"ALL_PROXY": "socks5://p", "NO_PROXY": "*"}, "*"),
        (
            {"HTTP_PROXY": "http://p", "NO_PROXY": "a.test, ::1"},
            "a.test,::1,localhost,127.0.0.1,[::1]",
        ),
        (
            {"HTTP_PROXY": "http://p", "NO_PROXY": "a.test", "no_proxy": "b.test"},
            "b.test,a.test,localhost,127.0.0.1,::1,[::1]",
        ),
    ],
)
def test_loopback_is_kept_from_proxies(environment: dict[str, str], spared: str | None) -> None:
    """On a machine behind a proxy, LocalStack's address would be looked up by the proxy."""
    added = {} if spared is None else {"NO_PROXY": spared, "no_proxy": spared}
    assert keep_from_proxies(environment) == added
    assert clean(base=environment) == environment | added


def test_later_settings_win() -> None:
    """A test could not override what the rehearsal sets."""
    assert clean({"A": "1", "B": "1"}, {"A": "2"}, base={"A": "0"}) == {"A": "2", "B": "1"}


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"EKM_CACHE_DIR": "/c", "XDG_CACHE_HOME": "/x"}, Path("/c")),
        ({"XDG_CACHE_HOME": "/x"}, Path("/x/openai-ekm-aws")),
        ({}, Path.home() / ".cache" / "openai-ekm-aws"),
    ],
)
def test_the_cache_is_where_the_user_says(environment: dict[str, str], expected: Path) -> None:
    """A user who keeps caches elsewhere would find them in the home folder."""
    assert cache_folder(environment) == expected
