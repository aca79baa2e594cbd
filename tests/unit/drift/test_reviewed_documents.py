"""Documents that the module does not write: a review says what was meant, and a removal is told."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from openai_ekm.drift.difference import State
from openai_ekm.drift.report import as_json
from openai_ekm.snapshot import UNSEEN, NamedPolicy, Role
from tests.constants import ACCOUNT
from tests.unit.drift.sample import BOUNDARY, drift_of, intended, told
from tests.unit.drift.test_baseline import accepted

if TYPE_CHECKING:
    from collections.abc import Callable

Json = Any
LIMITS = f"arn:aws:iam::{ACCOUNT}:policy/limits"


def _attached(action: str) -> Callable[[Json], None]:
    document = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Deny", "Action": action, "Resource": "*"}],
    }
    policy = {"name": "limits", "type": "managed", "arn": LIMITS, "document": document}
    return lambda body: body["role"]["permission_policies"].append(policy)


def test_a_managed_policy_that_was_meant_and_is_detached_is_drift() -> None:
    """Guards against: a limit that somebody took off, because a plan has no document of it."""
    meant = intended()
    role = meant.snapshot.role
    assert isinstance(role, Role)
    limits = NamedPolicy("limits", UNSEEN, arn=LIMITS)
    role = replace(role, permission_policies=(*(role.permission_policies or ()), limits))
    meant = replace(meant, snapshot=replace(meant.snapshot, role=role))
    there = drift_of(_attached("kms:CreateGrant"), meant=meant)
    assert told(there, State.UNDECIDED) == ["permission_policies"]
    entries = accepted(there, *(each["id"] for each in as_json(there)["differences"]))
    assert told(drift_of(_attached("kms:CreateGrant"), meant=meant, entries=entries)) == []
    for given in ((), entries):
        gone = drift_of(meant=meant, entries=given)
        assert told(gone) == ["permission_policies"]
        assert "is gone" in gone.of("permission_policies")[0].message
    agreed = accepted(drift_of(meant=meant))
    assert told(drift_of(meant=meant, entries=agreed)) == []


def _bounded(action: str, arn: str = BOUNDARY) -> Callable[[Json], None]:
    document = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}],
    }
    return lambda body: body["role"].update(
        permissions_boundary=document, permissions_boundary_arn=arn
    )


def test_a_reviewed_boundary_that_is_removed_is_drift() -> None:
    """Guards against: a boundary that somebody took off, where outputs do not tell of it."""
    meant = intended(source="outputs", boundary_arn=UNSEEN)
    there = drift_of(_bounded("kms:*"), meant=meant)
    assert told(there, State.UNDECIDED) == ["permissions_boundary"]
    entries = accepted(there, *(each["id"] for each in as_json(there)["differences"]))
    assert told(drift_of(_bounded("kms:*"), meant=meant, entries=entries)) == []
    assert told(drift_of(meant=meant, entries=entries)) == ["permissions_boundary"]
    assert drift_of(meant=meant).differences == ()


def test_the_document_of_another_boundary_that_is_accepted_is_compared() -> None:
    """Guards against: a boundary under another ARN whose document may then say anything."""
    meant, other = intended(boundary_arn=BOUNDARY), f"{BOUNDARY}-2"
    there = drift_of(_bounded("kms:Encrypt", other), meant=meant)
    ids = [each["id"] for each in as_json(there)["differences"]]
    assert len(ids) == 2
    entries = accepted(there, *ids)
    again = drift_of(_bounded("kms:Encrypt", other), meant=meant, entries=entries)
    assert as_json(again)["answer"] == "same"
    wider = drift_of(_bounded("kms:*", other), meant=meant, entries=entries)
    assert told(wider) == ["permissions_boundary"]
