"""A queue that gets the events of what OpenAI is refused with the key."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from openai_ekm.rehearsal.localstack import LocalStack

__all__ = ["Subscriber", "subscribe"]

_NAME: Final = "openai-ekm-demo-refused"
_SECONDS: Final = 60.0  # until an event is there: one as a rule


@dataclass(frozen=True, slots=True)
class Subscriber:
    """The queue.

    Args:
        sqs: A client of SQS.
        url: The queue's address.
    """

    sqs: Any
    url: str

    def next_event(self) -> dict[str, Any] | None:
        """Wait for an event, and return CloudTrail's record in it; `None` when none comes."""
        deadline = time.monotonic() + _SECONDS
        while time.monotonic() < deadline:
            answer = self.sqs.receive_message(QueueUrl=self.url, WaitTimeSeconds=2)
            for message in answer.get("Messages", ()):
                record: dict[str, Any] = json.loads(message["Body"])["detail"]
                return record
        return None


def subscribe(aws: LocalStack, key_arn: str) -> Subscriber:
    """Make a rule on the refused uses of a key, and a queue for its events.

    Args:
        aws: Where the key is, in the account of the rehearsal.
        key_arn: The key.
    """
    sqs, events = aws.client("sqs"), aws.client("events")
    url = sqs.create_queue(QueueName=_NAME)["QueueUrl"]
    queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    pattern = {
        "source": ["aws.kms"],
        "detail-type": ["AWS API Call via CloudTrail"],
        "detail": {
            "eventName": ["Encrypt", "Decrypt"],
            "errorCode": [{"exists": True}],
            "resources": {"ARN": [key_arn]},
        },
    }
    events.put_rule(
        Name=_NAME,
        EventPattern=json.dumps(pattern),
        State="ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS",  # uses of a key are read events
    )
    events.put_targets(Rule=_NAME, Targets=[{"Id": "queue", "Arn": queue["QueueArn"]}])
    return Subscriber(sqs, url)
