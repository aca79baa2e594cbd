"""Facts that the readers found: one frozen object for each part of the set-up.

A member that could not be read is the error that kept it from being read. None means that nobody
asked; then `examine` knows why.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from openai_ekm.errors import EkmError
    from openai_ekm.openai_api.redaction import AdminKey
    from openai_ekm.openai_api.tls import ClientCertificate

__all__ = [
    "Authorities",
    "Caller",
    "Credentials",
    "Given",
    "Machine",
    "Network",
    "OpenAI",
    "Organization",
    "Permitted",
    "Proxy",
    "RecordFacts",
    "Rule",
    "Target",
    "Topic",
    "Trail",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """The values that the caller named; before an apply there may be none.

    Args:
        role_arn: Checked, as the next two are.
        kms_arn: Of a key or an alias.
        external_id: Of the organization or a project.
        record: `ssm` or `file`, and the path.
        unread: Why Terraform's outputs could not be read; `unapplied` says that there are none.
        unapplied: Whether Terraform has no outputs of the module yet.
        folder: Where the module is looked for.
        base_url: Of OpenAI's API.
        admin_key: From the environment.
        admin_key_from: Reference to the admin key in AWS.
        certificate: Shown to OpenAI.
        calls_per_minute: To each endpoint of OpenAI's; 0 for no pacing.
        tasks: What the caller is to be able to do: apply, register, drill.
    """

    role_arn: str | None = None
    kms_arn: str | None = None
    external_id: str | None = None
    record: tuple[str, str] | None = None
    unread: EkmError | None = None
    unapplied: bool = False
    folder: Path = Path()
    base_url: str
    admin_key: AdminKey | EkmError | None = None
    admin_key_from: str | None = None
    certificate: ClientCertificate | EkmError | None = None
    calls_per_minute: int = 0
    tasks: frozenset[str] = frozenset({"apply", "register"})


@dataclass(frozen=True, slots=True)
class Machine:
    """Versions on this machine.

    Args:
        python: Major, minor, micro.
        package: Of this package.
        module: Of the Terraform module in the folder; None when there is none.
        terraform: Program and version, or why there is none.
    """

    python: tuple[int, int, int]
    package: str
    module: str | None
    terraform: tuple[str, str] | EkmError


@dataclass(frozen=True, slots=True)
class Credentials:
    """AWS credentials, without a secret.

    Args:
        method: Where they come from, in botocore's word.
        temporary: Whether they have a session token.
        expires: When they end, where that is known.
        chained: Whether a role was assumed with the credentials of another role; None where the
            configuration does not say.
        duration: Seconds that the profile asks for.
    """

    method: str
    temporary: bool = False
    expires: datetime | None = None
    chained: bool | None = False
    duration: int | None = None


@dataclass(frozen=True, slots=True)
class Caller:
    """The identity that AWS says the credentials are of."""

    arn: str
    account: str


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy that calls go through.

    Args:
        called: `AWS` or `OpenAI`.
        address: Scheme, host and port, without name and password.
        usable: Whether AWS's SDK can use it: it speaks to HTTP proxies alone.
    """

    called: str
    address: str
    usable: bool = True


@dataclass(frozen=True, slots=True)
class Authorities:
    """Lists of certificate authorities that are used in place of the usual ones.

    Args:
        openai: `VARIABLE=FILE`, or None for the usual list.
        aws: The same for AWS.
        missing: Which of them names a file that is not there.
        unusable: Why the one for OpenAI cannot be used.
    """

    openai: str | None = None
    aws: str | None = None
    missing: tuple[str, ...] = ()
    unusable: EkmError | None = None


@dataclass(frozen=True, slots=True)
class Network:
    """The ways out of this machine.

    Args:
        proxies: Those that are used.
        proxy_error: Why the one to OpenAI cannot be used.
        authorities: Certificate authorities.
        aws: Scheme and host that answered, or why none did; None when none was asked.
        openai: The same.
        unresolved: Hosts whose name has no address.
    """

    proxies: tuple[Proxy, ...] = ()
    proxy_error: EkmError | None = None
    authorities: Authorities = Authorities()
    aws: str | EkmError | None = None
    openai: str | EkmError | None = None
    unresolved: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OpenAI:
    """The answers of OpenAI.

    Args:
        keys: The error of listing registrations; None when it was answered.
        projects: The error of listing projects; None when it was answered.
        organization: As OpenAI names it in its answers.
        project: Whether the project that is the external id is there; None when it was not asked.
    """

    keys: EkmError | None = None
    projects: EkmError | None = None
    organization: str | None = None
    project: bool | EkmError | None = None


@dataclass(frozen=True, slots=True)
class Organization:
    """The AWS organization of the caller's account.

    Args:
        management: Account id of the management account; None when in no organization.
        scps: Levels of documents, or why they were not read.
        rcps: The same.
    """

    management: str | EkmError | None
    scps: tuple[tuple[Any, ...], ...] | str = ()
    rcps: tuple[tuple[Any, ...], ...] | str = ()


@dataclass(frozen=True, slots=True)
class Permitted:
    """The policies that say what the caller may do.

    Args:
        identity: Documents, or why they were not read.
        boundary: The permissions boundary, None when there is none, or why it was not read.
        principal: ARN of the role behind a session, or of the user.
        key_policy: Of the key that is named; None when it is not there or was not read.
    """

    identity: tuple[Any, ...] | EkmError
    boundary: Mapping[str, Any] | str | None = None
    principal: str | None = None
    key_policy: Any = None


@dataclass(frozen=True, slots=True)
class Trail:
    """A trail of CloudTrail.

    Args:
        name: Its name.
        arn: Its ARN.
        home: Its home Region.
        multi_region: Whether it logs every Region.
        global_events: Whether it logs events of global services.
        logging: Whether it logs now; None when that was not seen.
        basic: Event selectors; None when they were not seen, with `advanced`.
        advanced: Advanced event selectors.
    """

    name: str
    arn: str
    home: str
    multi_region: bool = True
    global_events: bool = True
    logging: bool | None = True
    basic: tuple[Mapping[str, Any], ...] | None = ()
    advanced: tuple[Mapping[str, Any], ...] | None = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of EventBridge.

    Args:
        name: Its name.
        state: As EventBridge spells it.
        pattern: Its event pattern, decoded; None when it has none.
        targets: Where it sends events; None when nobody asked.
    """

    name: str
    state: str
    pattern: Mapping[str, Any] | None = None
    targets: tuple[Target, ...] | EkmError | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """A target of a rule.

    Args:
        arn: Its ARN.
        topic: Who the topic tells; None when it is no topic.
    """

    arn: str
    topic: Topic | EkmError | None = None


@dataclass(frozen=True, slots=True)
class Topic:
    """The subscriptions of a topic.

    Args:
        confirmed: How many are confirmed.
        pending: How many wait for the subscriber.
        exists: Whether the topic is there.
    """

    confirmed: int = 0
    pending: int = 0
    exists: bool = True


@dataclass(frozen=True, slots=True)
class RecordFacts:
    """The record and who holds it.

    Args:
        place: Where it is.
        state: `none`, `registering`, `registered` or `retired`.
        differs: Members in which it differs from what was named.
        holder: Who holds the lease, in words; empty when nobody does, None when not looked at.
        expires_in: Seconds until the lease lapses.
    """

    place: str
    state: str
    differs: tuple[str, ...] = ()
    holder: str | None = ""
    expires_in: float | None = None
