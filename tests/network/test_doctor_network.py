"""`ekm doctor` against real sockets: clocks, names, TLS, proxies, and what it must not show."""

from __future__ import annotations

import json
import os
import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.forked_ekm import imported
from tests.support.wire import Authority, Listener, listening

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.forked_ekm import Ekm

ADMIN_KEY = "sk-admin-of-this-test-0123456789"
SECRETS = {
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMIofTHISTESTbPxRfiCYEXAMPLEKEY",
    "AWS_SESSION_TOKEN": "FwoGZXIvYXdzEBYaDHTHISTESTtoken==",
}
PASSWORD = "hunter2-of-the-proxy"
IDENTITY = """<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
<GetCallerIdentityResult><Arn>arn:aws:iam::111122223333:root</Arn><UserId>AIDA</UserId>
<Account>111122223333</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"""
REFUSAL = """<ErrorResponse><Error><Type>Sender</Type><Code>SignatureDoesNotMatch</Code>
<Message>Signature expired</Message></Error></ErrorResponse>"""
ORGANIZATION = (
    b"HTTP/1.1 200 OK\r\nopenai-organization: org-abc\r\nContent-Type: application/json\r\n"
    b"Content-Length: 12\r\nConnection: close\r\n\r\n"
    b'{"data": []}'
)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A certificate authority."""
    return Authority.make(tmp_path_factory.mktemp("authority"))


class Doctor:
    """Runs `ekm doctor` as a process with nothing of this machine's own settings."""

    def __init__(self, ekm: Ekm, folder: Path) -> None:
        self.ekm = ekm
        self.folder = folder
        self.said = ""
        self.code = -1

    def __call__(self, *words: str, **variables: str) -> dict[str, dict[str, Any]]:
        """Run it and return its checks by id."""
        done = self.ekm.run(
            *("doctor", "--json", *words),
            cwd=self.folder,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self.folder),
                "AWS_CONFIG_FILE": str(self.folder / "config"),
                "AWS_EC2_METADATA_DISABLED": "true",
                "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
                "AWS_ACCESS_KEY_ID": "111122223333",
                **SECRETS,
                "AWS_REGION": "eu-west-1",
                "OPENAI_BASE_URL": "http://127.0.0.1:9/v1",
                "OPENAI_ADMIN_KEY": ADMIN_KEY,
                "EKM_CALLS_PER_MINUTE": "0",
                **variables,
            },
        )
        self.code, self.said = done.returncode, done.stdout + done.stderr
        for secret in (ADMIN_KEY, PASSWORD, *SECRETS.values()):
            assert secret not in self.said
        return {each["id"]: each for each in json.loads(done.stdout)["checks"]}


@pytest.fixture(scope="module")
def ekm() -> Iterator[Ekm]:
    """What starts each process."""
    with imported() as found:
        yield found


@pytest.fixture
def doctor(ekm: Ekm, tmp_path: Path) -> Doctor:
    """The doctor, in an empty folder."""
    return Doctor(ekm, tmp_path)


def aws(content: str, status: int = 200, ago: float = 0) -> Callable[[Any, Any], None]:
    """A play: AWS answers every call with this, dated some seconds ago."""

    def play(listener: Listener, connection: socket.socket) -> None:
        listener.request(connection)
        date = format_datetime(datetime.now(UTC) - timedelta(seconds=ago), usegmt=True)
        head = (
            f"HTTP/1.1 {status} X\r\nDate: {date}\r\nContent-Type: text/xml\r\n"
            f"Content-Length: {len(content)}\r\nConnection: close\r\n\r\n"
        )
        connection.sendall((head + content).encode())

    return play


def openai(context: ssl.SSLContext | None = None) -> Callable[[Any, Any], None]:
    """A play: OpenAI answers an empty list, over TLS or not."""

    def play(listener: Listener, connection: socket.socket) -> None:
        if context is None:
            listener.request(connection)
            connection.sendall(ORGANIZATION)
            return
        with context.wrap_socket(connection, server_side=True) as wrapped:
            listener.request(wrapped)
            wrapped.sendall(ORGANIZATION)

    return play


def failing_in(checks: dict[str, dict[str, Any]]) -> set[str]:
    """The checks that fail."""
    return {name for name, each in checks.items() if each["state"] == "failure"}


def test_hosts_that_are_not_reached_are_the_one_thing_that_fails(doctor: Doctor) -> None:
    """Guards against: a page of failures that all mean the network, or another exit code."""
    checks = doctor("--external-id", "org-abc", "--record", "ssm:/openai-ekm/prod")
    failing = failing_in(checks)
    assert failing == {"network_aws", "network_openai"}
    assert doctor.code == 5
    assert "(network_aws)" in checks["aws_account"]["found"]
    assert "(network_openai)" in checks["openai_feature"]["found"]
    assert checks["record"]["state"] == "not_seen"


