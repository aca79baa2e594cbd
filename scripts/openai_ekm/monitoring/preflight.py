"""The state before a test of the monitoring: its topics, and policies that test its tag.

A policy tests the tag by the condition key `aws:ResourceTag/<name>`, or has its value as a policy
variable of that name. Both are found by the name: AWS takes no variable in it, and does not
distinguish capital letters in names of condition keys.

Source:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
(aws:ResourceTag)
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from openai_ekm.arns import region_of
from openai_ekm.errors import BadInput
from openai_ekm.json_reader import UnreadableJsonError, read_json
from openai_ekm.monitoring.message import TAG, WATCHES
from openai_ekm.policy.tested_tags import texts_in
from openai_ekm.snapshot import UNSEEN, Role, Snapshot
from openai_ekm.terraform import module_instances

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["check_topics", "policies_that_test_the_tag", "topics_in_outputs", "unseen_policies"]

# https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html; a FIFO topic takes no messages of
# EventBridge's rules.
_TOPIC_ARN: Final = re.compile(
    r"arn:aws:sns:[a-z]{2}-[a-z]+-\d+:\d{12}:[A-Za-z0-9_-]{1,256}", re.ASCII
)
_OUTPUTS: Final = ("monitoring_topic_arns", "topic_arns")
_SEVERITIES: Final = tuple(sorted(set(WATCHES.values()), reverse=True))


def topics_in_outputs(printed: Mapping[str, Any], instance: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the topics to which the watches of a tag send, in Terraform's outputs.

    Looked for is the module's output `monitoring_topic_arns`; else an output `topic_arns`, alone or
    in an output `monitoring`, as a root has that calls modules/monitoring.

    Args:
        printed: What `terraform output -json` prints, decoded.
        instance: The outputs of the instance that is meant.

    Returns:
        Each once; empty where no output has them.
    """
    for outputs in (instance, *_top_level(printed)):
        for name in _OUTPUTS:
            found = outputs.get(name)
            if isinstance(found, dict) and found:
                named = (found.get(severity) for severity in _SEVERITIES)
                return tuple(dict.fromkeys(each for each in named if isinstance(each, str)))
    return ()


def _top_level(printed: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    outputs = module_instances({name: value for name, value in printed.items() if name != "ekm"})
    top = outputs[None]
    yield top
    if isinstance(top.get("monitoring"), dict):
        yield top["monitoring"]


def check_topics(topics: tuple[str, ...], key_arn: str) -> None:
    """Refuse what cannot be a topic of the key's monitoring.

    Args:
        topics: What was named.
        key_arn: ARN of the key, or of its alias.

    Raises:
        BadInput: There is none, or one is no standard topic in the key's Region.
    """
    if not topics:
        raise BadInput(
            "monitor_topics_missing",
            "No topic is named: neither with --topic, nor in Terraform's outputs.",
            at_fault="--topic",
            remedy="Give --topic ARN for each topic that messages of severity warning and info "
            "go to, or --from-terraform DIR of a root with the output monitoring_topic_arns or "
            "topic_arns.",
        )
    for topic in topics:
        if not _TOPIC_ARN.fullmatch(topic):
            raise _malformed(topic, "is not the ARN of a standard SNS topic")
        if region_of(topic) != region_of(key_arn):
            raise _malformed(
                topic, f"is not in the key's Region, {region_of(key_arn)}, where its rules are"
            )


def _malformed(topic: str, wrong: str) -> BadInput:
    return BadInput(
        "monitor_topic_malformed",
        f"The topic {topic[:300]!r} {wrong}.",
        at_fault="--topic",
        remedy="Give the ARN as an output of the monitoring has it: arn:aws:sns:REGION:ACCOUNT:"
        "NAME.",
    )


_TESTED: Final = f"aws:resourcetag/{TAG}"


def policies_that_test_the_tag(snapshot: Snapshot) -> tuple[str, ...]:
    """Return the policies of role and key whose answer the tag could change, by their names."""
    return tuple(name for name, document in _documents(snapshot) if _tests(document))


def unseen_policies(snapshot: Snapshot) -> tuple[str, ...]:
    """Return the policies of role and key that could not be read, by their names."""
    found = [name for name, document in _documents(snapshot) if document is UNSEEN]
    if snapshot.role is UNSEEN:
        found.append("the role's policies")
    return tuple(found)


def _documents(snapshot: Snapshot) -> Iterator[tuple[str, Any]]:
    """Yield each policy of role and key with its name; unseen ones too."""
    if snapshot.keys is UNSEEN:
        yield "the key policy", UNSEEN
    else:
        for key in snapshot.keys:
            yield "the key policy", key.policy
    role = snapshot.role
    if not isinstance(role, Role):
        return
    yield "the role's trust policy", role.trust_policy
    yield "the role's permissions boundary", role.permissions_boundary
    if role.permission_policies is UNSEEN:
        yield "the role's identity policies", UNSEEN
    else:
        for each in role.permission_policies:
            yield f"the role's policy {each.name}", each.document


def _tests(document: Any) -> bool:
    if isinstance(document, str):  # a policy as text
        try:
            document = read_json(document)
        except UnreadableJsonError:
            return _TESTED in document.lower()
    return any(_TESTED in text.lower() for text in texts_in(document))
