"""Compare statements with a request: action, resource, principal, conditions.

Sources:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition.html
"""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from openai_ekm.evaluation.conditions import holds, open_variable
from openai_ekm.evaluation.decision import OpenPoint, StatementRef
from openai_ekm.evaluation.principals import MatchCloseness, match_closeness, names_a_path
from openai_ekm.evaluation.services.kms import KEYLESS_ACTIONS
from openai_ekm.policy.light import light
from openai_ekm.policy.pattern import ANY
from openai_ekm.policy.statement import ArnPattern, Effect, Statement, split_arn_pattern

if TYPE_CHECKING:
    from collections.abc import Iterable

    from openai_ekm.evaluation.policies import NamedDocument
    from openai_ekm.evaluation.request import Situation

__all__ = [
    "NOTHING",
    "Covering",
    "Findings",
    "action_matches",
    "conditions_hold",
    "covering",
    "examine",
    "find_statements",
    "open_part",
    "ref_of",
    "resource_matches",
]

NO_ACTION = OpenPoint("NotAction is empty: AWS says that such a statement has no effect")


def action_matches(statement: Statement, action: str) -> bool | OpenPoint:
    """Return whether the action is among those of a statement.

    Args:
        statement: The statement.
        action: In lower case.
    """
    if statement.not_action and not statement.actions.texts:
        return NO_ACTION
    return statement.actions.cover(action) is not statement.not_action


def resource_matches(  # noqa: PLR0911 - one return for each case that AWS tells apart
    statement: Statement, situation: Situation
) -> bool | OpenPoint:
    """Return whether the resource is one of a statement's; a trust policy is about its role."""
    resources = statement.resources
    if resources is None:
        return True
    if resources.everything or situation.request.resource in resources.literals:
        return not statement.not_resource
    undecided: OpenPoint | None = None
    for pattern in resources.others:
        found = _resource(pattern, situation, excepted=statement.not_resource)
        if found is True:
            return not statement.not_resource
        if found is not False:
            undecided = found
    if not statement.not_resource:
        return False if undecided is None else undecided
    if not resources:
        return OpenPoint("NotResource is empty: AWS says that such a statement has no effect")
    if situation.resource is None:
        return OpenPoint("whether NotResource covers an action without a resource is not said")
    return True if undecided is None else undecided


def _resource(pattern: ArnPattern, situation: Situation, *, excepted: bool) -> bool | OpenPoint:
    segments = situation.resource
    if segments is None:
        return _everywhere(pattern, situation)
    if pattern.template is None:
        return _fits(pattern, pattern, segments)
    context = situation.context
    if point := open_variable(pattern.template, context):
        return point
    runs = pattern.template.fill(context.single)
    if runs is None and excepted:
        return OpenPoint(f"{pattern.text}: a variable has no value in this request")
    if wild := pattern.template.wild_default(context.get):
        return OpenPoint(f"{pattern.text}: whether {wild!r} in a default is a pattern is not said")
    filled = None if runs is None else split_arn_pattern(runs, pattern.text)
    return filled is not None and _fits(pattern, filled, segments)


def _fits(pattern: ArnPattern, filled: ArnPattern, segments: tuple[str, ...]) -> bool | OpenPoint:
    """Return whether a pattern fits, its variables filled; open where AWS does not say it."""
    if pattern.unsettled is None:
        return filled.matches(segments)
    *around, last = (
        each.matches(segment) for each, segment in zip(filled.segments, segments, strict=True)
    )
    names_none = pattern.text.endswith(":") and filled.segments[-1].literal == ""
    if not all(around) or not (last or names_none):
        return False
    return OpenPoint(f"AWS does not say what {pattern.text!r} covers: {pattern.unsettled}")


def _everywhere(pattern: ArnPattern, situation: Situation) -> bool | OpenPoint:
    """Return whether a pattern other than `*` covers an action that has no resource.

    For those of KMS `arn:partition:kms:Region:account:*` stands for `*`. The request does not say
    its Region, so one that names it is left open.

    Source: https://docs.aws.amazon.com/kms/latest/developerguide/kms-api-permissions-reference.html
    """
    whole = pattern.segments
    if situation.action not in KEYLESS_ACTIONS or not whole or whole[-1] is not ANY:
        return False
    caller = situation.caller
    _, partition, service, region, account, _ = whole
    mine = partition.matches(caller.partition) and account.matches(caller.account)
    if not (mine and service.matches(situation.service)):
        return False
    return (
        True
        if region is ANY
        else OpenPoint(
            f"whether {pattern.text} covers {situation.request.action}, which is asked for in no "
            "Region that the request says"
        )
    )


def open_part(
    statement: Statement, resource: bool | OpenPoint, conditions: bool | OpenPoint
) -> OpenPoint | None:
    """Return the first open point among the parts of a statement, its principal apart.

    Args:
        statement: One that covers the action.
        resource: Whether its resource matches.
        conditions: Whether its conditions hold.
    """
    action = statement.not_action and not statement.actions.texts
    for part in (NO_ACTION if action else None, resource, conditions):
        if isinstance(part, OpenPoint):
            return part
    return None


