"""A private LocalStack: AWS's APIs on a free loopback port, without Docker or an account.

It enforces no IAM: its "yes" says nothing about a policy. Key states, encryption context and
sizes it does enforce. Accounts are told apart by the access key id: twelve digits are the account.
"""

from __future__ import annotations

import http.client
import importlib.util
import itertools
import os
import sys
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Self

from openai_ekm.errors import BadInput, NotReachable
from openai_ekm.openai import OPENAI_ACCOUNT
from openai_ekm.rehearsal.environment import cache_folder, clean
from openai_ekm.rehearsal.process import GuardedProcess, Server
from openai_ekm.rehearsal.sockets import free_port, listening

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import boto3

__all__ = ["CUSTOMER_ACCOUNT", "OPENAI_ACCOUNT", "REGION", "LocalStack"]

CUSTOMER_ACCOUNT = "111122223333"  # AWS's own account id for examples
REGION = "eu-west-1"
SERVICES = "kms,iam,sts,ssm,secretsmanager,events,sns,sqs,cloudwatch"
# A call of each service that changes nothing.
FIRST_CALLS = {
    "cloudwatch": "describe_alarms",
    "events": "list_rules",
    "iam": "list_roles",
    "kms": "list_keys",
    "secretsmanager": "list_secrets",
    "sns": "list_topics",
    "sqs": "list_queues",
    "ssm": "describe_parameters",
    "sts": "get_caller_identity",
}
PYTHON = (3, 13)  # on other versions LocalStack 4.14 answers kms and sts with 500
SERVER = Path(__file__).with_name("localstack_server.py")
READY_SECONDS = 180.0  # 2 s as a rule; the first start on a busy machine compiles for long
HEALTH_SECONDS = 10.0  # one answer of the health endpoint
PORT_TRIES = 3  # another process can take the port between the look and the start
READY = "Ready."  # what LocalStack prints when its port is open, whoever opened it
LOOKS = 100  # whose port it is can be seen before; a look now and then misses a socket


class LocalStack(Server):
    """A running LocalStack; use it as a context manager, or call `stop`.

    Example:
        >>> with LocalStack.start() as aws:  # doctest: +SKIP
        ...     aws.client("kms").create_key()
    """

    def __init__(
        self, endpoint_url: str, process: GuardedProcess | None, resources: ExitStack
    ) -> None:
        super().__init__(process, resources)
        self.endpoint_url = endpoint_url

    @classmethod
    def start(
        cls,
        *,
        services: str = SERVICES,
        ready_seconds: float = READY_SECONDS,
        folder: Path | None = None,
    ) -> Self:
        """Start one and wait until it answers.

        Args:
            services: AWS services to serve, separated by commas.
            ready_seconds: Deadline for the start.
            folder: Where its caches and logs go, for one that is to outlive this process; a
                cache folder of the user's and a temporary folder when absent.

        Raises:
            BadInput: This Python is not one that LocalStack runs on, or it is not installed.
            NotReachable: It did not start; the error carries its last lines.
        """
        _check_installed()
        with ExitStack() as resources:
            if folder is None:
                root = resources.enter_context(_cache_slot())
                place = Path(resources.enter_context(TemporaryDirectory(prefix="ekm-aws-")))
            else:
                root = place = folder
            for attempt in range(1, PORT_TRIES + 1):
                try:
                    port, process = _start(services, root, place, ready_seconds)
                except NotReachable as error:
                    if error.id != "server_ended" or attempt == PORT_TRIES:
                        raise
                    continue
                break
            resources.callback(process.stop)
            address = f"http://127.0.0.1:{port}"
            _load(cls.at(address), services)
            return cls(address, process, resources.pop_all())
        raise AssertionError  # pragma: no cover - the with block returns or raises

    @classmethod
    def at(cls, endpoint_url: str) -> Self:
        """Use one that already runs; `stop` leaves it alone.

        Args:
            endpoint_url: Its address, for example `http://127.0.0.1:4566`.
        """
        return cls(endpoint_url, None, ExitStack())

    def environment(self, account: str = CUSTOMER_ACCOUNT, region: str = REGION) -> dict[str, str]:
        """Return the variables that point any AWS client of an account here.

        Args:
            account: Twelve digits; it becomes the access key id.
            region: AWS Region.
        """
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": account,
            "AWS_SECRET_ACCESS_KEY": "rehearsal",  # nosec B105 # LocalStack checks none
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            # Nothing of the user's own set-up may answer instead.
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def session(self, account: str = CUSTOMER_ACCOUNT, region: str = REGION) -> boto3.Session:
        """Return a boto3 session of an account, whose clients come here by themselves."""
        import boto3  # noqa: PLC0415 - 0.3 s that a run without it need not pay
        import botocore.session  # noqa: PLC0415 - the same
        from botocore.config import Config  # noqa: PLC0415 - the same

        # The four settings that would otherwise read the user's own configuration.
        nothing: Any = (None, None, None, None)
        core = botocore.session.Session(
            session_vars=dict.fromkeys(
                ("profile", "config_file", "credentials_file", "ca_bundle"), nothing
            )
        )

        class Session(boto3.Session):
            endpoint_url = self.endpoint_url

            def client(self, *args: Any, **kwargs: Any) -> Any:
                make: Callable[..., Any] = super().client
                own = Config(proxies={})  # the endpoint is this machine's
                kwargs["config"] = own.merge(kwargs["config"]) if kwargs.get("config") else own
                return make(*args, **{"endpoint_url": self.endpoint_url} | kwargs)

        return Session(
            aws_access_key_id=account,
            aws_secret_access_key="rehearsal",  # noqa: S106  # nosec B106 # LocalStack checks none
            region_name=region,
            botocore_session=core,
        )

    def client(self, service: str, account: str = CUSTOMER_ACCOUNT, region: str = REGION) -> Any:
        """Return a boto3 client of a service as an account.

        Args:
            service: For example `kms`.
            account: Twelve digits.
            region: AWS Region.
        """
        make: Callable[..., Any] = self.session(account, region).client
        return make(service)