def test_a_name_without_an_address_is_told(doctor: Doctor) -> None:
    """Guards against: "check the network" where DNS alone is at fault."""
    with listening(aws(IDENTITY)) as sts:
        checks = doctor(
            OPENAI_BASE_URL="https://openai.example.invalid/v1",
            AWS_ENDPOINT_URL=f"http://127.0.0.1:{sts.port}",
        )
    assert "openai.example.invalid has no address" in checks["network_openai"]["found"]
    assert checks["network_aws"]["state"] == "ok"


@pytest.mark.parametrize(
    ("ago", "state", "account"), [(0, "ok", "warning"), (90, "warning", "warning")]
)
def test_the_clock_is_compared_with_the_dates_of_answers(
    ago: float, state: str, account: str, doctor: Doctor
) -> None:
    """Guards against: a clock that nobody looks at."""
    with listening(aws(IDENTITY, ago=ago)) as sts:
        checks = doctor(AWS_ENDPOINT_URL=f"http://127.0.0.1:{sts.port}")
    assert checks["clock"]["state"] == state, checks["clock"]
    assert checks["aws_account"]["state"] == account  # the root user


def test_a_signature_that_is_refused_for_the_clock_is_the_clocks_failure(doctor: Doctor) -> None:
    """Guards against: "set the AWS_* variables anew" where the clock is wrong."""
    with listening(aws(REFUSAL, 403, ago=-600)) as sts:
        checks = doctor(AWS_ENDPOINT_URL=f"http://127.0.0.1:{sts.port}")
    assert checks["clock"]["state"] == "failure"
    assert re.search("(?:599|600) s behind AWS", checks["clock"]["found"])
    assert checks["aws_account"]["state"] == "not_seen"
    assert "(clock)" in checks["aws_account"]["found"]
    assert doctor.code == 1


def test_an_authority_that_is_not_accepted_is_told_with_the_variable(
    doctor: Doctor, authority: Authority
) -> None:
    """Guards against: a proxy that opens TLS, told as a host that is away."""
    with listening(openai(authority.server_context())) as server:
        url = f"https://127.0.0.1:{server.port}/v1"
        checks = doctor(OPENAI_BASE_URL=url)
        assert checks["network_openai"]["state"] == "failure"
        assert "REQUESTS_CA_BUNDLE" in checks["network_openai"]["remedy"]
        assert server.received == []
        bundle = str(authority.certificate)
        checks = doctor("--external-id", "org-abc", OPENAI_BASE_URL=url, REQUESTS_CA_BUNDLE=bundle)
        assert checks["network_openai"]["state"] == "ok", checks["network_openai"]
        assert checks["network_authorities"]["state"] == "ok"
        assert checks["openai_organization"]["state"] == "ok"
        checks = doctor(OPENAI_BASE_URL=url, CURL_CA_BUNDLE=bundle)
        assert checks["network_authorities"]["state"] == "warning"
    heads = [each for each in server.received if each.startswith(b"HEAD ")]
    assert heads
    assert all(b"uthorization" not in each for each in heads), "the probe shows the admin key"
    assert all(each.startswith((b"HEAD ", b"GET ")) for each in server.received)


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "AWS_CA_BUNDLE"])
def test_a_list_of_authorities_that_is_missing_is_named(variable: str, doctor: Doctor) -> None:
    """Guards against: a missing file that is told as the network."""
    checks = doctor(**{variable: "/nonexistent/ca.pem"})
    line = checks["network_authorities"]
    assert line["state"] == "failure"
    assert "/nonexistent/ca.pem" in line["found"]
    if variable != "AWS_CA_BUNDLE":
        assert "(network_authorities)" in checks["network_openai"]["found"]


