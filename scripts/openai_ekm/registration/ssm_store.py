"""A record in SSM: `<prefix>/record`, and one parameter `<prefix>/claim-<n>` for each lease.

Creating a parameter without Overwrite is the only conditional write that SSM has. A lease is
therefore a new parameter with the next number, and the run that made the highest number holds it.
The run renews the lease by overwriting its parameter. The lease lapses `LEASE` seconds after
that by the server's clock. The record has the number under which it was written, so that no
number is used twice.

Sources:
https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html
(Overwrite, Tier), docs/decisions/0003-claims-in-ssm.md
"""

from __future__ import annotations

import json
import os
import re
import secrets
import socket
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from openai_ekm.aws_session import translated
from openai_ekm.errors import BadInput
from openai_ekm.json_reader import UnreadableJsonError, read_json
from openai_ekm.openai_api.constants import CALL_TIMEOUT
from openai_ekm.registration import record as records
from openai_ekm.registration.record import LEASE, Held

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from openai_ekm.registration.record import Record

__all__ = ["ADVANCED_BYTES", "STANDARD_BYTES", "SsmParameters", "SsmStore", "check_prefix"]

STANDARD_BYTES: Final = 4096  # of a Standard parameter, which costs nothing
ADVANCED_BYTES: Final = 8192  # of an Advanced parameter


class SsmParameters:
    """The parameters `<prefix>/<name>`.

    Args:
        client: boto3's SSM client.
        prefix: As `check_prefix` accepts it.
    """

    def __init__(self, client: Any, prefix: str) -> None:
        self._ssm = client
        self.prefix = prefix

    def pages(self) -> Iterator[dict[str, Any]]:
        """Yield the pages of the parameters, each when it is asked for."""
        token: dict[str, str] | None = {}
        while token is not None:
            with translated(f"ssm:GetParametersByPath {self.prefix}"):
                page = self._ssm.get_parameters_by_path(Path=self.prefix, **token)
            yield page
            token = {"NextToken": page["NextToken"]} if page.get("NextToken") else None

    def create(self, name: str, value: str) -> bool:
        """Create a parameter; return False when one of the name exists.

        That one can be this run's own: botocore repeats a call whose answer was lost.
        """
        full = f"{self.prefix}/{name}"
        with translated(f"ssm:PutParameter {full}"):
            try:
                self._ssm.put_parameter(Name=full, Value=value, Type="String", Overwrite=False)
            except ClientError as failure:
                if failure.response["Error"]["Code"] != "ParameterAlreadyExists":
                    raise
                return False
        return True

    def replace(self, name: str, value: str) -> None:
        """Write a parameter, whether or not it exists, in the tier that its size needs."""
        full = f"{self.prefix}/{name}"
        put = partial(
            self._ssm.put_parameter, Name=full, Value=value, Type="String", Overwrite=True
        )
        with translated(f"ssm:PutParameter {full}"):
            try:
                put(**({"Tier": "Advanced"} if len(value.encode()) > STANDARD_BYTES else {}))
            except ClientError as failure:
                # What was once too large for a Standard parameter stays Advanced when it shrinks.
                if "advanced-parameter tier" not in failure.response["Error"].get("Message", ""):
                    raise
                put(Tier="Advanced")

    def delete(self, name: str) -> None:
        """Delete a parameter; harmless when there is none."""
        full = f"{self.prefix}/{name}"
        with translated(f"ssm:DeleteParameter {full}"):
            try:
                self._ssm.delete_parameter(Name=full)
            except ClientError as failure:
                if failure.response["Error"]["Code"] != "ParameterNotFound":
                    raise


RESERVED_BYTES: Final = 2600  # of a record, for all but its projects
_PREFIX: Final = re.compile(r"(?:/[A-Za-z0-9_.-]+){1,13}")
LONGEST_PREFIX: Final = 900  # characters; SSM allows 1011 with ARN and name
_CLAIM: Final = re.compile(r"claim-([1-9][0-9]*)")


