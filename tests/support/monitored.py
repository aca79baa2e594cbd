"""The monitoring as a test sees it: applied, subscribed to, and judged."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from openai_ekm.evaluation import Outcome, Policies, Request, decide
from tests.support.cloudtrail_events import ACCOUNT, KEY_ARN, REGION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai_ekm.rehearsal.localstack import LocalStack
    from openai_ekm.rehearsal.terraform import Workspace

__all__ = ["Monitored", "Subscriber", "allowed", "put"]

SECONDS: Final = 60.0  # until a message is there


@dataclass(frozen=True, slots=True)
class Monitored:
    """The module, applied.

    Attributes:
        workspace: Its root.
        outputs: Of the module.
        aws: Where it is.
    """

    workspace: Workspace
    outputs: dict[str, Any]
    aws: LocalStack

    def client(self, service: str, region: str = REGION) -> Any:
        """A client of a service in the account."""
        return self.aws.client(service, ACCOUNT, region)


@dataclass(frozen=True, slots=True)
class Subscriber:
    """Queues that are subscribed to the topics.

    Attributes:
        sqs: Their client.
        urls: Of the queues, by severity.
    """

    sqs: Any
    urls: dict[str, str]

    def messages(self, severity: str) -> Iterator[dict[str, Any]]:
        """Messages as they come, until the deadline."""
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            got = self.sqs.receive_message(QueueUrl=self.urls[severity], WaitTimeSeconds=1)
            for message in got.get("Messages", ()):
                self.sqs.delete_message(
                    QueueUrl=self.urls[severity], ReceiptHandle=message["ReceiptHandle"]
                )
                yield json.loads(json.loads(message["Body"])["Message"])


def put(monitored: Monitored, *events: dict[str, Any]) -> None:
    """Put events into the Region where AWS would; AWS takes no source `aws.…` from anybody."""
    for event in events:
        monitored.client("events", event["region"]).put_events(
            Entries=[
                {
                    "Source": event["source"],
                    "DetailType": event["detail-type"],
                    "Resources": event["resources"],
                    "Detail": json.dumps(event["detail"]),
                }
            ]
        )


def allowed(
    policy: dict[str, Any], principal: str, action: str, resource: str, **context: str
) -> bool:
    """Whether a resource's own policy lets a service, or a foreigner, do something with it.

    The evaluator reads the policies of keys and roles alone. For a service and for a foreign
    principal AWS decides by a topic's or queue's policy as by a key's: so the policy of a topic is
    decided as a key's, with the action and the resource renamed on both sides.
    """
    renamed = {"sns:Publish": "kms:Decrypt", "sqs:SendMessage": "kms:Decrypt"}
    text = json.dumps(policy)
    if resource.split(":")[2] in {"sns", "sqs"}:
        text = text.replace(json.dumps(resource), json.dumps(KEY_ARN))
        for own, key_action in renamed.items():
            text = text.replace(json.dumps(own), json.dumps(key_action))
        action, resource = renamed.get(action, "kms:Encrypt"), KEY_ARN
    keys = {f"aws:{name}": value for name, value in context.items()}
    request = Request(principal, action, resource, context=keys)
    decision = decide(request, Policies(resource=json.loads(text)))
    assert decision.outcome is not Outcome.ERROR, decision.message
    return decision.outcome is Outcome.ALLOWED