def test_a_server_that_wants_a_certificate_is_the_certificates_failure(
    doctor: Doctor, authority: Authority
) -> None:
    """Guards against: mutual TLS, told as a host that is away."""
    with listening(openai(authority.server_context(wants_client=True))) as server:
        variables = {
            "OPENAI_BASE_URL": f"https://127.0.0.1:{server.port}/v1",
            "REQUESTS_CA_BUNDLE": str(authority.certificate),
        }
        checks = doctor(**variables)
        assert checks["network_openai"]["state"] == "ok"
        assert checks["openai_certificate"]["state"] == "failure"
        assert "OPENAI_MTLS_CERT_PATH" in checks["openai_certificate"]["remedy"]
        files = ("--mtls-cert", str(authority.folder / "client.pem"))
        key = ("--mtls-key", str(authority.folder / "client.key"))
        checks = doctor(*files, *key, **variables)
        assert checks["openai_certificate"]["state"] == "ok"
        assert checks["openai_feature"]["state"] == "ok"
        wrong = ("--mtls-key", str(authority.folder / "server.key"))
        checks = doctor(*files, *wrong, **variables)
        assert checks["openai_certificate"]["state"] == "failure"
        assert "do not belong together" in checks["openai_certificate"]["found"]
        assert "(openai_certificate)" in checks["network_openai"]["found"]


def _tunnel(context: ssl.SSLContext, answer: bytes) -> Callable[[Any, Any], None]:
    def play(listener: Listener, connection: socket.socket) -> None:
        listener.request(connection)
        connection.sendall(answer)
        if b" 200 " in answer:
            openai(context)(listener, connection)

    return play


def test_a_proxy_is_named_without_its_password(doctor: Doctor, authority: Authority) -> None:
    """Guards against: a proxy's password on the terminal, or a proxy that is not used."""
    host = "openai.example.invalid"
    context = authority.server_context(host)
    established = b"HTTP/1.1 200 Connection established\r\n\r\n"
    with listening(_tunnel(context, established)) as proxy:
        checks = doctor(
            OPENAI_BASE_URL=f"https://{host}/v1",
            HTTPS_PROXY=f"http://user:{PASSWORD}@127.0.0.1:{proxy.port}",
            NO_PROXY="127.0.0.1",
            REQUESTS_CA_BUNDLE=str(authority.certificate),
        )
    assert checks["network_openai"]["state"] == "ok", checks["network_openai"]
    assert f"http://127.0.0.1:{proxy.port}" in checks["network_proxies"]["found"]
    assert "user" not in checks["network_proxies"]["found"]


@pytest.mark.parametrize("words", [(), ("--debug",)])
def test_no_secret_is_shown_whatever_fails(
    words: tuple[str, ...], doctor: Doctor, authority: Authority
) -> None:
    """Guards against: a secret in what an error quotes; `Doctor` looks for each of them."""
    refused = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
    with listening(_tunnel(authority.server_context(), refused)) as proxy:
        for address in (f"127.0.0.1:{proxy.port}", "127.0.0.1:9", "[::1", "127.0.0.1:port"):
            checks = doctor(
                *words,
                OPENAI_BASE_URL="https://openai.example.invalid/v1",
                AWS_ENDPOINT_URL="https://sts.example.invalid",
                HTTPS_PROXY=f"http://user:{PASSWORD}@{address}",
            )
            assert failing_in(checks) & {"network_openai", "network_proxies"}
    checks = doctor(*words, OPENAI_ADMIN_KEY=f"{ADMIN_KEY} and more")
    assert checks["openai_admin_key"]["state"] == "failure"
    doctor(*words, AWS_SESSION_TOKEN=SECRETS["AWS_SESSION_TOKEN"] + "\n")


def test_a_socks_proxy_is_not_one_for_aws(doctor: Doctor) -> None:
    """Guards against: AWS's side looked at for what a variable of this machine does."""
    checks = doctor(
        AWS_ENDPOINT_URL="https://sts.example.invalid",
        HTTPS_PROXY=f"socks5h://user:{PASSWORD}@127.0.0.1:9",
    )
    assert checks["network_proxies"]["state"] == "failure"
    assert "SOCKS" in checks["network_proxies"]["found"]


CONFIG = """
[profile chained]
role_arn = arn:aws:iam::111122223333:role/second
source_profile = first
duration_seconds = 7200
[profile first]
role_arn = arn:aws:iam::111122223333:role/first
source_profile = base
[profile base]
aws_access_key_id = 111122223333
aws_secret_access_key = test
[profile half]
aws_access_key_id = 111122223333
"""


@pytest.mark.parametrize("profile", ["absent", "half"])
def test_a_profile_that_does_not_work_is_the_one_failure_of_aws(
    profile: str, doctor: Doctor
) -> None:
    """Guards against: a second failure for what one line of a file does."""
    (doctor.folder / "config").write_text(CONFIG, encoding="utf-8")
    with listening(aws(IDENTITY)) as sts:
        checks = doctor("--profile", profile, AWS_ENDPOINT_URL=f"http://127.0.0.1:{sts.port}")
    failing = failing_in(checks)
    assert failing - {"network_openai"} == {"aws_credentials"}, checks
