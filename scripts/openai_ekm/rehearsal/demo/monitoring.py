"""The monitoring in the demo: applied while other steps run, and a queue that gets its messages.

The provider waits 25 seconds for each queue that it makes. So Terraform runs beside the story, and
the queue of the demo's own is made by boto3.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from openai_ekm.errors import CheckFailed
from openai_ekm.files import write_atomically
from openai_ekm.rehearsal.localstack import REGION
from openai_ekm.rehearsal.terraform import Workspace

if TYPE_CHECKING:
    from contextlib import ExitStack
    from pathlib import Path

    from openai_ekm.rehearsal.localstack import LocalStack
    from openai_ekm.rehearsal.process import GuardedProcess

__all__ = ["MODULE", "Alarms", "Monitoring", "start_monitoring"]

MODULE: Final = "modules/monitoring"
_PROVIDERS: Final = """provider "aws" {}

provider "aws" {
  alias  = "us_east_1"
  region = "us-east-1"
}
"""
_APPLIED_SECONDS: Final = 300.0  # until it is there: 45 as a rule
_QUEUE: Final = "openai-ekm-demo"
_MESSAGE_SECONDS: Final = 60.0  # until a message is there: one as a rule


@dataclass(frozen=True, slots=True)
class Alarms:
    """A queue that is subscribed to the topic of critical messages.

    Args:
        sqs: A client of SQS.
        url: The queue's address.
    """

    sqs: Any
    url: str
    _others: list[dict[str, Any]] = field(default_factory=list)

    def wait_for(self, watch: str) -> dict[str, Any] | None:
        """Wait for the message of a watch; `None` when none comes.

        Args:
            watch: Its id.
        """
        deadline = time.monotonic() + _MESSAGE_SECONDS
        while time.monotonic() < deadline:
            for message in self._others:
                if message["watch"] == watch:
                    self._others.remove(message)
                    return message
            answer = self.sqs.receive_message(QueueUrl=self.url, WaitTimeSeconds=1)
            for got in answer.get("Messages", ()):
                self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=got["ReceiptHandle"])
                self._others.append(json.loads(json.loads(got["Body"])["Message"]))
        return None


@dataclass(frozen=True, slots=True)
class Monitoring:
    """Terraform as it applies the monitoring.

    Args:
        workspace: The module, as a root.
        process: Terraform.
    """

    workspace: Workspace
    process: GuardedProcess

    def wait(self) -> dict[str, Any]:
        """Wait until it is applied, and return the module's outputs.

        Raises:
            CheckFailed: Terraform failed, or took too long.
        """
        process = self.process
        code = process.wait(_APPLIED_SECONDS)
        if code != 0:
            ended = f"did not end in {_APPLIED_SECONDS:.0f} s" if code is None else "failed"
            raise CheckFailed(
                "terraform_failed",
                f"terraform apply {ended}:\n{(process.output + process.log)[-2000:]}",
                at_fault=MODULE,
                remedy="Read Terraform's words above; they name the resource and the reason.",
            )
        return self.workspace.outputs()


def start_monitoring(
    module: Path,
    folder: Path,
    environment: dict[str, str],
    resources: ExitStack,
    instance: dict[str, Any],
) -> Monitoring:
    """Start to apply the monitoring of a key and a role.

    Args:
        module: The folder of the whole module.
        folder: An absent folder, for the copy and what Terraform prints.
        environment: Variables that point Terraform at the rehearsal.
        resources: Ends it with the demo.
        instance: What the module tells of the key and the role.
    """
    workspace = Workspace(module / MODULE, folder / "root", environment)
    write_atomically(workspace.path / "providers.tf", _PROVIDERS)
    workspace.set_variables(
        region=REGION,
        key_arn=instance["key_arn"],
        role_arn=instance["role_arn"],
        alias_names=[instance["alias_arn"].rpartition("/")[2]],
    )
    process = workspace.start_apply(folder / "output")
    resources.callback(process.stop)
    return Monitoring(workspace, process)


def subscribe(aws: LocalStack, topic_arn: str) -> Alarms:
    """Make a queue and subscribe it to a topic.

    Args:
        aws: Where both are.
        topic_arn: The topic.
    """
    sqs = aws.client("sqs")
    url = sqs.create_queue(QueueName=_QUEUE)["QueueUrl"]
    queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    aws.client("sns").subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=queue["QueueArn"])
    return Alarms(sqs, url)
