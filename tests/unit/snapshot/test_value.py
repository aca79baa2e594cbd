"""The snapshot as a value: read strictly where it matters, written back as it was."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from openai_ekm.errors import BadInput
from openai_ekm.snapshot import UNSEEN, Key, Registration, Role, Snapshot

FULL: dict[str, Any] = {
    "schema": "ekm-snapshot/1",
    "registration": {
        "role_arn": "arn:aws:iam::111122223333:role/r",
        "kms_arn": "arn:aws:kms:eu-west-1:111122223333:key/k",
        "external_id": "org-abc",
        "external_ids": ["org-abc", "proj_1"],
    },
    "role": {
        "arn": "arn:aws:iam::111122223333:role/r",
        "trust_policy": {"Version": "2012-10-17", "Statement": []},
        "permission_policies": [
            {"name": "use", "document": "{}", "type": "inline"},
            {
                "name": "more",
                "document": "{}",
                "type": "managed",
                "arn": "arn:aws:iam::aws:policy/x",
            },
        ],
        "permissions_boundary": {},
        "permissions_boundary_arn": "arn:aws:iam::111122223333:policy/b",
        "max_session_duration": 3600,
    },
    "keys": [
        {
            "arn": "arn:aws:kms:eu-west-1:111122223333:key/k",
            "state": "Enabled",
            "spec": "SYMMETRIC_DEFAULT",
            "usage": "ENCRYPT_DECRYPT",
            "origin": "AWS_KMS",
            "multi_region": None,
            "policy": "{}",
        }
    ],
    "aliases": [{"arn": "arn:aws:kms:eu-west-1:111122223333:alias/a", "target": "arn:…"}],
    "grants": [{"grantee_principal": "arn:…", "operations": ["Encrypt"]}],
    "scps": [[{"Statement": []}]],
    "rcps": [],
    "customer": {"account": "111122223333", "organization": "o-1"},
    "administrators": ["arn:aws:iam::111122223333:role/admin"],
    "caller": "arn:aws:iam::111122223333:role/admin",
    "calls": {
        "source_ip": None,
        "vpc_endpoint": None,
        "via_service": None,
        "mfa": False,
        "encryption_context": {"a": "b"},
        "openai_organization": "o-openai",
        "time": "2027-01-01T00:00:00Z",
    },
}


def changed(path: str, value: Any) -> dict[str, Any]:
    """The full snapshot with one member set."""
    snapshot = copy.deepcopy(FULL)
    *steps, last = path.split(".")
    target: Any = snapshot
    for step in steps:
        target = target[int(step)] if isinstance(target, list) else target[step]
    target[last] = value
    return snapshot


def test_a_full_snapshot_is_written_back_as_it_was_read() -> None:
    """A snapshot would lose what a later judgement needs."""
    assert Snapshot.from_json(FULL).as_json() == FULL


def test_what_was_not_collected_stays_absent_and_is_named() -> None:
    """A member that nobody looked at would be taken for one that is not there."""
    registration = FULL["registration"]
    bare = Snapshot.from_json({"registration": registration})
    assert bare.role is UNSEEN
    assert bare.unseen() == ("role", "keys", "aliases", "grants", "scps", "rcps")
    written = bare.as_json()
    assert set(written) == {"schema", "registration", "calls"}
    partial = Snapshot.from_json(
        {"registration": registration, "role": {"arn": "a"}, "keys": [{"arn": "k"}]}
    )
    assert {"trust_policy", "permission_policies", "permissions_boundary"} < set(partial.unseen())
    assert "keys[0].policy" in partial.unseen()


def test_null_is_not_absent() -> None:
    """A role that was not found would be taken for one that nobody looked up."""
    found = Snapshot.from_json(changed("role", None))
    assert found.role is None
    assert "role" not in found.unseen()
    assert found.as_json()["role"] is None


@pytest.mark.parametrize("index", ["\u00b2", "\u0661", "1" * 5_000, "9", "-1"])
def test_what_was_not_seen_is_named_as_it_is_written(index: str) -> None:
    """A path with digits that Python reads, or refuses to read, ends in a traceback."""
    path = f"keys[{index}].policy"
    found = Snapshot.from_json({**FULL, "unseen": [{"path": path, "reason": "refused"}]})
    assert path in found.unseen()


@pytest.mark.parametrize(
    "path", ["role.colour", "role.permission_policies.0.colour", "keys.0.colour"]
)
def test_an_unknown_member_that_could_matter_is_refused_when_strict(path: str) -> None:
    """A misspelt member would be ignored, and the judgement be wrong."""
    with pytest.raises(BadInput) as caught:
        Snapshot.from_json(changed(path, 1))
    assert caught.value.id == "snapshot_unknown_member"
    assert "colour" in caught.value.message
    assert Snapshot.from_json(changed(path, 1), strict=False).as_json() == changed(path, 1)


@pytest.mark.parametrize(
    "path", ["colour", "registration.colour", "customer.colour", "calls.colour", "aliases.0.colour"]
)
def test_an_unknown_member_elsewhere_is_carried_along(path: str) -> None:
    """A snapshot of a later version would not be readable at all."""
    assert Snapshot.from_json(changed(path, 1)).as_json() == changed(path, 1)


@pytest.mark.parametrize(
    ("path", "value", "at_fault"),
    [
        ("registration", [], "registration"),
        ("registration.role_arn", 7, "registration.role_arn"),
        ("role", [], "role"),
        ("role.permission_policies", {}, "role.permission_policies"),
        ("role.permission_policies.0.name", None, "role.permission_policies[0].name"),
        ("role.permission_policies.0.type", "group", "role.permission_policies[0].type"),
        ("role.permission_policies.0.arn", 1, "role.permission_policies[0].arn"),
        ("role.permissions_boundary_arn", None, "role.permissions_boundary_arn"),
        ("role.max_session_duration", True, "role.max_session_duration"),
        ("keys", {}, "keys"),
        ("keys.0.state", None, "keys[0].state"),
        ("grants", ["x"], "grants[0]"),
        ("calls.mfa", "yes", "calls.mfa"),
        ("calls.encryption_context", {"a": 1}, "calls.encryption_context.a"),
        ("administrators", "arn", "administrators"),
    ],
)
def test_a_member_of_the_wrong_shape_is_named(path: str, value: Any, at_fault: str) -> None:
    """A broken file would end as a defect of ours."""
    with pytest.raises(BadInput) as caught:
        Snapshot.from_json(changed(path, value))
    assert (caught.value.id, caught.value.at_fault) == ("snapshot_shape", at_fault)


@pytest.mark.parametrize("source", [[], "x", None, {}, {"registration": {"role_arn": "a"}}])
def test_what_is_no_snapshot_is_refused(source: Any) -> None:
    """Any JSON file would be taken for a snapshot with nothing in it."""
    with pytest.raises(BadInput) as caught:
        Snapshot.from_json(source)
    assert caught.value.id == "snapshot_shape"


def test_another_schema_is_refused() -> None:
    """A snapshot of a later version would be read wrongly."""
    with pytest.raises(BadInput) as caught:
        Snapshot.from_json(changed("schema", "ekm-snapshot/2"))
    assert caught.value.id == "snapshot_schema"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("registration.external_id", "org\nabc"),
        ("registration.kms_arn", "nonsense"),
        ("role.trust_policy", "{broken"),
        ("role.permissions_boundary", 7),
        ("keys.0.policy", []),
        ("keys.0.state", "Hibernating"),
    ],
)
def test_values_that_are_there_to_be_judged_are_not_refused(path: str, value: Any) -> None:
    """A diagnosis would refuse the very snapshot that holds the fault."""
    assert Snapshot.from_json(changed(path, value)).as_json() == changed(path, value)


def test_a_snapshot_can_be_made_without_json() -> None:
    """A caller in Python would have to go through JSON."""
    snapshot = Snapshot(
        registration=Registration("r", "k", "e"),
        role=Role(arn="r", trust_policy={}),
        keys=(Key(arn="k", policy=None),),
    )
    assert Snapshot.from_json(snapshot.as_json()) == snapshot
