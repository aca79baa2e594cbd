"""Compare what AWS has with what was meant: role, key, and everything around them but documents.

Pure: what was read goes in, differences come out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openai_ekm.drift.difference import Difference, State, canonical, decoded, not_compared
from openai_ekm.drift.replicas import compare_replicas
from openai_ekm.policy.tested_tags import tested_tags, tests_aliases
from openai_ekm.snapshot import UNSEEN, Key, Role

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from openai_ekm.drift.compare_policies import Slot
    from openai_ekm.drift.intended import Intended
    from openai_ekm.drift.observed import Observed

__all__ = ["compare_key", "compare_role"]


def compare_role(
    meant: Intended, observed: Observed, registered_at: str | None
) -> Iterator[Difference]:
    """Yield what differs of the role, its documents apart.

    Args:
        meant: What was meant.
        observed: What is there.
        registered_at: When the role was registered with OpenAI, if the record says it.
    """
    role = observed.snapshot.role
    if role is UNSEEN:
        why = observed.reason("role")
        yield not_compared("role", "role", why)
        yield not_compared("role_id", "role's unique id", why)
        return
    if role is None:
        yield Difference(
            check="role",
            subject="role",
            message=f"There is no role {meant.role_arn}: OpenAI cannot use the key.",
            meant=meant.role_arn,
        )
        return
    if role.arn != meant.role_arn:
        yield Difference(
            check="role",
            subject="ARN of the role",
            message=f"The role of that name is {role.arn}, and {meant.role_arn} was meant.",
            meant=meant.role_arn,
            observed=role.arn,
        )
    yield from _session_duration(meant, role)
    yield from _role_id(meant, observed, registered_at)


def _session_duration(meant: Intended, role: Role) -> Iterator[Difference]:
    wanted = meant.snapshot.role
    if not isinstance(wanted, Role) or wanted.max_session_duration is UNSEEN:
        return
    if role.max_session_duration is UNSEEN:
        return
    if role.max_session_duration != wanted.max_session_duration:
        yield Difference(
            check="role",
            subject="longest session of the role",
            message=f"The role's longest session is {role.max_session_duration} seconds, and "
            f"{wanted.max_session_duration} were meant.",
            meant=wanted.max_session_duration,
            observed=role.max_session_duration,
        )


def _role_id(
    meant: Intended, observed: Observed, registered_at: str | None
) -> Iterator[Difference]:
    """Yield that the role is another one of the same name: somebody deleted and made it anew."""
    found = observed.role_unique_id
    if found is UNSEEN:
        yield not_compared("role_id", "role's unique id", observed.reason("role"))
    elif meant.role_unique_id is not UNSEEN:
        if found != meant.role_unique_id:
            yield Difference(
                check="role_id",
                subject="unique id of the role",
                message=f"The role is not the one that was made: its unique id is {found}, and it "
                f"was {meant.role_unique_id}. Somebody deleted the role and made another one "
                "under its name.",
                meant=meant.role_unique_id,
                observed=found,
            )
    elif registered_at is not None and observed.role_created is not UNSEEN:
        if observed.role_created > registered_at:
            yield Difference(
                check="role_id",
                subject="creation date of the role",
                message=f"The role was made at {observed.role_created}, after its registration at "
                f"{registered_at}: it is another one under the same name.",
                meant=f"before {registered_at}",
                observed=observed.role_created,
            )
    else:
        yield not_compared(
            "role_id", "role's unique id", "neither outputs nor record say which it was"
        )


def compare_key(meant: Intended, observed: Observed, slots: Sequence[Slot]) -> Iterator[Difference]:
    """Yield what differs of the key, its policy apart.

    Args:
        meant: What was meant.
        observed: What is there.
        slots: The documents, which say which tags and aliases are tested.
    """
    snapshot = observed.snapshot
    documents = [decoded(each) for slot in slots for each in (slot.meant, slot.observed)]
    if snapshot.keys is UNSEEN:
        why = observed.reason("keys")
        for check, subject in (
            ("key", "key"),
            ("rotation", "key's rotation"),
            ("aliases", "key's aliases"),
            ("grants", "key's grants"),
            ("replicas", "key's replicas"),
            ("tags", "key's tags"),
        ):
            yield not_compared(check, subject, why)
        return
    key = snapshot.registered_key
    if key is None:
        yield Difference(
            check="key",
            subject="key",
            message=f"There is no key {meant.key_arn}: all data under it is lost, unless the "
            "credentials are of another account or Region.",
            remedy="Check account and Region of the credentials first.",
            meant=meant.key_arn,
        )
        return
    yield from _state(meant, observed, key)
    yield from _rotation(meant, observed, key)
    yield from _aliases(meant, observed, tested=tests_aliases(documents))
    yield from _grants(meant, observed, key)
    yield from compare_replicas(meant, observed, key)
    yield from _tags(meant, observed, key, tested_tags(documents))


def _state(meant: Intended, observed: Observed, key: Key) -> Iterator[Difference]:
    if key.state is UNSEEN:
        yield not_compared("key", "key's state", observed.reason("keys[0].state", "keys"))
    elif key.state != "Enabled":
        when = f", and AWS deletes it at {observed.deletion_date}" if observed.deletion_date else ""
        yield Difference(
            check="key",
            subject="state of the key",
            message=f"The key is {key.state}{when}; it was meant to be Enabled.",
            meant="Enabled",
            observed={"state": key.state, "deletion_date": observed.deletion_date},
        )
    wanted = meant.snapshot.keys[0] if meant.snapshot.keys else None
    if wanted is None or wanted.multi_region is UNSEEN or key.multi_region is UNSEEN:
        return
    if wanted.multi_region != key.multi_region:
        yield Difference(
            check="key",
            subject="kind of the key",
            message=f"The key is {_kind(key.multi_region)}, and {_kind(wanted.multi_region)} was "
            "meant.",
            meant=wanted.multi_region,
            observed=key.multi_region,
        )


def _kind(multi_region: str | None) -> str:
    return "a key of one Region" if multi_region is None else f"a multi-Region {multi_region}"


def _rotation(meant: Intended, observed: Observed, key: Key) -> Iterator[Difference]:
    if meant.rotation is UNSEEN:
        if meant.makes_key:
            yield not_compared("rotation", "key's rotation", "outputs do not say what was meant")
        return
    if key.state not in {"Enabled", "Disabled"}:
        return  # told by its state
    if observed.rotation is UNSEEN:
        yield not_compared("rotation", "key's rotation", observed.reason("rotation"))
        return
    days = meant.rotation_days if meant.rotation and meant.rotation_days is not UNSEEN else None
    found = observed.rotation_days if observed.rotation else None
    if observed.rotation != meant.rotation:
        is_on, was = ("on", "off") if observed.rotation else ("off", "on")
        message = f"Automatic rotation is {is_on}, and was meant to be {was}."
    elif days is not None and found is not UNSEEN and found is not None and days != found:
        message = f"The key is rotated every {found} days, and every {days} were meant."
    else:
        return
    yield Difference(
        check="rotation",
        subject="rotation of the key",
        message=message,
        meant={"rotation": meant.rotation, "days": days},
        observed={"rotation": observed.rotation, "days": None if found is UNSEEN else found},
    )


def _aliases(meant: Intended, observed: Observed, *, tested: bool) -> Iterator[Difference]:
    if observed.snapshot.aliases is UNSEEN:
        yield not_compared("aliases", "key's aliases", observed.reason("aliases"))
        return
    there = {each.arn for each in observed.snapshot.aliases}
    registered = meant.snapshot.registration.kms_arn
    for alias in meant.aliases:
        if alias in there:
            continue
        if alias not in observed.alias_targets:
            yield not_compared("aliases", f"alias {alias}", observed.reason(alias))
            continue
        target = observed.alias_targets[alias]
        what = "does not exist" if target is None else f"leads to {target}"
        used = " OpenAI uses the key by this alias." if alias == registered else ""
        yield Difference(
            check="aliases",
            subject=alias,
            message=f"The alias {alias} {what}, and was meant to lead to {meant.key_arn}.{used}",
            meant=meant.key_arn,
            observed=target,
        )
    if meant.source == "outputs" and not tested:
        return
    for alias in sorted(there - set(meant.aliases)):
        effect, state = "It lets nobody do more.", State.NO_EFFECT
        if tested:
            effect = "A policy tests the key's aliases, so it can let somebody do more."
            state = State.DRIFT
        if tested and meant.source == "outputs":
            effect = "A policy tests the key's aliases, and outputs do not say which were meant."
            state = State.UNDECIDED
        yield Difference(
            check="aliases",
            subject=alias,
            message=f"A further alias leads to the key: {alias}. {effect}",
            state=state,
            remedy="Delete the alias (aws kms delete-alias), or accept the difference with `ekm "
            "drift accept`.",
            observed=meant.key_arn,
        )


def _grants(meant: Intended, observed: Observed, key: Key) -> Iterator[Difference]:
    if observed.snapshot.grants is UNSEEN:
        held = "grants on the key and its replicas" if key.related else "key's grants"
        yield not_compared("grants", held, observed.reason("grants"))
        return
    wanted = {_text(each): each for each in map(_grant, meant.grants)}
    there = {_text(each): each for each in map(_grant, observed.snapshot.grants)}
    for text, each in there.items():
        if text not in wanted:
            yield Difference(
                check="grants",
                subject=f"grant to {each['grantee_principal']}",
                message="A grant that was not meant lets "
                f"{each['grantee_principal']} do {', '.join(map(str, each['operations']))}.",
                observed=each,
            )
    for text, each in wanted.items():
        if text not in there:
            yield Difference(
                check="grants",
                subject=f"grant to {each['grantee_principal']}",
                message=f"The grant to {each['grantee_principal']} of the configuration is gone.",
                remedy="Apply the configuration again, or accept the difference with `ekm drift "
                "accept`.",
                meant=each,
            )


def _grant(grant: Mapping[str, Any]) -> dict[str, Any]:
    operations = grant.get("operations")
    return {
        "grantee_principal": grant.get("grantee_principal"),
        "operations": sorted(map(str, operations)) if isinstance(operations, list) else [],
        "key_arn": grant.get("key_arn"),
        "constraints": grant.get("constraints"),
    }


def _text(value: Any) -> str:
    return str(canonical(value))


def _tags(
    meant: Intended, observed: Observed, key: Key, tested: frozenset[str]
) -> Iterator[Difference]:
    if not tested:
        return
    wanted_key = meant.snapshot.keys[0] if meant.snapshot.keys else None
    wanted_role, role = meant.snapshot.role, observed.snapshot.role
    holders: list[tuple[str, str, Any, Any]] = [
        ("key", "keys[0].tags", wanted_key.tags if wanted_key else UNSEEN, key.tags)
    ]
    if role is not None:  # of one that is gone the check `role` tells
        wanted_tags = wanted_role.tags if isinstance(wanted_role, Role) else UNSEEN
        found_tags = role.tags if isinstance(role, Role) else UNSEEN
        holders.append(("role", "role", wanted_tags, found_tags))
    for holder, path, wanted, found in holders:
        if found is UNSEEN:
            yield not_compared("tags", f"{holder}'s tags", observed.reason(path))
        elif wanted is UNSEEN:
            yield not_compared("tags", f"{holder}'s tags", "nothing says which tags were meant")
        else:
            yield from _tag_differences(holder, wanted, found, tested)


def _tag_differences(
    holder: str, wanted: Mapping[str, str], found: Mapping[str, str], tested: frozenset[str]
) -> Iterator[Difference]:
    for name in sorted(tested):
        before, after = _tag_value(wanted, name), _tag_value(found, name)
        if before != after:
            was = "no value" if before is None else repr(before)
            yield Difference(
                check="tags",
                subject=f"tag {name} of the {holder}",
                message=f"The {holder}'s tag {name}, which a policy tests, is "
                f"{'not there' if after is None else repr(after)}; {was} was meant.",
                meant=before,
                observed=after,
            )


def _tag_value(tags: Mapping[str, str], name: str) -> str | list[str] | None:
    """Return a tag's value; several where names differ by case alone; None where it is not there.

    A condition takes such names for one, and KMS keeps them as two.
    """
    values = sorted(value for each, value in tags.items() if each.lower() == name)
    if not values:
        return None
    return values[0] if len(values) == 1 else values