def check_prefix(prefix: str) -> None:
    """Refuse what SSM does not take as the path of a parameter.

    Raises:
        BadInput: Not a path that begins with a slash, or one that AWS keeps for itself.
    """
    reserved = prefix.lower().startswith(("/aws", "/ssm"))
    if not _PREFIX.fullmatch(prefix) or reserved or len(prefix) > LONGEST_PREFIX:
        raise BadInput(
            "record_place_malformed",
            f"The record ssm:{prefix} cannot be a path in SSM: it begins with a slash, has "
            "letters, digits and _.- between slashes, and does not begin with aws or ssm.",
            at_fault="--record",
            remedy="Give the prefix, for example ssm:/openai-ekm/prod.",
        )


@dataclass(frozen=True, slots=True)
class _Claim:
    number: int
    holder: Mapping[str, Any]
    modified: datetime


@dataclass(frozen=True, slots=True)
class _StoredState:
    """Everything under the prefix at one moment of the server's clock."""

    record_text: str | None
    claims: tuple[_Claim, ...]
    now: datetime

    @property
    def top(self) -> _Claim | None:
        return max(self.claims, key=lambda claim: claim.number, default=None)


class SsmStore:
    """`--record ssm:/openai-ekm/NAME`.

    Args:
        client: boto3's SSM client.
        prefix: As `check_prefix` accepts it.
    """

    def __init__(self, client: Any, prefix: str) -> None:
        self._parameters = SsmParameters(client, prefix)
        self.place = f"ssm:{prefix}"
        self._me = {"token": secrets.token_hex(8), "pid": os.getpid(), **_whereabouts()}
        self._number: int | None = None

    def read(self) -> Record | None:
        """Return the record under the prefix, by its exact name."""
        return self._parse(self._look().record_text)

    def holder(self) -> Held | None:
        """Return who holds the lease, None when nobody does; it takes and changes nothing."""
        return self._holder(self._look())

    def try_claim(self) -> int | Held:
        """Make the next lease's parameter, unless the highest one is held and alive."""
        view = self._look()
        if held := self._holder(view):
            return held
        record = self._parse(view.record_text)
        written = record.claim if record else 0
        top = view.top
        number = max(top.number if top else 0, written) + 1
        if not self._parameters.create(f"claim-{number}", self._claim_text()):
            # Ours all the same when the answer to an earlier attempt of botocore was lost.
            other = next((c for c in self._look().claims if c.number == number), None)
            if other is None or other.holder.get("token") != self._me["token"]:
                return Held(_in_words(other.holder if other else {}), LEASE)
        self._number = number
        return number

    def still_held(self) -> bool:
        """Return whether this run's lease is there, is the highest, and the record is not newer.

        It is renewed when it might lapse before the write that this is asked for is through: a
        machine that slept has renewed nothing.
        """
        view = self._look()
        held = self._is_mine(view)
        if held and view.top and _left(view.top, view.now) < CALL_TIMEOUT:
            self._overwrite_claim()
            held = self._is_mine(self._look())  # somebody may have taken it over before that
        return held

    def renew(self) -> None:
        """Overwrite this run's own lease, which moves its time."""
        if self._number is not None and self._is_mine(self._look()):
            self._overwrite_claim()

    def write(self, record: Record) -> None:
        """Replace the record parameter."""
        text = records.serialise(record)
        size = len(text.encode())
        if size > ADVANCED_BYTES:
            raise _too_large(f"{size} bytes")
        self._parameters.replace("record", text)

    @staticmethod
    def check_room(projects: tuple[str, ...]) -> None:
        """Refuse more projects than a record in SSM has room for, before anything is done.

        Raises:
            BadInput: The names need more than is left beside ARNs, ids and times.
        """
        sizes = [len(json.dumps(name, ensure_ascii=False).encode()) + 64 for name in projects]
        size = sum(sizes) + max(sizes, default=0)  # the one that is being created stands twice
        if size > ADVANCED_BYTES - RESERVED_BYTES:
            raise _too_large(f"{len(projects)} projects need {size} bytes")

    def delete(self) -> None:
        """Delete the record, and claims of runs that ended without releasing theirs."""
        names = [f"claim-{c.number}" for c in self._look().claims if c.number != self._number]
        for name in [*names, "record"]:
            self._parameters.delete(name)

    def release(self) -> None:
        """Delete this run's lease, and those below it whose numbers the record keeps from reuse."""
        if self._number is None:
            return
        number, self._number = self._number, None
        view = self._look()
        record = self._parse(view.record_text)
        written = record.claim if record else 0
        for claim in view.claims:
            own = claim.number == number and claim.holder.get("token") == self._me["token"]
            if own or (claim.number < number and claim.number <= written):
                self._parameters.delete(f"claim-{claim.number}")

    def _is_mine(self, view: _StoredState) -> bool:
        record = self._parse(view.record_text)
        top = view.top
        return (
            top is not None
            and top.number == self._number
            and top.holder.get("token") == self._me["token"]
            and (record is None or record.claim <= top.number)
        )

    def _overwrite_claim(self) -> None:
        self._parameters.replace(f"claim-{self._number}", self._claim_text())

    def _holder(self, view: _StoredState) -> Held | None:
        record = self._parse(view.record_text)
        written = record.claim if record else 0
        top = view.top
        if top is None or top.number < written:
            return None
        left = _left(top, view.now)
        if left <= 0 or _is_dead(top.holder, self._me):
            return None
        return Held(_in_words(top.holder), left)

    def _look(self) -> _StoredState:
        text: str | None = None
        claims: list[_Claim] = []
        now = datetime.now(UTC)
        for page in self._parameters.pages():
            date = page.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
            if date:
                now = parsedate_to_datetime(date)
            for parameter in page["Parameters"]:
                name = parameter["Name"].removeprefix(self._parameters.prefix + "/")
                if name == "record":
                    text = parameter["Value"]
                elif found := _CLAIM.fullmatch(name):
                    holder = _holder(parameter["Value"])
                    claims.append(_Claim(int(found[1]), holder, parameter["LastModifiedDate"]))
        return _StoredState(text, tuple(claims), now)

    def _parse(self, text: str | None) -> Record | None:
        return None if text is None else records.parse(text, f"{self.place}/record")

    def _claim_text(self) -> str:
        return json.dumps(self._me)


