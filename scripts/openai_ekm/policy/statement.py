"""One statement of a policy as a value: who, what, on which resource, under which conditions.

Patterns are compiled once for each text and kept in bounded caches, so that a statement costs
little to build and nothing is compiled that no request asks for.

Sources:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING

from openai_ekm.policy.arn import SEGMENTS
from openai_ekm.policy.light import light
from openai_ekm.policy.malformed import MalformedPolicy, each_of
from openai_ekm.policy.pattern import ANY, Pattern, compile_pattern, pattern_of
from openai_ekm.policy.text_cache import cached_by_text
from openai_ekm.policy.variables import Template, parse_template

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai_ekm.policy.conditions import Condition
    from openai_ekm.policy.principal import Principal

__all__ = [
    "Actions",
    "ArnPattern",
    "Effect",
    "Resources",
    "Statement",
    "arn_pattern",
    "parse_action",
    "parse_actions",
    "parse_resource",
    "parse_resources",
    "split_arn_pattern",
]


class Effect(StrEnum):
    """The effect of a statement that applies."""

    ALLOW = "Allow"
    DENY = "Deny"


@dataclass(frozen=True, slots=True, eq=False)
class Actions:
    """The actions of a statement, sorted by how they are compared.

    Args:
        texts: As the policy spells them.
        patterns: Each in lower case: service and action are not case-sensitive.
        literals: Those without a wildcard.
        prefixes: What those with nothing but one star at the end begin with.
        others: The rest.
    """

    texts: tuple[str, ...]
    patterns: tuple[Pattern, ...]
    literals: frozenset[str]
    prefixes: tuple[str, ...]
    others: tuple[Pattern, ...]

    def cover(self, action: str) -> bool:
        """Return whether an action, in lower case, is among them."""
        if action in self.literals or action.startswith(self.prefixes):
            return True
        return any(each.matches(action) for each in self.others) if self.others else False


@dataclass(frozen=True, slots=True)
class ArnPattern:
    """The pattern with which a resource is compared.

    Args:
        text: As the policy spells it.
        everything: It is `*`.
        segments: The six patterns between the colons; empty when `everything`, or while there
            are variables to fill.
        template: The text with variables, or None when it has none.
        literal: Whether no segment has a wildcard: then the whole texts are compared.
        unsettled: Why AWS's documents do not say what it covers, or None: it names no resource,
            or has a variable before the fifth colon. AWS publishes policies with either.
    """

    text: str
    everything: bool
    segments: tuple[Pattern, ...]
    template: Template | None = None
    literal: bool = False
    unsettled: str | None = None

    @property
    def variables(self) -> tuple[str, ...]:
        """Return the condition keys that stand as variables in it, in lower case."""
        return () if self.template is None else self.template.keys

    def matches(self, segments: tuple[str, ...]) -> bool:
        """Return whether an ARN, cut into its six parts, fits segment by segment."""
        if len(segments) != len(self.segments):
            return False
        for pattern, segment in zip(self.segments, segments, strict=True):
            if pattern is not ANY and not pattern.matches(segment):
                return False
        return True


@dataclass(frozen=True, slots=True, eq=False)
class Resources:
    """The resources of a statement, sorted by how they are compared.

    Args:
        patterns: In the policy's order.
        everything: Whether `*` is among them.
        literals: The texts of those without a wildcard.
        others: Those with wildcards or variables, `*` apart.
    """

    patterns: tuple[ArnPattern, ...]
    everything: bool
    literals: frozenset[str]
    others: tuple[ArnPattern, ...]

    def __iter__(self) -> Iterator[ArnPattern]:
        return iter(self.patterns)

    def __len__(self) -> int:
        return len(self.patterns)


@light(frozen=True, slots=True)
class Statement:
    """One statement.

    Args:
        index: Its place in the document, from zero.
        sid: Its Sid; None when it has none or an empty one.
        effect: Allow or Deny.
        principals: Whom it names; None in documents that name nobody, or everyone (RCPs).
        not_principal: Whether `principals` are the exceptions (NotPrincipal).
        actions: What it is about.
        not_action: Whether `actions` are the exceptions (NotAction).
        resources: What it is about; None in a trust policy.
        not_resource: Whether `resources` are the exceptions (NotResource).
        conditions: All of which must hold.
    """

    index: int
    sid: str | None
    effect: Effect
    principals: tuple[Principal, ...] | None
    not_principal: bool
    actions: Actions
    not_action: bool
    resources: Resources | None
    not_resource: bool
    conditions: tuple[Condition, ...]


def parse_action(text: str) -> Pattern:
    """Read one action.

    Args:
        text: `service:Action`, wildcards allowed, or `*`.

    Returns:
        Its pattern in lower case: service and action are not case-sensitive.

    Raises:
        MalformedPolicy: No service before a colon, or characters that no action has.
    """
    if text == "*":
        return ANY
    if (parts := _SEPARATED.split(text)) and len(parts) > 1 and (said := _separate_actions(parts)):
        what = f"{text!r} holds white space or a comma"
        raise MalformedPolicy(f"{what}, {_CONFLICT} an action is saved", instead=said)
    service, colon, name = text.partition(":")
    if not (colon and service and name):
        raise MalformedPolicy(f"{text!r} is not an action (service:Action, or *)")
    plain = (service + name).replace("-", "").replace("*", "").replace("?", "").replace("_", "")
    if plain and not (plain.isascii() and plain.isalnum()):
        raise MalformedPolicy(f"{text!r} holds characters that no action has")
    return compile_pattern(text.lower())


_CONFLICT = "and AWS's pages do not agree whether such"
# Actions run together, and white space around them.
_SEPARATED = re.compile(r"[\s,]+", re.ASCII)
_ACTION = re.compile(r"\*|[a-z0-9-]+:[\w*?-]+", re.ASCII | re.IGNORECASE)


def _separate_actions(parts: list[str]) -> tuple[str, ...]:
    """Return the actions that a text with spaces or commas seems to mean; none for other texts."""
    actions = tuple(each for each in parts if each)
    return actions if all(_ACTION.fullmatch(each) for each in actions) else ()


def parse_actions(texts: tuple[str, ...]) -> Actions:
    """Read the actions of a statement.

    Args:
        texts: As the policy spells them.

    Returns:
        The actions.

    Raises:
        MalformedPolicy: One is not an action; its place is its index in brackets.
    """
    patterns = each_of(texts, parse_action)
    literals = frozenset(each.literal for each in patterns if each.literal is not None)
    prefixes = tuple(each.prefix for each in patterns if each.prefix is not None)
    others = tuple(each for each in patterns if each.literal is None and each.prefix is None)
    return Actions(texts, patterns, literals, prefixes, others)


def parse_resource(text: str, *, variables: bool) -> ArnPattern:
    """Read one resource.

    Args:
        text: An ARN, wildcards allowed, or `*`.
        variables: Whether `${…}` is a variable (Version 2012-10-17).

    Returns:
        What an ARN is compared with.

    Raises:
        MalformedPolicy: Not an ARN and not `*`, a wildcard for the service, or a variable before
            the third colon.
    """
    if text == "*":
        return ArnPattern(text, everything=True, segments=())
    template = parse_template(text) if variables else None
    parts = text.split(":", SEGMENTS - 1)
    if len(parts) != SEGMENTS or parts[0] != "arn":
        if whole := _lengthen(parts):
            what = f"{text!r} has fewer than six parts"
            raise MalformedPolicy(f"{what}, {_CONFLICT} an ARN is saved", instead=(whole,))
        raise MalformedPolicy(f"{text!r} is neither an ARN nor *")
    if not parts[1] or not parts[2]:
        raise MalformedPolicy(f"{text!r}: partition and service must not be empty")
    if "*" in parts[2] or "?" in parts[2]:
        raise MalformedPolicy(f"{text!r}: no wildcard may stand for the service")
    if template is None:
        return _compile(text, parts)
    if any("${" in part for part in parts[:3]):
        raise MalformedPolicy(f"{text!r}: no variable may stand for partition or service")
    early = any("${" in part for part in parts[3:5])
    unsettled = "a variable stands before the fifth colon" if early else None
    return ArnPattern(text, everything=False, segments=(), template=template, unsettled=unsettled)


_SERVICE = 2  # its place in an ARN


def _lengthen(parts: list[str]) -> str | None:
    """Return a short ARN that ends in a wildcard with all its six parts; None for other texts."""
    if parts[0] != "arn" or not _SERVICE < len(parts) < SEGMENTS or not parts[-1].endswith("*"):
        return None
    if not all(parts[1 : _SERVICE + 1]) or "*" in parts[_SERVICE] or "?" in parts[_SERVICE]:
        return None
    return ":".join((*parts, *["*"] * (SEGMENTS - len(parts))))


def parse_resources(texts: tuple[str, ...], *, variables: bool) -> Resources:
    """Read the resources of a statement.

    Args:
        texts: As the policy spells them.
        variables: Whether `${…}` is a variable (Version 2012-10-17).

    Returns:
        The resources.

    Raises:
        MalformedPolicy: One is not a resource; its place is its index in brackets.
    """
    patterns = each_of(texts, partial(parse_resource, variables=variables))
    return Resources(
        patterns,
        any(each.everything for each in patterns),
        frozenset(each.text for each in patterns if each.literal),
        tuple(each for each in patterns if not each.literal and not each.everything),
    )


def _compile(text: str, parts: list[str]) -> ArnPattern:
    segments = tuple(map(_segment, parts))
    literal = all(each.literal is not None for each in segments) and parts[-1] != ""
    return ArnPattern(
        text,
        everything=False,
        segments=segments,
        literal=literal,
        unsettled=None if parts[-1] else "it names no resource",
    )


def _segment(text: str) -> Pattern:
    return ANY if text == "*" else compile_pattern(text)


@cached_by_text(maxsize=8192)
def arn_pattern(text: str) -> ArnPattern | None:
    """Compile an ARN to compare with, as ARN operators of conditions do.

    Args:
        text: The value of a condition, without variables.

    Returns:
        The pattern, or None when the text does not have six parts.
    """
    parts = text.split(":", SEGMENTS - 1)
    return _compile(text, parts) if len(parts) == SEGMENTS else None


def split_arn_pattern(runs: tuple[tuple[str, bool], ...], text: str) -> ArnPattern | None:
    """Cut runs of text at the first five colons into the patterns of six segments.

    Args:
        runs: Pairs of text and whether its wildcards are wildcards.
        text: How the whole was spelt.

    Returns:
        The pattern, or None when there are fewer than six parts.
    """
    segments: list[list[tuple[str, bool]]] = [[]]
    for run, wild in runs:
        rest = run
        while len(segments) < SEGMENTS and ":" in rest:
            head, _, rest = rest.partition(":")
            segments[-1].append((head, wild))
            segments.append([])
        segments[-1].append((rest, wild))
    if len(segments) != SEGMENTS:
        return None
    patterns = tuple([_join(tuple(each)) for each in segments])
    return ArnPattern(text, everything=False, segments=patterns)


def _join(runs: tuple[tuple[str, bool], ...]) -> Pattern:
    """Return the pattern of a segment; the cache keeps one that is all the policy's own text."""
    (first, wild), *others = runs
    return compile_pattern(first) if wild and not others else pattern_of(runs)
