"""CloudTrail's records on the default event bus of the account and Region that they are of.

AWS takes no event of a source that begins with `aws.` from anybody but its own services, so this
works with an emulated AWS alone. There, a rule in state `ENABLED` sees these events too; in AWS
read events, as these are, reach a rule only in the state
`ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS`.

Sources: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html,
https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsRequestEntry.html
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from openai_ekm.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from openai_ekm.emulator.trail.records import Record

__all__ = ["EventBus", "check_takes_events", "entry_of"]

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
        "Source": _source(record),
        "Resources": [],
        "DetailType": _DETAIL_TYPE,
        "Detail": json.dumps(record),
    }


def _source(record: Record) -> str:
    return f"aws.{record['eventSource'].partition('.')[0]}"


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
