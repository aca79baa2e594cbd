"""Compare everything: AWS with what was meant, OpenAI with the record. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from openai_ekm.drift.baseline import Baseline, Entry
from openai_ekm.drift.checks import CHECKS, PROJECT_KEYS
from openai_ekm.drift.compare_aws import compare_key, compare_role
from openai_ekm.drift.compare_openai import (
    Exceptions,
    Registered,
    compare_openai,
    organization_by_name,
)
from openai_ekm.drift.compare_policies import BOUNDARY, compare_policies
from openai_ekm.drift.deleted_principals import deleted_principals
from openai_ekm.drift.difference import Acceptance, Difference, State, Subject, not_compared
from openai_ekm.drift.replicas import compare_replica_policies, replica_policies
from openai_ekm.drift.slots import slots_of
from openai_ekm.registration.intent import Intent
from openai_ekm.snapshot import UNSEEN, Role

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from openai_ekm.drift.intended import Intended
    from openai_ekm.drift.observed import Observed

__all__ = ["Drift", "compare"]


@dataclass(frozen=True, slots=True)
class Drift:
    """Everything that was compared.

    Args:
        meant: What was meant.
        subject: The role and the key.
        at: When it was looked at.
        checks: Ids of the checks that were made, in order.
        differences: Everything that differs or was not seen, in the order of the checks.
        expired: Entries of the baseline whose last day is over.
        unused: Entries that accepted nothing that is there.
        record: Place of the record, None where none was named.
        notes: What to know besides.
    """

    meant: Intended
    subject: Subject
    at: datetime
    checks: tuple[str, ...]
    differences: tuple[Difference, ...]
    expired: tuple[Entry, ...] = ()
    unused: tuple[Entry, ...] = ()
    record: str | None = None
    notes: tuple[str, ...] = ()

    def of(self, check: str) -> tuple[Difference, ...]:
        """Return the differences of a check."""
        return tuple(each for each in self.differences if each.check == check)


def compare(
    meant: Intended,
    observed: Observed,
    registered: Registered,
    *,
    entries: Iterable[Entry] = (),
    undecided: Mapping[str, str] | None = None,
    exceptions: Exceptions = Exceptions(),  # noqa: B008 - frozen
    sides: tuple[str, ...] = ("aws", "openai"),
    now: datetime,
) -> Drift:
    """Compare what is there with what was meant.

    Args:
        meant: What was meant.
        observed: What AWS has.
        registered: What the record and OpenAI have.
        entries: Of the baseline.
        undecided: Checks that are accepted undecided, each with the reason.
        exceptions: Which projects must be under a key.
        sides: Where it was looked: `aws`, `openai` or both.
        now: The present.
    """
    registration = meant.snapshot.registration
    subject = Subject(registration.role_arn, registration.kms_arn)
    baseline = Baseline.of(entries, subject, now.astimezone(UTC).date())
    differences: list[Difference] = []
    if "aws" in sides:
        differences += _aws(meant, observed, registered, baseline, now)
    if "openai" in sides:
        intent = _intent(meant, registered)
        aliases = frozenset(each.arn for each in observed.snapshot.aliases or ())
        differences += compare_openai(meant, registered, intent, exceptions, aliases=aliases)
    found = [baseline.settle(each, subject) for each in differences]
    unseen = {each.check for each in found if each.state is State.UNDECIDED}
    order = {name: index for index, name in enumerate(CHECKS)}
    found.sort(key=lambda each: order[each.check])
    asked = [
        name
        for name, check in CHECKS.items()
        if check.side in sides and (name != PROJECT_KEYS or exceptions.require_key)
    ]
    return Drift(
        meant=meant,
        subject=subject,
        at=now,
        checks=tuple(asked),
        differences=tuple(_accepted(each, undecided or {}) for each in found),
        expired=baseline.expired,
        # An entry for what was not seen this time may be needed the next.
        unused=tuple(each for each in baseline.unused if each.check in set(asked) - unseen),
        record=registered.place or None,
        notes=tuple(_notes(meant, found, undecided or {}, _named(meant, registered, sides))),
    )


def _accepted(difference: Difference, undecided: Mapping[str, str]) -> Difference:
    if difference.state is not State.UNDECIDED or difference.check not in undecided:
        return difference
    return replace(difference, accepted=Acceptance(undecided[difference.check]))


def _intent(meant: Intended, registered: Registered) -> Intent:
    if registered.record is not None:
        return registered.record.intent
    told = meant.snapshot.registration
    return Intent(told.role_arn, told.kms_arn, told.external_id, "openai-ekm")


def _aws(
    meant: Intended, observed: Observed, registered: Registered, baseline: Baseline, now: datetime
) -> Iterator[Difference]:
    record = registered.record
    # By themselves: a grant that was not meant must not hide what a document allows.
    around = replace(observed.snapshot, grants=meant.grants)
    own, replicas = slots_of(meant, observed), replica_policies(observed)
    slots = [*own, *replicas]
    yield from compare_role(meant, observed, None if record is None else record.registered_at)
    yield from _boundary_arn(meant, observed)
    yield from compare_policies(
        own, around, baseline, now.isoformat(), protected=meant.protected is not False
    )
    if replicas:
        yield from compare_replica_policies(slots, around, baseline, now.isoformat())
    yield from deleted_principals(slots, observed)
    yield from compare_key(meant, observed, slots)


def _boundary_arn(meant: Intended, observed: Observed) -> Iterator[Difference]:
    """Yield that the role has another boundary than the one that was meant, or none."""
    role = observed.snapshot.role
    wanted = meant.boundary_arn
    if not isinstance(role, Role) or wanted is UNSEEN or wanted is None:
        return
    found = None if role.permissions_boundary is None else role.permissions_boundary_arn
    if found is UNSEEN:
        why = observed.reason("permissions_boundary")
        yield not_compared("permissions_boundary", BOUNDARY, why)
    elif found != wanted:
        yield Difference(
            check="permissions_boundary",
            subject=f"ARN of the {BOUNDARY}",
            message=f"The role's boundary is {found or 'gone'}, and {wanted} was meant.",
            meant=wanted,
            observed=found,
        )


def _named(meant: Intended, registered: Registered, sides: tuple[str, ...]) -> str | None:
    return organization_by_name(registered, meant) if "openai" in sides else None


def _notes(
    meant: Intended, found: list[Difference], undecided: Mapping[str, str], named: str | None
) -> Iterator[str]:
    if named is not None:
        yield (
            f"(organization) OpenAI names the admin key's organization {named!r} and gives no id: "
            "it was not compared."
        )
    if meant.protected is False:
        yield "Deletion protection is off in what was meant."
    if meant.source == "outputs":
        yield (
            "The outputs do not say rotation, boundary, tags and the role's unique id. The state "
            "does: terraform show -json | ekm drift --from-terraform -"
        )
    open_checks = {each.check for each in found if each.state is State.UNDECIDED}
    for name in undecided:
        if name not in open_checks:
            option = f"--accept-undecided {name}"
            yield f"({name}) is decided. {option} is not needed: remove the option."
