"""The cut in the story: the key is disabled, the alarm goes off, and access is given back."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from openai_ekm.rehearsal.demo.monitoring import MODULE, subscribe

if TYPE_CHECKING:
    from openai_ekm.rehearsal.demo.monitoring import Alarms, Monitoring
    from openai_ekm.rehearsal.demo.person import Person
    from openai_ekm.rehearsal.demo.state import DemoState

__all__ = ["await_monitoring", "revoke_and_restore"]

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
