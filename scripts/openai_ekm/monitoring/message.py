"""Whether a message of a topic is the one that a test waits for.

Everything in a message may be an attacker's text: names in events are whatever a caller chose. So a
message counts only by a watch of this table and by the test's own id, which nobody else knows.

Source: docs/operate/monitoring.md#what-is-watched
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from openai_ekm.json_reader import UnreadableJsonError, read_json

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["TAG", "WATCHES", "Arrival", "find_arrival"]

TAG: Final = "openai-ekm-monitor-test"  # the tag that a test sets; its value is the test's id
# The watches that see a tag, and the severity of their messages: by anybody, and by a maintenance
# principal.
WATCHES: Final = {"key-tags-changed": "warning", "maintenance-of-key": "info"}
_CALL: Final = "TagResource"
_DEEPEST: Final = 16  # levels of an event that are looked through; CloudTrail's have fewer


@dataclass(frozen=True, slots=True)
class Arrival:
    """The message that a test waits for.

    Attributes:
        watch: The watch that sent it, of `WATCHES`.
        severity: As the message says.
        topic: ARN of the topic that brought it.
    """

    watch: str
    severity: str
    topic: str


def find_arrival(body: str, topics: frozenset[str], test_id: str) -> Arrival | None:
    """Return what a message of the queue is, if it is the one that the test waits for.

    Args:
        body: The body of the message in the queue: SNS's envelope as JSON.
        topics: ARNs of the topics that are subscribed to.
        test_id: The value of the test's tag.

    Source: https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html
    """
    envelope = _object_in(body)
    message = _object_in(envelope.get("Message"))
    topic, watch = envelope.get("TopicArn"), message.get("watch")
    if topic not in topics or not isinstance(watch, str) or watch not in WATCHES:
        return None
    detail = _member(_member(message, "event"), "detail")
    if detail.get("eventName") != _CALL or detail.get("errorCode") is not None:
        return None
    # KMS's records have `tags: [{tagKey, tagValue}]`; the id is found wherever it stands.
    if test_id not in _texts(detail.get("requestParameters")):
        return None
    severity = message.get("severity")
    return Arrival(watch, severity if isinstance(severity, str) else WATCHES[watch], str(topic))


def _object_in(text: object) -> dict[str, Any]:
    """Return the JSON object in a text, an empty one where there is none."""
    if not isinstance(text, str):
        return {}
    try:
        value = read_json(text)
    except UnreadableJsonError:
        return {}
    return value if isinstance(value, dict) else {}


def _member(value: dict[str, Any], name: str) -> dict[str, Any]:
    found = value.get(name)
    return found if isinstance(found, dict) else {}


def _texts(value: object, depth: int = 0) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif depth < _DEEPEST and isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each, depth + 1)
