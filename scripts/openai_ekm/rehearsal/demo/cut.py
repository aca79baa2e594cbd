"""The cut in the story: monitoring is applied, the key is disabled, the alarm goes off.

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

    from openai_ekm.rehearsal.demo.person import Person
    from openai_ekm.rehearsal.demo.state import DemoState
    from openai_ekm.rehearsal.localstack import LocalStack
    from openai_ekm.rehearsal.process import GuardedProcess

__all__ = [
    "MODULE",
    "Alarms",
    "Monitoring",
    "await_monitoring",
    "revoke_and_restore",
    "start_monitoring",
]

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


EXIT_FOUND, EXIT_OPENAI_REFUSED = 1, 4


def await_monitoring(stage: DemoState, started: Monitoring) -> Alarms:
    """Wait until the key is watched, and subscribe to the critical messages."""
    report = stage.report
    with report.step(f"Watch the key: {MODULE}"):
        report.command(f"terraform apply   (of {MODULE}, begun in step 2)")
        outputs = started.wait()
        topic = outputs["topic_arns"]["critical"]
        report.fact("topic", topic)
        alarms = subscribe(stage.aws, topic)
        listed = stage.aws.client("events").list_rules(NamePrefix="openai-ekm.", Limit=100)
        rules = {rule["Name"].partition(".")[2] for rule in listed["Rules"]}
        report.check(
            f"{len(rules)} rules and {len(outputs['alarm_names'])} alarms watch the key, the role "
            "and themselves.",
            holds={"key-disabled", "key-used-by-other"} <= rules,
            found=", ".join(sorted(rules)),
        )
    return alarms


def revoke_and_restore(stage: DemoState, alarms: Alarms, administrator: Person) -> None:
    """Cut OpenAI off, hear the alarm, find the fault, and give access back."""
    report, key = stage.report, stage.outputs["ekm"]["key_arn"]
    kms = administrator.kms
    with report.step("Cut OpenAI off: disable the key"):
        report.command("aws kms disable-key --key-id", key.rpartition("/")[2])
        began = time.monotonic()
        kms.disable_key(KeyId=key)
        _tell_alarm(stage, alarms, "key-disabled", began)
        error = stage.ekm("validate", "--from-terraform", ".", expected=EXIT_OPENAI_REFUSED)[
            "error"
        ]
        report.text(f"OpenAI: {error['message'].partition(': ')[2] or error['message']}")
        report.check(
            "Validation fails, in AWS's own words.", holds="is disabled" in error["message"]
        )
        said = stage.ekm("diagnose", "--from-terraform", ".", expected=EXIT_FOUND)
        fault = said["faults"][0]
        report.text(f"Diagnosis: {said['outcome']}, {fault['document']}. {fault['remedy']}")
        report.check("The diagnosis names the fault.", holds=said["outcome"] == "key_disabled")
        report.text(
            "OpenAI now encrypts nothing new. Stored data stays readable from cached data keys for "
            "up to an hour, then no more. Nothing is deleted: enabling the key gives access to "
            "all data again. Only the deletion of the key would lose the data for good."
        )
    with report.step("Give access back: enable the key"):
        report.command("aws kms enable-key --key-id", key.rpartition("/")[2])
        kms.enable_key(KeyId=key)
        said = stage.ekm("validate", "--from-terraform", ".")
        report.check("OpenAI can use the key again.", holds=said["status"] == "success")


def _tell_alarm(stage: DemoState, alarms: Alarms, watch: str, began: float) -> None:
    """Tell the message of a watch, and after how long it came.

    Args:
        stage: The state.
        alarms: Where it arrives.
        watch: Its id.
        began: When the call was made.
    """
    message: dict[str, Any] = alarms.wait_for(watch) or {}
    seconds = time.monotonic() - began
    who = message.get("who", {}).get("arn")
    stage.report.text(
        f"Alarm, {message.get('severity')}: {message.get('summary')} {message.get('what')} by "
        f"{who}. Runbook: {message.get('runbook')}"
    )
    stage.report.check(
        f"The alarm {watch} came after {seconds:.1f} s; on AWS it takes minutes, by CloudTrail.",
        holds=message.get("watch") == watch,
        found=str(message),
    )
