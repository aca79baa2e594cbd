"""Registration and validation end a refusal with the diagnosis."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from openai_ekm.cli import validate
from openai_ekm.cli.session import make_denial_explainer
from openai_ekm.errors import OpenAIRefused
from openai_ekm.snapshot import Snapshot
from tests.support.healthy import ID, KEY, ROLE, equals, healthy, put

INTENT = SimpleNamespace(role_arn=ROLE, kms_arn=KEY, external_id="org-abc", name="prod")


@pytest.fixture
def live(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What AWS has; a test puts a snapshot's JSON under `body`."""
    there: dict[str, Any] = {"body": healthy()}
    monkeypatch.setattr(
        "openai_ekm.snapshot.aws.collect", lambda *_: Snapshot.from_json(there["body"])
    )
    return there


def explained() -> Any:
    """What the registrar is told."""
    session: Any = None
    intent: Any = INTENT
    return make_denial_explainer(session)(intent)


def test_what_is_allowed_is_waited_for_and_what_is_not_is_named(live: dict[str, Any]) -> None:
    """A registration would wait for nothing, or give up on IAM that settles."""
    assert explained().curable_by_waiting
    live["body"] = put(healthy(), ID, {"StringEquals": {"sts:ExternalId": "org-ABC"}})
    found = explained()
    assert not found.curable_by_waiting
    assert found.at_fault.startswith("trust_policy, statement 0 (AllowAssumeRoleByOpenAI)")
    assert "case" in found.message
    live["body"] = put(healthy(), "role", None)
    assert explained().curable_by_waiting, "the role may have been made a moment ago"


def test_a_permission_that_lasts_until_a_day_to_come_is_no_fault_now(
    live: dict[str, Any],
) -> None:
    """A registration would stop for a date that is years away."""
    block = equals("aws:CurrentTime", "2099-01-01T00:00:00Z", "DateLessThan")
    live["body"] = put(healthy(), ID, block)
    assert explained().at_fault is None


def test_a_refused_validation_ends_with_the_statement_at_fault(live: dict[str, Any]) -> None:
    """A user would see AWS's sentence, which gives no reason, and nothing else."""
    live["body"] = put(healthy(), "keys/0/state", "Disabled")
    record = SimpleNamespace(intent=INTENT)
    session: Any = SimpleNamespace(
        store=SimpleNamespace(read=lambda: record), may_ask_aws=True, aws_session=lambda: None
    )
    refusal = OpenAIRefused("aws_denied", "is not authorized")
    validate.explain(session, refusal)
    assert refusal.at_fault == "keys[0], state"
    assert "enable-key" in str(refusal.remedy)
    session.may_ask_aws = False
    untouched = OpenAIRefused("aws_denied", "is not authorized")
    validate.explain(session, untouched)
    assert untouched.at_fault is None
