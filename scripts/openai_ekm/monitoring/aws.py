"""The calls of a test to AWS: a tag, a queue, subscriptions, and messages. They decide nothing.

Source: https://docs.aws.amazon.com/kms/latest/APIReference/API_TagResource.html
https://docs.aws.amazon.com/sns/latest/dg/subscribe-sqs-queue-to-sns-topic.html
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from openai_ekm.arns import account_of, region_of
from openai_ekm.aws_session import client, list_items, translated
from openai_ekm.errors import BadInput
from openai_ekm.monitoring.message import TAG
from openai_ekm.snapshot import Registration
from openai_ekm.snapshot.aws import collect

if TYPE_CHECKING:
    import boto3

    from openai_ekm.snapshot import Snapshot

__all__ = ["Aws"]

_KEPT: Final = 3600  # seconds that the queue keeps a message
_HIDDEN: Final = 43_200  # seconds until a message could be read again; AWS's longest


class Aws:
    """The account and the Region of the key.

    Args:
        session: The credentials of who tests.
        kms_arn: ARN of the key or of its alias.
    """

    def __init__(self, session: boto3.Session, kms_arn: str) -> None:
        self._session = session
        self._region, self._account = region_of(kms_arn), account_of(kms_arn)
        self._clients: dict[str, Any] = {}

    def check_account(self) -> None:
        """Stop where the credentials are of another account: KMS tags no key of another one.

        Raises:
            BadInput: They are.
        """
        with translated("sts:GetCallerIdentity"):
            found = client(self._session, "sts").get_caller_identity()["Account"]
        if found != self._account:
            raise BadInput(
                "wrong_account",
                f"The AWS credentials are of account {found}; the key is in account "
                f"{self._account}.",
                at_fault="AWS credentials",
                remedy=f"Use credentials of account {self._account} (AWS_PROFILE, "
                "AWS_ACCESS_KEY_ID).",
            )

    def key_arn(self, kms_arn: str) -> str:
        """Return the ARN of the key; KMS takes no alias where tags are set."""
        if ":alias/" not in kms_arn:
            return kms_arn
        with translated(f"kms:DescribeKey {kms_arn}"):
            return str(self._client("kms").describe_key(KeyId=kms_arn)["KeyMetadata"]["Arn"])

    def look(self, kms_arn: str, role_arn: str | None) -> Snapshot:
        """Read the policies of key and role; what may not be read is unseen."""
        named = Registration(role_arn or "", kms_arn, external_id="")
        return collect(named, lambda _account: self._session)

    def tag(self, key_arn: str, value: str) -> None:
        """Set the test's tag."""
        with translated(f"kms:TagResource {key_arn}"):
            self._client("kms").tag_resource(
                KeyId=key_arn, Tags=[{"TagKey": TAG, "TagValue": value}]
            )

    def untag(self, key_arn: str) -> None:
        """Remove the test's tag; nothing happens to a key that has none."""
        with translated(f"kms:UntagResource {key_arn}"):
            self._client("kms").untag_resource(KeyId=key_arn, TagKeys=[TAG])

    def queue_arn(self, name: str) -> str:
        """Return the ARN of a queue of this account by its name."""
        return f"arn:aws:sqs:{self._region}:{self._account}:{name}"

    def create_queue(self, name: str, topics: tuple[str, ...]) -> str:
        """Make a queue that takes messages of these topics alone; return its URL."""
        policy = {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Sid": "AllowTopics",
                    "Effect": "Allow",
                    "Principal": {"Service": "sns.amazonaws.com"},
                    "Action": "sqs:SendMessage",
                    "Resource": self.queue_arn(name),
                    "Condition": {"ArnEquals": {"aws:SourceArn": list(topics)}},
                }
            ],
        }
        with translated(f"sqs:CreateQueue {name}"):
            made = self._client("sqs").create_queue(
                QueueName=name,
                Attributes={
                    "Policy": json.dumps(policy),
                    "SqsManagedSseEnabled": "true",
                    "MessageRetentionPeriod": str(_KEPT),
                    "VisibilityTimeout": str(_HIDDEN),
                },
            )
            return str(made["QueueUrl"])

    def delete_queue(self, name: str, url: str | None) -> None:
        """Delete a queue; nothing happens where there is none.

        Args:
            name: Of the queue.
            url: Of the queue, None where its making was not answered.
        """
        sqs = self._client("sqs")
        with translated(f"sqs:DeleteQueue {name}"):
            try:
                sqs.delete_queue(QueueUrl=url or sqs.get_queue_url(QueueName=name)["QueueUrl"])
            except sqs.exceptions.QueueDoesNotExist:
                return

    def receive(self, url: str, seconds: int) -> list[str]:
        """Wait for messages in the queue; return their bodies.

        Args:
            url: Of the queue.
            seconds: How long to wait, 0 to 20.
        """
        with translated("sqs:ReceiveMessage"):
            got = self._client("sqs").receive_message(
                QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=seconds
            )
        return [str(message["Body"]) for message in got.get("Messages", ())]

    def subscribe(self, topic: str, queue_arn: str) -> str:
        """Subscribe the queue to a topic; return the subscription's ARN."""
        with translated(f"sns:Subscribe {topic}"):
            made = self._client("sns").subscribe(
                TopicArn=topic, Protocol="sqs", Endpoint=queue_arn, ReturnSubscriptionArn=True
            )
            return str(made["SubscriptionArn"])

    def find_subscription(self, topic: str, queue_arn: str) -> str | None:
        """Return the ARN of the queue's subscription to a topic; None where there is none."""
        with translated(f"sns:ListSubscriptionsByTopic {topic}"):
            found = list_items(
                self._client("sns"), "list_subscriptions_by_topic", "Subscriptions", TopicArn=topic
            )
            return next(
                (str(each["SubscriptionArn"]) for each in found if each["Endpoint"] == queue_arn),
                None,
            )

    def unsubscribe(self, subscription: str) -> None:
        """Remove a subscription; nothing happens where there is none."""
        sns = self._client("sns")
        with translated(f"sns:Unsubscribe {subscription}"):
            try:
                sns.unsubscribe(SubscriptionArn=subscription)
            except sns.exceptions.NotFoundException:
                return

    def _client(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = client(self._session, service, self._region)
        return self._clients[service]
