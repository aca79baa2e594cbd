"""Where records of calls go: to CloudTrail's log files, to an event bus, to both, or nowhere.

Each log file is whole or absent, gets a name of its own, and can be read by this user alone.

AWS takes no event of a source that begins with `aws.` from anybody but its own services, so the
event bus works with an emulated AWS alone. There, a rule in state `ENABLED` sees these events too;
in AWS read events, as these are, reach a rule only in the state
`ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS`.

Sources:
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-examples.html,
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html,
https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsRequestEntry.html
"""

from __future__ import annotations

import gzip
import json
import logging
import re
import secrets
import string
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from openai_ekm.errors import BadInput
from openai_ekm.files import make_private_folder, write_atomically
from openai_ekm.printable import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from openai_ekm.emulator.trail.records import Assumption, KeyChange, KeyUse, Record

__all__ = ["EventBus", "Trail", "TrailFolder", "check_takes_events", "entry_of"]

_ACCOUNT: Final = re.compile(r"[0-9]{12}")
_REGION: Final = re.compile(r"[a-z]{2}(-[a-z]+)+-[0-9]+")
_LETTERS: Final = string.ascii_letters + string.digits
_UNIQUE: Final = 16  # characters


class TrailFolder:
    """A folder with log files: `AWSLogs/ACCOUNT/CloudTrail/REGION/YYYY/MM/DD/*.json.gz`.

    Args:
        folder: It is made for this user alone; so is what is in it.

    Raises:
        BadInput: `emulator_trail`, when the folder cannot be made, or another user may change it.
    """

    def __init__(self, folder: Path) -> None:
        try:
            self._folder = make_private_folder(folder)
        except OSError as error:
            raise BadInput(
                "emulator_trail",
                f"The folder {folder} cannot take the trail: {error.strerror}.",
                at_fault="--trail",
                remedy="Name a folder that only you can change, or one that is not there yet.",
            ) from error

    def write(self, records: Sequence[Record], *, at: float) -> None:
        """Write one file for each account and Region that the records are of.

        Args:
            records: What a trail delivers together.
            at: Unix seconds of the delivery.

        Raises:
            OSError: A file cannot be written.
        """
        grouped: dict[tuple[str, str], list[Record]] = {}
        for record in records:
            place = record["recipientAccountId"], record["awsRegion"]
            grouped.setdefault(place, []).append(record)
        for (account, region), group in grouped.items():
            self._write(account, region, group, datetime.fromtimestamp(at, UTC))

    def _write(self, account: str, region: str, records: list[Record], when: datetime) -> None:
        if not _ACCOUNT.fullmatch(account) or not _REGION.fullmatch(region):
            raise ValueError(f"No folder of a trail has account {account!r}, Region {region!r}.")
        folder = make_private_folder(
            self._folder / "AWSLogs" / account / "CloudTrail" / region / f"{when:%Y/%m/%d}"
        )
        content = gzip.compress(json.dumps({"Records": records}, separators=(",", ":")).encode())
        while True:
            unique = "".join(secrets.choice(_LETTERS) for _ in range(_UNIQUE))
            name = f"{account}_CloudTrail_{region}_{when:%Y%m%dT%H%MZ}_{unique}.json.gz"
            with suppress(FileExistsError):
                write_atomically(folder / name, content, replace=False)
                return


_DETAIL_TYPE: Final = "AWS API Call via CloudTrail"
_DOMAINS_OF_AWS: Final = (
    "amazonaws.com",
    "amazonaws.com.cn",
    "api.aws",
    "amazonwebservices.com.cn",
)


def check_takes_events(endpoint_url: str) -> None:
    """Refuse to send events to AWS itself.

    Args:
        endpoint_url: A checked `AWS_ENDPOINT_URL`.

    Raises:
        BadInput: `emulator_events_real_aws`, when it is an endpoint of AWS.
    """
    host = (urlsplit(endpoint_url).hostname or "").rstrip(".")
    if any(host == domain or host.endswith(f".{domain}") for domain in _DOMAINS_OF_AWS):
        raise BadInput(
            "emulator_events_real_aws",
            f"AWS_ENDPOINT_URL is {endpoint_url!r}: AWS takes no events in the name of its "
            "services.",
            at_fault="--events",
            remedy="Leave --events out, or name a LocalStack by AWS_ENDPOINT_URL.",
        )


def entry_of(record: Record) -> dict[str, Any]:
    """Return a record as an entry of PutEvents.

    Args:
        record: Of CloudTrail.
    """
    return {
        "Time": record["eventTime"],
        "Source": f"aws.{record['eventSource'].partition('.')[0]}",
        "Resources": [],
        "DetailType": _DETAIL_TYPE,
        "Detail": json.dumps(record),
    }


class EventBus:
    """The event buses of an emulated AWS.

    Args:
        client: Returns a client of an account, a service and a Region.
    """

    def __init__(self, client: Callable[[str, str, str | None], Any]) -> None:
        self._client = client

    def put(self, records: Sequence[Record]) -> None:
        """Put each record on its bus, in their order.

        Raises:
            ValueError: The bus did not take one.
        """
        for record in records:
            events = self._client(record["recipientAccountId"], "events", record["awsRegion"])
            answer = events.put_events(Entries=[entry_of(record)])
            if answer.get("FailedEntryCount"):
                raise ValueError(f"EventBridge took no event: {answer['Entries']}")


_LOG = logging.getLogger(__name__)


class Trail:
    """A trail of the calls that are made in an emulated AWS.

    Args:
        clock: Returns Unix seconds.
        folder: Takes log files.
        bus: Takes events.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        *,
        folder: TrailFolder | None = None,
        bus: EventBus | None = None,
    ) -> None:
        self._clock = clock
        self._folder = folder
        self._bus = bus

    def deliver(self, calls: Sequence[Assumption | KeyUse | KeyChange]) -> None:
        """Deliver what AWS would record of some calls.

        As in AWS, a call has its answer whether or not its record can be delivered. A record that
        cannot be is said on standard error.

        Args:
            calls: In the order in which they were made.
        """
        records = [record for call in calls for record in call.records()]
        if self._folder is not None and records:
            try:
                self._folder.write(records, at=self._clock())
            except (OSError, ValueError) as error:
                _LOG.error("--trail: %s", printable(str(error)))
        if self._bus is not None:
            try:
                self._bus.put(records)
            except (BotoCoreError, ClientError, ValueError) as error:
                _LOG.error("--events: %s", printable(str(error)))
