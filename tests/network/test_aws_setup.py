"""What is wrong with a user's AWS set-up is said as that, with a way on, and never as the network.

Real processes without a terminal, as Terraform and a CI system start them, and real files.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.support.forked_ekm import imported

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.forked_ekm import Ekm

CONFIG = """
[profile mfa]
role_arn = arn:aws:iam::111122223333:role/deployer
source_profile = base
mfa_serial = arn:aws:iam::111122223333:mfa/someone
[profile base]
aws_access_key_id = 111122223333
aws_secret_access_key = test
[profile console]
login_session = arn:aws:iam::111122223333:user/someone
[profile sso]
sso_session = corp
sso_account_id = 111122223333
sso_role_name = Admin
[sso-session corp]
sso_start_url = https://example.awsapps.com/start
sso_region = eu-west-1
sso_registration_scopes = sso:account:access
[profile loop]
role_arn = arn:aws:iam::111122223333:role/a
source_profile = loop2
[profile loop2]
role_arn = arn:aws:iam::111122223333:role/b
source_profile = loop
[profile nosource]
role_arn = arn:aws:iam::111122223333:role/a
source_profile = absent
[profile webid]
role_arn = arn:aws:iam::111122223333:role/a
web_identity_token_file = /nonexistent/token
[profile program]
credential_process = /nonexistent/program --of mine
[profile half]
aws_access_key_id = 111122223333
[profile bundle]
aws_access_key_id = 111122223333
aws_secret_access_key = test
ca_bundle = /nonexistent/ca.pem
[profile badsource]
role_arn = arn:aws:iam::111122223333:role/a
credential_source = Nowhere
"""
KEY = "arn:aws:kms:eu-west-1:111122223333:key/32d721da-264d-4353-ae27-d515da79aa05"
INTENT = {
    "EKM_ROLE_ARN": "arn:aws:iam::111122223333:role/openai-ekm",
    "EKM_KMS_ARN": KEY,
    "EKM_EXTERNAL_ID": "org-abc",
    "EKM_NAME": "prod",
}
# Profile -> what the error names, and what it says to do.
PROFILES = {
    "mfa": ("aws_credentials_missing", "there is no terminal", "--profile mfa --format env"),
    "console": ("aws_credentials_missing", "login session", "aws login --profile console"),
    "sso": ("aws_credentials_missing", "corp does not exist", "aws sso login --profile sso"),
    "loop": ("aws_configuration", "Infinite loop", "Correct --profile or AWS_PROFILE"),
    "nosource": ("aws_configuration", '"absent"', "Correct --profile or AWS_PROFILE"),
    "webid": (
        "aws_configuration",
        "/nonexistent/token",
        "web_identity_token_file of the profile webid",
    ),
    "program": (
        "aws_configuration",
        "/nonexistent/program",
        "credential_process of the profile program",
    ),
    "half": ("aws_credentials_missing", "aws_secret_access_key", "AWS_ACCESS_KEY_ID"),
    "badsource": ("aws_configuration", "Nowhere", "Correct --profile or AWS_PROFILE"),
    "gone": ("aws_configuration", "(gone)", "Correct --profile or AWS_PROFILE"),
}


Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def ekm() -> Iterator[Ekm]:
    """What starts each process."""
    with imported() as found:
        yield found


@pytest.fixture
def run(ekm: Ekm, tmp_path: Path) -> Run:
    """Runs `ekm` with an AWS configuration of its own, no terminal, and nobody at its input."""
    (tmp_path / "config").write_text(CONFIG, encoding="utf-8")

    def started(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return ekm.run(
            *words,
            cwd=tmp_path,
            env={
                **INTENT,
                "PATH": os.environ["PATH"],
                "HOME": str(tmp_path),
                "AWS_CONFIG_FILE": str(tmp_path / "config"),
                "AWS_EC2_METADATA_DISABLED": "true",
                "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
                "AWS_REGION": "eu-west-1",
                "OPENAI_ADMIN_KEY": "sk-admin-of-this-test",
                "OPENAI_BASE_URL": "http://127.0.0.1:9/v1",
                **variables,
            },
        )

    return started


@pytest.mark.parametrize("verb", ["register", "snapshot"])
@pytest.mark.parametrize("profile", PROFILES)
def test_a_profile_that_does_not_work_is_named_with_a_way_on(
    run: Run, profile: str, verb: str
) -> None:
    """The user would look at the network for what one line of ~/.aws/config does."""
    words = ["--record", "ssm:/openai-ekm/prod"] if verb == "register" else []
    done = run(verb, *words, AWS_PROFILE=profile)
    expected, named, remedy = PROFILES[profile]
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    for part in (f"error[{expected}]", named, remedy):
        assert part in done.stderr
    for noise in ("Interrupted", "Traceback", "getpass", "Enter MFA", "network"):
        assert noise not in done.stderr


@pytest.mark.parametrize("variable", ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "ca_bundle"])
def test_a_ca_bundle_that_is_missing_is_named(run: Run, variable: str) -> None:
    """OpenSSL says "No such file", and not which."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        done = run(
            "register",
            "--record",
            "ssm:/openai-ekm/prod",
            AWS_PROFILE="bundle" if variable == "ca_bundle" else "base",
            AWS_ENDPOINT_URL=f"https://127.0.0.1:{listener.getsockname()[1]}",
            **{variable: "/nonexistent/ca.pem"},
        )
    assert done.returncode == 2, done.stderr
    assert f"{variable}=/nonexistent/ca.pem" in done.stderr


@pytest.mark.parametrize(
    ("proxy", "code", "words"),
    [
        ("socks5h://127.0.0.1:9", 2, "speaks SOCKS"),
        ("http://user:secret@127.0.0.1:9", 5, "The proxy could not be reached"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_named(run: Run, proxy: str, code: int, words: str) -> None:
    """The user would look at AWS's side for what a variable of this machine does."""
    done = run(
        "register",
        "--record",
        "ssm:/openai-ekm/prod",
        AWS_PROFILE="base",
        AWS_ENDPOINT_URL="https://sts.example.invalid",
        HTTPS_PROXY=proxy,
    )
    assert done.returncode == code, done.stderr
    assert words in done.stderr
    assert "at fault: HTTPS_PROXY" in done.stderr
    assert "NO_PROXY" in done.stderr
    assert "secret" not in done.stderr
