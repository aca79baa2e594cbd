"""Compare the replicas of a multi-Region key: what one encrypts, the others decrypt. Pure.

Source: https://docs.aws.amazon.com/kms/latest/developerguide/multi-region-keys-overview.html
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from openai_ekm.drift.compare_policies import KEY_POLICY, Slot, compare_policies
from openai_ekm.drift.difference import Difference, not_compared
from openai_ekm.policy import DocumentKind
from openai_ekm.snapshot import UNSEEN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from openai_ekm.drift.baseline import Baseline
    from openai_ekm.drift.intended import Intended
    from openai_ekm.drift.observed import Observed
    from openai_ekm.snapshot import Key, Snapshot

__all__ = ["compare_replica_policies", "compare_replicas", "replica_policies"]


def compare_replicas(meant: Intended, observed: Observed, key: Key) -> Iterator[Difference]:
    """Yield what differs of the replicas, their policies apart.

    Args:
        meant: What was meant.
        observed: What is there.
        key: The key that OpenAI uses.
    """
    if key.related is UNSEEN:
        yield not_compared("replicas", "key's replicas", observed.reason("keys[0].related", "keys"))
        return
    for arn in key.related:
        if arn not in meant.replicas:
            yield Difference(
                check="replicas",
                subject=arn,
                message=f"{arn} has the same key material, and was not meant: what OpenAI "
                "encrypts with the key can be decrypted there, by its own policy.",
                observed=arn,
            )
    for arn in meant.replicas:
        if arn not in key.related:
            yield Difference(
                check="replicas",
                subject=arn,
                message=f"The replica {arn} of the configuration is gone.",
                remedy="Apply the configuration again.",
                meant=arn,
            )
    states = {each.arn: each.state for each in observed.snapshot.keys or ()}
    for arn in key.related:
        # One that was not meant is told above; to delete it is its remedy.
        if arn in meant.replicas and states.get(arn, UNSEEN) not in {"Enabled", UNSEEN}:
            yield Difference(
                check="replicas",
                subject=f"state of {arn}",
                message=f"The replica {arn} is {states[arn]}; it was meant to be Enabled.",
                remedy="Enable it in its Region (aws kms enable-key), or cancel its deletion first "
                "(aws kms cancel-key-deletion), or accept the difference with `ekm drift accept`.",
                meant="Enabled",
                observed=states[arn],
            )
        elif arn in meant.replicas and states.get(arn, UNSEEN) is UNSEEN:
            yield not_compared("replicas", f"state of {arn}", _why(observed, arn, "state"))


def replica_policies(observed: Observed) -> list[Slot]:
    """Return the place of each replica's key policy; a baseline says what was meant there.

    The primary key is one of them where a replica is registered.

    Args:
        observed: What is there.
    """
    snapshot = observed.snapshot
    key = snapshot.registered_key
    policies = {each.arn: each.policy for each in snapshot.keys or ()}
    return [
        Slot(
            "replicas",
            f"{KEY_POLICY} of {arn}",
            DocumentKind.KEY,
            None,
            UNSEEN if policies.get(arn) is None else policies[arn],
            made=False,
            reason=_why(observed, arn, "policy"),
        )
        for arn in (() if key is None else key.related or ())
    ]


def compare_replica_policies(
    slots: Sequence[Slot], around: Snapshot, baseline: Baseline, now: str
) -> Iterator[Difference]:
    """Yield what differs in the key policies of replicas: each is compared as the key's is.

    Args:
        slots: Every place of a document.
        around: The snapshot of what is there.
        baseline: What was reviewed.
        now: ISO 8601.
    """
    # Documents of the role that are there: what they changed is told of the key itself.
    beside = [
        replace(each, meant=each.observed, made=True)
        for each in slots
        if each.check not in {"replicas", "key_policy"}
    ]
    by_subject = {f"{KEY_POLICY} of {each.arn}": each for each in around.keys or ()}
    for slot in slots:
        if slot.check != "replicas":
            continue
        key = by_subject.get(slot.subject)
        whole = around
        if key is not None:
            registration = replace(around.registration, kms_arn=key.arn)
            # As with the key itself, aliases and grants are compared by themselves.
            whole = replace(around, registration=registration, keys=(key,), aliases=(), grants=())
        for each in compare_policies([*beside, slot], whole, baseline, now, protected=False):
            if each.check == "replicas":
                yield each


def _why(observed: Observed, arn: str, member: str) -> str:
    """Return why something of a key was not seen."""
    paths = [
        path
        for index, each in enumerate(observed.snapshot.keys or ())
        if each.arn == arn
        for path in (f"keys[{index}].{member}", f"keys[{index}]")
    ]
    return observed.reason(*paths, "keys")