def conditions_hold(statement: Statement, situation: Situation) -> bool | OpenPoint:
    """Return whether all conditions hold; one that does not settles it, whatever is open."""
    undecided: OpenPoint | None = None
    for condition in statement.conditions:
        verdict = holds(condition, situation.context)
        if (
            not situation.path_known
            and condition.lookup == "aws:principalarn"
            and verdict is condition.operator.negated
            and names_a_path(condition, situation.caller)
        ):
            verdict = OpenPoint(
                f"whether the role of {situation.caller.text} has a path shows in "
                "aws:PrincipalArn, which the request does not have"
            )
        if verdict is False:
            return False
        if verdict is not True:
            undecided = verdict
    return True if undecided is None else undecided


# Statements that cover one action, each with what a decision calls it.
Covering = tuple[tuple[Statement, StatementRef], ...]


@light(frozen=True, slots=True)
class Findings:
    """The statements that apply, in the documents' order.

    Args:
        allows: Each with how closely it names the caller.
        denies: Those that deny.
        open_allows: Those that an open point keeps from allowing, each with how closely it would
            name the caller.
        open_denies: Those of which an open point leaves unsaid whether they deny.
    """

    allows: list[tuple[StatementRef, MatchCloseness]] = field(default_factory=list)
    denies: list[StatementRef] = field(default_factory=list)
    open_allows: list[tuple[StatementRef, OpenPoint, MatchCloseness]] = field(default_factory=list)
    open_denies: list[tuple[StatementRef, OpenPoint]] = field(default_factory=list)

    @property
    def allowing(self) -> tuple[StatementRef, ...]:
        """Return the statements that allow, at whatever level."""
        return tuple([ref for ref, _ in self.allows])

    @property
    def open_points(self) -> tuple[OpenPoint, ...]:
        """Return the open points that keep statements from allowing."""
        return tuple([point for _, point, _ in self.open_allows])

    def with_open_allows(self) -> Findings:
        """Return these findings with each open Allow as an Allow, and without the open Denies."""
        opened = [(ref, closeness) for ref, _, closeness in self.open_allows]
        return Findings([*self.allows, *opened], self.denies)


# Of a layer without a statement that applies; never changed.
NOTHING = Findings()


def ref_of(named: NamedDocument, statement: Statement) -> StatementRef:
    """Return the reference by which a decision names a statement."""
    return StatementRef(named.name, statement.index, statement.sid, statement.effect)


def covering(documents: Iterable[NamedDocument], action: str) -> Covering:
    """Return the statements of some documents that are about an action.

    Args:
        documents: The documents of one layer.
        action: In lower case.

    Returns:
        Those statements, in the documents' order. Most statements are about other actions: that
        is asked first, and cheaply.
    """
    return tuple(
        [
            (statement, ref_of(named, statement))
            for named in documents
            for statement in named.document.statements
            if statement.actions.cover(action) is not statement.not_action
        ]
    )


def examine(documents: Iterable[NamedDocument], situation: Situation) -> Findings:
    """Compare every statement of some documents with a request.

    Args:
        documents: The documents of one layer.
        situation: The request.

    Returns:
        What applies.
    """
    return find_statements(covering(documents, situation.action), situation)


def find_statements(statements: Covering, situation: Situation) -> Findings:
    """Compare statements that cover a request's action with the request.

    A statement applies when its resource, its principal and its conditions match. A document that
    names nobody is about its caller itself, and a trust policy about its role.

    Args:
        statements: Of one layer, in the documents' order.
        situation: The request.

    Returns:
        What applies, or would but for an open point.
    """
    findings = NOTHING
    for statement, ref in statements:
        resource = True if statement.resources is None else resource_matches(statement, situation)
        if resource is False:
            continue
        found = (
            MatchCloseness.ITSELF
            if statement.principals is None
            else match_closeness(statement, situation)
        )
        if found is None:
            continue
        holds = conditions_hold(statement, situation) if statement.conditions else True
        if holds is False:
            continue
        closeness = found
        if resource is not True or holds is not True or statement.not_action:
            found = open_part(statement, resource, holds) or found
        if findings is NOTHING:
            findings = Findings([], [], [], [])
        if isinstance(found, OpenPoint):
            if statement.effect is Effect.DENY:
                findings.open_denies.append((ref, found))
            else:
                # As closely as can be, when that is open too.
                closest = MatchCloseness.ITSELF if isinstance(closeness, OpenPoint) else closeness
                findings.open_allows.append((ref, found, closest))
        elif statement.effect is Effect.ALLOW:
            findings.allows.append((ref, found))
        else:
            findings.denies.append(ref)
    return findings
