"""Which message a test of the monitoring takes for its own."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_ekm.monitoring.message import TAG, WATCHES, Arrival, find_arrival

TOPIC = "arn:aws:sns:eu-west-1:111122223333:openai-ekm-warning"
OTHER = "arn:aws:sns:eu-west-1:111122223333:another"
ID = "0123456789abcdef0123456789abcdef"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def message(**changed: Any) -> dict[str, Any]:
    """The message of the module for a tag."""
    detail = {
        "eventName": "TagResource",
        "requestParameters": {"keyId": "key", "tags": [{"tagKey": TAG, "tagValue": ID}]},
    }
    told: dict[str, Any] = {"watch": "key-tags-changed", "severity": "warning"}
    return {**told, "event": {"detail": {**detail, **changed.pop("detail", {})}}, **changed}


def body(told: object, topic: str = TOPIC) -> str:
    """The body of a message in the queue."""
    text = told if isinstance(told, str) else json.dumps(told)
    return json.dumps({"Type": "Notification", "TopicArn": topic, "Message": text})


@pytest.mark.parametrize("watch", WATCHES)
def test_the_message_with_the_id_is_the_one(watch: str) -> None:
    """Guards against: a message that comes and is not seen."""
    told = message(watch=watch, severity=WATCHES[watch])
    assert find_arrival(body(told), frozenset({TOPIC}), ID) == Arrival(watch, WATCHES[watch], TOPIC)


@pytest.mark.parametrize(
    "told",
    [
        message(watch="key-disabled"),
        message(watch=["key-tags-changed"]),
        message(detail={"eventName": "UntagResource"}),
        message(detail={"errorCode": "AccessDenied"}),
        message(detail={"requestParameters": None}),
        message(detail={"requestParameters": {"tags": [{"tagKey": TAG, "tagValue": ID[:-1]}]}}),
        message(detail={"requestParameters": {"tags": []}, "userAgent": ID}),
        message(event="text"),
        "no JSON",
        "[1]",
    ],
    ids=range(10),
)
def test_no_other_message_is(told: object) -> None:
    """Guards against: an alarm of another watch, call or test that counts as this one's."""
    assert find_arrival(body(told), frozenset({TOPIC}), ID) is None


def test_a_message_of_another_topic_is_not() -> None:
    """Guards against: a topic in the answer that is not the one that was asked about."""
    assert find_arrival(body(message(), OTHER), frozenset({TOPIC}), ID) is None


@pytest.mark.exhaustive
@given(
    st.one_of(
        st.text(),
        JSON.map(json.dumps),
        JSON.map(body),
        JSON.map(lambda it: body(message(event=it))),
    )
)
def test_no_text_ends_in_an_error(text: str) -> None:
    """Guards against: an event of an attacker that ends the test in a traceback."""
    assert find_arrival(text, frozenset({TOPIC}), ID) is None


def test_deep_parameters_end() -> None:
    """Guards against: a document whose depth exhausts the stack."""
    deep: Any = ID
    for _ in range(100):
        deep = [deep]
    told = message(detail={"requestParameters": deep})
    assert find_arrival(body(told), frozenset({TOPIC}), ID) is None
