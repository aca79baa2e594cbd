"""Replicas of a multi-Region key: what one encrypts, the others decrypt by their own policies."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from openai_ekm.drift.difference import State
from openai_ekm.drift.report import as_json
from tests.constants import KEY
from tests.unit.drift.sample import drift_of, found, intended, only, told
from tests.unit.drift.test_baseline import accepted
from tests.unit.drift.test_compare_aws import GRANT, grants
from tests.unit.drift.test_compare_policies import STRANGER

if TYPE_CHECKING:
    from collections.abc import Callable

    from openai_ekm.drift.baseline import Entry
    from openai_ekm.drift.compare import Drift

Json = Any
REPLICA = KEY.replace("eu-west-1", "eu-central-1")
POLICY = f"key policy of {REPLICA}"


def with_replica(change: Callable[[Json], object] | None = None) -> Callable[[Json], None]:
    """Give the key a replica, which is changed."""

    def made(body: Json) -> None:
        body["keys"][0] |= {"multi_region": "PRIMARY", "related": [REPLICA]}
        replica = copy.deepcopy(body["keys"][0])
        replica |= {"arn": REPLICA, "multi_region": "REPLICA", "related": [KEY]}
        if change is not None:
            change(replica)
        body["keys"].append(replica)

    return made


def opened(principal: Json) -> Callable[[Json], None]:
    """Let somebody decrypt by the replica's policy."""
    return lambda replica: replica["policy"]["Statement"].append(
        {
            "Sid": "ByHand",
            "Effect": "Allow",
            "Principal": principal,
            "Action": "kms:Decrypt",
            "Resource": "*",
        }
    )


def compared(change: Callable[[Json], object] | None = None, **options: Any) -> Drift:
    """Compare a key whose replica was meant, and is changed."""
    body = found()
    with_replica()(body)
    return drift_of(
        with_replica(change), meant=intended(body, replicas=(REPLICA,)), sides=("aws",), **options
    )


def reviewed() -> tuple[Entry, ...]:
    """The entry that accepts the replica's policy."""
    drift = compared()
    return accepted(drift, as_json(drift)["differences"][0]["id"])


def test_a_replica_that_was_not_meant_is_drift() -> None:
    """Guards against: a copy of the key in another Region that nobody hears of."""
    drift = drift_of(with_replica(), meant=intended(), sides=("aws",))
    assert "replicas" in told(drift)
    assert any("has the same key material" in each.message for each in drift.of("replicas"))
    listed = drift_of(lambda body: body["keys"][0].update(related=[REPLICA]))
    assert told(listed) == told(listed, State.UNDECIDED) == ["replicas"]


def test_a_replica_s_policy_is_undecided_until_it_is_reviewed() -> None:
    """Guards against: a replica's policy that nobody looked at."""
    difference = only(compared())
    assert (difference.check, difference.subject) == ("replicas", POLICY)
    assert difference.state is State.UNDECIDED
    assert difference.observed is not None
    assert as_json(compared(entries=reviewed()))["answer"] == "same"


def test_a_change_of_a_reviewed_policy_is_drift_and_one_of_its_text_is_none() -> None:
    """Guards against: a replica that is opened to everybody after its review."""
    entries = reviewed()
    drift = compared(opened("*"), entries=entries)
    assert told(drift) == ["replicas"]
    (difference,) = drift.of("replicas")
    assert {each.request.resource for each in difference.more} == {REPLICA}
    assert told(compared(opened({"AWS": STRANGER}), entries=entries)) == ["replicas"]
    text = compared(lambda each: each["policy"]["Statement"][0].update(Sid="Other"))
    ids = [each["id"] for each in as_json(text)["differences"]]
    assert ids != [entries[0].id]  # the id holds the document
    text = compared(
        lambda each: each["policy"]["Statement"][0].update(Sid="Other"), entries=entries
    )
    assert as_json(text)["answer"] == "same"


def test_a_grant_on_a_replica_that_terraform_makes_is_none() -> None:
    """Guards against: an alarm each night for a grant of the configuration on a replica."""
    grant = {**GRANT, "key_arn": REPLICA}
    body = found()
    with_replica()(body)
    meant = intended(body, replicas=(REPLICA,), grants=(grant,))

    def change(*given: Json) -> Callable[[Json], None]:
        def made(body: Json) -> None:
            with_replica()(body)
            grants(*given)(body)

        return made

    assert told(drift_of(change(grant), meant=meant, sides=("aws",))) == []
    for given in ((), (grant, GRANT)):
        assert told(drift_of(change(*given), meant=meant, sides=("aws",))) == ["grants"]


def test_grants_that_were_not_seen_are_named_with_the_replicas() -> None:
    """Guards against: a replica out of reach, told as if the key's own grants were not seen."""

    def change(body: Json) -> None:
        with_replica()(body)
        del body["grants"]
        body["unseen"] = [{"path": "grants", "reason": "ListGrants: AccessDenied"}]

    (difference,) = drift_of(change, meant=intended(), sides=("aws",)).of("grants")
    assert difference.state is State.UNDECIDED
    assert difference.message == (
        "Not compared: the grants on the key and its replicas (ListGrants: AccessDenied)."
    )


def test_a_principal_that_was_deleted_is_told_of_a_replica() -> None:
    """Guards against: a unique id that only the key's own policy is searched for."""
    drift = compared(opened({"AWS": "AROAEXAMPLEEXAMPLE00"}))
    assert told(drift) == ["deleted_principals"]
    assert POLICY in drift.of("deleted_principals")[0].subject


def test_a_replica_s_state_is_compared() -> None:
    """Guards against: a replica that is disabled, or not seen, and passes for one in use."""
    entries = reviewed()
    drift = compared(lambda each: each.update(state="Disabled"), entries=entries)
    assert told(drift) == ["replicas"]
    assert any("is Disabled" in each.message for each in drift.differences)
    unseen = compared(lambda each: each.pop("state"), entries=entries)
    assert told(unseen, State.UNDECIDED) == ["replicas"]


def test_a_replica_that_was_not_seen_is_undecided() -> None:
    """Guards against: a Region that gives no answer, taken for one without drift."""

    def change(replica: Json) -> None:
        for member in list(replica):
            if member != "arn":
                del replica[member]

    drift = compared(change, entries=reviewed())
    assert told(drift) == []
    undecided = [each.subject for each in drift.differences if each.state is State.UNDECIDED]
    assert undecided == [POLICY, f"state of {REPLICA}"]
