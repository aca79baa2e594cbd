"""Near misses: statements and grants that would allow a refused call but for one element."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from openai_ekm.diagnosis.repairs import action, ownership, unsatisfiable, version
from openai_ekm.diagnosis.repairs.repair import as_list, condition_text, shown
from openai_ekm.diagnosis.result import NearMiss
from openai_ekm.evaluation.conditions import holds
from openai_ekm.evaluation.decision import OpenPoint
from openai_ekm.evaluation.grants import grant_applies
from openai_ekm.evaluation.principals import MatchCloseness, match_closeness, named
from openai_ekm.evaluation.statements import action_matches, resource_matches
from openai_ekm.policy.letters import lower_ascii

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from openai_ekm.diagnosis.repairs.repair import Site
    from openai_ekm.evaluation.grants import Grant
    from openai_ekm.evaluation.request import Situation
    from openai_ekm.policy.conditions import Condition

__all__ = ["exceptions_not_met", "failing_conditions", "near_grants", "near_statements", "unmet"]

_MOST: Final = 20  # of a fault
_OF_CONDITIONS: Final = "Condition."


def unmet(site: Site) -> tuple[str, ...]:
    """Return the elements that keep a statement from applying to the call.

    Args:
        site: The statement and the call.

    Returns:
        `Action`, `Resource`, `Principal`, and a name such as `Condition.StringEquals.aws:SourceIp`
        for each condition.
    """
    statement, situation = site.statement, site.situation
    names: list[str] = []
    if action_matches(statement, situation.action) is not True:
        names.append("NotAction" if statement.not_action else "Action")
    if resource_matches(statement, situation) is not True:
        names.append("NotResource" if statement.not_resource else "Resource")
    if not isinstance(match_closeness(statement, situation), MatchCloseness):
        names.append("NotPrincipal" if statement.not_principal else "Principal")
    return (*names, *(element_of(each) for each in failing_conditions(site)))


def failing_conditions(site: Site) -> list[Condition]:
    """Return the conditions of a statement that the call does not meet."""
    context = site.situation.context
    return [each for each in site.statement.conditions if holds(each, context) is not True]


def element_of(condition: Condition) -> str:
    """Return how a fault names a condition."""
    return f"{_OF_CONDITIONS}{condition.operator.text}.{condition.key}"


def near_statements(sites: Iterable[Site]) -> tuple[NearMiss, ...]:
    """Return the elements by which statements that allow fail the call.

    Args:
        sites: The statements of the documents that do not allow.

    Returns:
        The elements of each statement that fails by its conditions alone, or by one element and
        is meant for the caller; those that fail by fewer elements first.
    """
    found = [tuple(_of_statement(site)) for site in sites]
    found.sort(key=len)
    return tuple(near for each in found for near in each)[:_MOST]


def _of_statement(site: Site) -> Iterator[NearMiss]:
    elements = unmet(site)
    if not elements:
        return
    renewed = version.renewed(site)
    if renewed is not None and len(left := unmet(renewed)) < len(elements):
        if _is_near(renewed, left):
            yield _miss(site, "Version", version.found(site), version.VARIABLES_SINCE)
            yield from _misses(renewed, left)
    elif _is_near(site, elements):
        yield from _misses(site, elements)


def _is_near(site: Site, elements: tuple[str, ...]) -> bool:
    others = [each for each in elements if not each.startswith(_OF_CONDITIONS)]
    if not others:
        return True
    if len(elements) > 1:
        return False
    match others[0]:
        case "Principal":
            return _is_for_caller(site)
        case "Action":
            return action.is_related(site) or _names_the_caller(site)
        case _:
            return True


def _is_for_caller(site: Site) -> bool:
    if not site.assumes:
        return ownership.is_for_role(site)
    return any(ownership.is_for_openai(site, each) for each in site.statement.principals or ())


def _names_the_caller(site: Site) -> bool:
    level = match_closeness(site.statement, site.situation)
    return site.layer == "resource" and level in (MatchCloseness.ROLE, MatchCloseness.ITSELF)


def _misses(site: Site, elements: tuple[str, ...]) -> Iterator[NearMiss]:
    conditions = {element_of(each): each for each in site.statement.conditions}
    asked = _asked(site)
    for element in elements:
        if element in conditions:
            yield _condition_miss(site, conditions[element])
        else:
            wanted = asked[element.removeprefix("Not")]
            needed = f"without {wanted}" if element.startswith("Not") else wanted
            yield _miss(site, element, _texts(site.raw.get(element)), needed)


def _asked(site: Site) -> dict[str, str]:
    """Return what the call asks for, by the element that has to cover it."""
    return {
        "Action": site.situation.request.action,
        "Principal": site.caller_arn,
        "Resource": site.resource,
    }


def _texts(raw: Any) -> str:
    """Return the texts of an element, those of every kind of principal, as a fault shows them."""
    values = raw.values() if isinstance(raw, dict) else [raw]
    return shown([text for each in values for text in as_list(each)])


def _condition_miss(site: Site, condition: Condition) -> NearMiss:
    verdict = holds(condition, site.situation.context)
    call = unsatisfiable.of_the_call(site, condition)
    needed = f"true of {call}"
    if isinstance(verdict, OpenPoint):
        needed = f"certain to be true of {call} ({verdict.text})"
    return _miss(site, element_of(condition), condition_text(condition), needed)


def _miss(site: Site, element: str, found: str, needed: str) -> NearMiss:
    statement = site.statement
    return NearMiss(site.document, statement.index, statement.sid, element, found, needed)


def exceptions_not_met(site: Site) -> tuple[NearMiss, ...]:
    """Return the parts of a statement that denies, any of which would spare the call.

    Args:
        site: The statement and the call that it denies.
    """
    found: list[NearMiss] = []
    renewed = version.renewed(site)
    if renewed is not None and unmet(renewed):
        found.append(_miss(site, "Version", version.found(site), version.VARIABLES_SINCE))
    for element, wanted in _asked(site).items():
        name = f"Not{element}"
        if name in site.raw:
            found.append(_miss(site, name, _texts(site.raw[name]), f"with {wanted} among them"))
    for condition in site.statement.conditions:
        needed = f"untrue of {unsatisfiable.of_the_call(site, condition)}"
        found.append(_miss(site, element_of(condition), condition_text(condition), needed))
    return tuple(found)


def near_grants(grants: Iterable[Grant], situation: Situation) -> tuple[NearMiss, ...]:
    """Return the elements by which grants to the caller fail the call.

    Args:
        grants: Those that were collected.
        situation: A call for the use of a key.
    """
    return tuple(near for grant in grants for near in _of_grant(grant, situation))[:_MOST]


def _of_grant(grant: Grant, situation: Situation) -> Iterator[NearMiss]:
    if named(grant.grantee, situation) is None or grant_applies(grant, situation) is not None:
        return
    document = f"grants[{grant.index}]"
    operation = situation.request.action.partition(":")[2]
    if grant.key_arn != situation.request.resource:
        key = situation.request.resource
        yield NearMiss(document, None, grant.name, "key_arn", grant.key_arn, key)
    if lower_ascii(operation) not in grant.operations:
        operations = shown(sorted(grant.operations))
        yield NearMiss(document, None, grant.name, "operations", operations, operation)
    asked = {"EncryptionContextEquals": grant.equals, "EncryptionContextSubset": grant.subset}
    sent = unsatisfiable.encryption_context(situation)
    for name, pairs in asked.items():
        if pairs is None:
            continue
        text = ", ".join(f"{key}={value}" for key, value in sorted(pairs)) or "nothing"
        yield NearMiss(
            document, None, grant.name, f"constraints.{name}", text,
            f"met by a call whose encryption context is {sent}",
        )  # fmt: skip