def settings(port: int, root: Path, services: str) -> dict[str, str]:
    """Return LocalStack's settings: loopback only, no calls out, no DNS server.

    Args:
        port: TCP port.
        root: Folder for its caches; it keeps no state in there.
        services: AWS services, separated by commas.
    """
    return {
        "GATEWAY_LISTEN": f"127.0.0.1:{port}",
        # A security setting: the default server ignores the host and listens on every interface.
        "GATEWAY_SERVER": "hypercorn",
        "OVERRIDE_IN_DOCKER": "0",
        "FILESYSTEM_ROOT": str(root),
        "SERVICES": services,
        "STRICT_SERVICE_LOADING": "1",
        "SKIP_SSL_CERT_DOWNLOAD": "1",
        "DISABLE_EVENTS": "1",
        "DNS_ADDRESS": "0",
    }


def _check_installed(version: tuple[int, ...] = sys.version_info[:2]) -> None:
    if version != PYTHON:
        raise BadInput(
            "localstack_python",
            f"LocalStack needs Python {_dotted(PYTHON)}; this is Python {_dotted(version)}.",
            remedy=f"Install 'openai-ekm-aws[demo]' in an environment of Python {_dotted(PYTHON)}, "
            "and run it, or your tests, there. In a checkout: make env. For the rehearsal alone: "
            "uvx --python 3.13 --from 'openai-ekm-aws[demo]' ekm demo.",
        )
    if importlib.util.find_spec("localstack") is None:
        raise BadInput(
            "localstack_missing",
            "LocalStack is not installed in this environment.",
            remedy="pip install 'openai-ekm-aws[demo]' (in a checkout: make env).",
        )


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(str(part) for part in version)


def _start(
    services: str, root: Path, folder: Path, ready_seconds: float
) -> tuple[int, GuardedProcess]:
    port = free_port()
    process = GuardedProcess(
        [sys.executable, "-P", "-W", "ignore", str(SERVER)],
        environment=clean(settings(port, root, services)),
        folder=folder,
    )
    looks = itertools.count(1)

    def answers() -> bool:
        if ("127.0.0.1", port) in listening(process.pid):
            return _healthy(port)
        if READY in process.output and next(looks) > LOOKS:
            process.stop()  # the port is another's: it would wait for ever
        return False

    try:
        process.wait_until(answers, what="LocalStack", seconds=ready_seconds)
    except BaseException:
        process.stop()
        raise
    return port, process


def _load(aws: LocalStack, services: str) -> None:
    """Make the first call to each service, one after the other.

    LocalStack loads a service at its first call, and says that it is loaded before that is so: of
    two first calls at once one is refused ("no handler for operation").
    """
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - as `session`

    session = aws.session()
    for service in sorted(FIRST_CALLS.keys() & services.split(",")):
        with suppress(BotoCoreError, ClientError):  # whoever needs the service is told
            getattr(session.client(service), FIRST_CALLS[service])()  # type: ignore[call-overload]


def _healthy(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=HEALTH_SECONDS)
    try:
        connection.request("GET", "/_localstack/health")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


@contextmanager
def _cache_slot() -> Iterator[Path]:
    """Give a cache folder that no other LocalStack of this user uses now."""
    from filelock import FileLock, Timeout  # noqa: PLC0415 - asyncio comes with it

    for number in itertools.count():
        folder = cache_folder() / "localstack" / str(number)
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / ".lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            continue
        try:
            yield folder
        finally:
            lock.release()
        return