def _left(claim: _Claim, now: datetime) -> float:
    """Return the seconds until a lease lapses, unless it is renewed."""
    return LEASE - (now - claim.modified).total_seconds()


def _too_large(found: str) -> BadInput:
    return BadInput(
        "record_too_large",
        f"The record would not fit into an SSM parameter of {ADVANCED_BYTES} bytes: {found}.",
        at_fault="--project",
        remedy="Use fewer or shorter project names in one registration, or a file record.",
    )


def _whereabouts() -> dict[str, str]:
    """Return this machine, boot and process namespace: where a process id has a meaning."""
    place = {"host": socket.gethostname()}
    boot = Path("/proc/sys/kernel/random/boot_id")
    if boot.exists():
        place["boot"] = boot.read_text(encoding="ascii").strip()
    namespace = Path("/proc/self/ns/pid")
    if namespace.is_symlink():
        place["namespace"] = str(namespace.readlink())
    return place


def _is_dead(holder: Mapping[str, Any], me: Mapping[str, Any]) -> bool:
    """Return whether the holder was a process of this very machine that has ended."""
    pid = holder.get("pid")
    same = all(me.get(name) and holder.get(name) == me[name] for name in _KNOWN_PLACE)
    if not same or not isinstance(pid, int) or pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


_KNOWN_PLACE: Final = ("host", "boot", "namespace")


def _holder(text: str) -> Mapping[str, Any]:
    try:
        value = read_json(text)
    except UnreadableJsonError:
        return {}
    return value if isinstance(value, dict) else {}


def _in_words(holder: Mapping[str, Any]) -> str:
    return f"host {holder.get('host', 'unknown')}, process {holder.get('pid', 'unknown')}"
