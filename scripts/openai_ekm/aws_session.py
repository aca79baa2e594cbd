"""AWS clients for the registrar."""

from __future__ import annotations

import getpass
import os
import shlex
import time
from typing import TYPE_CHECKING, Any, Final

from openai_ekm import aws_selection
from openai_ekm.aws_answers import check_answer
from openai_ekm.aws_errors import translated
from openai_ekm.calls_log import log_call
from openai_ekm.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import boto3

__all__ = ["check_account", "client", "list_items", "new_session", "translated"]

CONNECT_TIMEOUT: Final = 5  # seconds; AWS's endpoints answer at once or are not reachable
READ_TIMEOUT: Final = 20  # seconds; small requests
ATTEMPTS: Final = 4  # with botocore's standard back-off


def new_session() -> boto3.Session:
    """Return a session from the command line's choice, else AWS's usual environment and files.

    Raises:
        BadInput: The profile does not exist, or the files cannot be read.
    """
    import boto3  # noqa: PLC0415 - imported only where AWS is called
    import botocore.session  # noqa: PLC0415 - the same

    chosen = aws_selection.current()
    with translated("reading the AWS configuration"):
        core = botocore.session.get_session()
        if chosen.profile is not None:  # before credentials are looked up: it wins over them
            core.set_config_variable("profile", chosen.profile)
        core.register("before-parse", check_answer)
        core.register("before-call", _note_start)
        core.register("after-call", _log_answer)
        core.register("after-call-error", _log_failure)
        providers = core.get_component("credential_provider")
        providers.get_provider("assume-role")._prompter = _ask_for_code  # noqa: SLF001
        # AWS_REGION is what AWS's other SDKs and Terraform read; boto3 does not.
        return boto3.Session(
            botocore_session=core,
            region_name=chosen.region or os.environ.get("AWS_REGION") or None,
        )


def _note_start(**event: Any) -> None:
    event["context"]["ekm.start"] = time.monotonic()


def _log_answer(**event: Any) -> None:
    model = event["model"]
    action = f"{model.service_model.signing_name}:{model.name}"
    _log(action, event["context"], event["http_response"].status_code)


def _log_failure(**event: Any) -> None:
    _, service, operation = event["event_name"].split(".", 2)
    _log(f"{service}:{operation}", event["context"], type(event["exception"]).__name__)


def _log(action: str, context: Mapping[str, Any], outcome: object) -> None:
    start = context.get("ekm.start", time.monotonic())
    log_call("AWS", action, outcome, time.monotonic() - start)


def _ask_for_code(prompt: str) -> str:
    """Ask for the MFA code of a profile, where there is somebody to ask.

    Raises:
        BadInput: There is no terminal; standard input may be Terraform's, or a plan.
    """
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        profile = aws_selection.current().profile or os.environ.get("AWS_PROFILE") or "default"
        raise BadInput(
            "aws_credentials_missing",
            f"The AWS profile {profile} asks for an MFA code, and there is no terminal to ask at.",
            at_fault=f"the AWS profile {profile}",
            remedy="Get a session at a terminal first, then run again with it: "
            f'eval "$(aws configure export-credentials --profile {shlex.quote(profile)} '
            '--format env)"',
        ) from None
    return getpass.getpass(prompt)


def client(
    session: boto3.Session,
    service: str,
    region: str | None = None,
    *,
    attempts: int = ATTEMPTS,
    unsigned: bool = False,
) -> Any:
    """Return a client with time-outs.

    Args:
        session: The credentials and the configuration.
        service: As boto3 spells it.
        region: Overrides the environment's.
        attempts: Times that a call is tried.
        unsigned: Whether calls go out without credentials.
    """
    from botocore import UNSIGNED  # noqa: PLC0415 - see above
    from botocore.config import Config  # noqa: PLC0415 - see above

    config = Config(
        connect_timeout=CONNECT_TIMEOUT,
        read_timeout=READ_TIMEOUT,
        retries={"mode": "standard", "total_max_attempts": attempts},
        signature_version=UNSIGNED if unsigned else None,
    )
    with translated(f"making a client for {service}"):
        return session.client(service, region_name=region, config=config)  # type: ignore[call-overload]


def check_account(session: boto3.Session, account: str) -> None:
    """Stop before a record is read or written in somebody else's account.

    Args:
        session: The credentials that will be used.
        account: The 12 digits of the role's account.

    Raises:
        BadInput: The credentials are of another account.
    """
    with translated("sts:GetCallerIdentity"):
        found = client(session, "sts").get_caller_identity()["Account"]
    if found != account:
        raise BadInput(
            "wrong_account",
            f"The AWS credentials are of account {found}; role_arn is in account {account}.",
            at_fault="AWS credentials",
            remedy=f"Use credentials of account {account} (AWS_PROFILE, AWS_ACCESS_KEY_ID), or a "
            "file record, which needs no AWS.",
        )


def list_items(client: Any, action: str, member: str, **arguments: Any) -> Iterator[Any]:
    """Yield what a list of AWS's holds, page by page.

    Args:
        client: Of boto3.
        action: Its method, such as `list_aliases`.
        member: Where a page holds its items.
        arguments: Of the method.
    """
    for page in client.get_paginator(action).paginate(**arguments):
        yield from page[member]
