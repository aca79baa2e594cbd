"""Which topics a test of the monitoring listens to."""

from __future__ import annotations

from typing import Any

import pytest

from openai_ekm.cli.main import ekm, run
from openai_ekm.errors import BadInput
from openai_ekm.monitoring.preflight import check_topics, topics_in_outputs
from openai_ekm.terraform import select_instance
from tests.constants import KEY

ARNS = {
    severity: f"arn:aws:sns:eu-west-1:111122223333:openai-ekm-{severity}"
    for severity in ("critical", "warning", "info")
}
FOUND = (ARNS["warning"], ARNS["info"])


def found_in(**outputs: Any) -> tuple[str, ...]:
    """The topics in Terraform's outputs."""
    printed = {name: {"value": value} for name, value in outputs.items()}
    module = "prod" if "prod" in outputs.get("ekm", {}) else None
    return topics_in_outputs(printed, select_instance(printed, "outputs", module))


@pytest.mark.parametrize(
    "outputs",
    [
        {"kms_arn": KEY, "monitoring_topic_arns": ARNS},
        {"ekm": {"kms_arn": KEY, "monitoring_topic_arns": ARNS}},
        {"ekm": {"kms_arn": KEY, "monitoring_topic_arns": {}}, "topic_arns": ARNS},
        {"ekm": {"kms_arn": KEY}, "monitoring_topic_arns": ARNS},
        {"ekm": {"kms_arn": KEY}, "monitoring": {"topic_arns": ARNS, "topic_key_arn": None}},
        {"ekm": {"prod": {"kms_arn": KEY, "monitoring_topic_arns": ARNS}, "test": {}}},
    ],
    ids=range(6),
)
def test_topics_are_found_in_each_form_of_outputs(outputs: dict[str, Any]) -> None:
    """Guards against: a root of the documentation whose topics are not found."""
    assert found_in(**outputs) == FOUND


@pytest.mark.parametrize(
    "outputs",
    [
        {"ekm": {"kms_arn": KEY}},
        {"kms_arn": KEY, "topic_arns": ["x"]},
        {"kms_arn": KEY, "topic_arns": {"critical": ARNS["critical"], "warning": 1}},
        {"kms_arn": KEY, "monitoring": "x"},
    ],
    ids=range(4),
)
def test_outputs_of_another_form_name_none(outputs: dict[str, Any]) -> None:
    """Guards against: a value of another form that ends in a traceback."""
    assert found_in(**outputs) == ()


def test_one_topic_for_both_severities_is_one() -> None:
    """Guards against: a queue that is subscribed twice, and unsubscribed once."""
    same = dict.fromkeys(ARNS, ARNS["info"])
    assert found_in(kms_arn=KEY, monitoring_topic_arns=same) == (ARNS["info"],)


@pytest.mark.parametrize(
    ("topics", "id"),
    [
        ((), "monitor_topics_missing"),
        (("openai-ekm-warning",), "monitor_topic_malformed"),
        ((f"{ARNS['info']}.fifo",), "monitor_topic_malformed"),
        ((f"{ARNS['info']}\n",), "monitor_topic_malformed"),
        ((f"{ARNS['info']}:11111111-2222-3333-4444-555555555555",), "monitor_topic_malformed"),
        ((ARNS["info"], ARNS["info"].replace("eu-west-1", "us-east-1")), "monitor_topic_malformed"),
    ],
    ids=range(6),
)
def test_what_is_no_topic_of_the_key_is_refused(topics: tuple[str, ...], id: str) -> None:
    """Guards against: a subscription that is begun and cannot be made."""
    check_topics(FOUND, KEY)
    with pytest.raises(BadInput) as refusal:
        check_topics(topics, KEY)
    assert refusal.value.id == id


@pytest.mark.parametrize(
    ("words", "id"),
    [
        ([], "option_missing"),
        (["--kms-arn", "key/x"], "kms_arn_malformed"),
        (["--kms-arn", KEY, "--role-arn", "x", "--topic", FOUND[0]], "role_arn_malformed"),
        (["--kms-arn", KEY], "monitor_topics_missing"),
        (["--kms-arn", KEY, "--module", "x"], "option_useless"),
        (["--kms-arn", KEY, "--topic", FOUND[0], "--wait", "0"], "usage"),
    ],
    ids=range(6),
)
def test_bad_input_is_told_before_aws_is_asked(
    words: list[str],
    id: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Guards against: a queue that is made before the command line is read."""
    for name in ("EKM_KMS_ARN", "EKM_ROLE_ARN", "AWS_PROFILE", "AWS_ACCESS_KEY_ID"):
        monkeypatch.delenv(name, raising=False)
    assert run(ekm, "ekm", ["monitor", "test", *words, "--json"]) == 2
    assert f'"id": "{id}"' in capsys.readouterr().out
