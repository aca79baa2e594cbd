"""The possible calls of OpenAI: the known values, and each class of the unknown ones.

The time, the address and the name of a session are not known beforehand. A condition on one of
them changes its answer at the values that it names alone, so that one value of each class stands
for all. A call passes only when it passes with every one.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Final

from openai_ekm.evaluation.conditions.date import is_before
from openai_ekm.evaluation.request import Context
from openai_ekm.policy import PrincipalForm
from openai_ekm.policy.letters import lower_ascii
from openai_ekm.value_classes import KeyUse, Undecidable, make_domain
from openai_ekm.value_classes.domains import dates, verdicts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from openai_ekm.policy import Condition, Statement
    from openai_ekm.snapshot import Calls

__all__ = [
    "ADDRESS",
    "ORGANIZATION",
    "TIMES",
    "USER_ID",
    "Carried",
    "instant_as",
    "keys_asked",
    "possible_contexts",
]

Carried = dict[str, str | Sequence[str]]

TIMES: Final = ("aws:CurrentTime", "aws:EpochTime", "aws:TokenIssueTime")
ADDRESS: Final = "aws:SourceIp"
USER_ID: Final = "aws:userid"
ORGANIZATION: Final = "aws:PrincipalOrgID"
_STRANGE_ORGANIZATION: Final = "o-notpublic00"
# OpenAI's account is in no organization, or in one that no customer names.
ORGANIZATIONS: Final[Sequence[Carried]] = (
    {},
    {
        ORGANIZATION: _STRANGE_ORGANIZATION,
        "aws:PrincipalOrgPaths": (f"{_STRANGE_ORGANIZATION}/r-a1b2/ou-a1b2-c3d4e5f6/",),
    },
)
MOST: Final = 20_000


def possible_contexts(
    known: Carried,
    unknown: Mapping[str, str],
    statements: Iterable[Statement],
    calls: Calls,
    now: str,
) -> Iterator[Carried]:
    """Yield every context that documents may tell apart.

    Args:
        known: What is known of the call.
        unknown: What every such call carries with a value that nothing says, each with a value
            that stands for it where no document compares it with anything. The organization is
            among them when it is the call's own caller that is not known.
        statements: That are about the call.
        calls: What is assumed of OpenAI's calls.
        now: From when on a call may be made (ISO 8601).

    Raises:
        Undecidable: There are too many.
    """
    asked, variables, gone = keys_asked(statements)
    choices = [
        _choices(key, usual, asked, variables, gone, known) for key, usual in unknown.items()
    ]
    if calls.time is None:
        choices.append(_instants(asked, variables, known, now))
    if prod(map(len, choices)) > MOST:
        raise Undecidable(f"documents tell more than {MOST} forms of one call apart")
    for chosen in product(*choices):
        context = dict(known)
        for each in chosen:
            context |= each
        yield context


def _choices(  # noqa: PLR0917 - what `keys_asked` found, in its order
    key: str,
    usual: str,
    asked: Mapping[str, list[Condition]],
    variables: set[str],
    gone: set[str],
    known: Carried,
) -> Sequence[Carried]:
    """Return what a key may hold whose value nobody knows."""
    lookup = lower_ascii(key)
    if key == ORGANIZATION:
        in_doubt = any(lower_ascii(each) in asked for each in ORGANIZATIONS[1])
        return ORGANIZATIONS if in_doubt else ({},)
    if lookup in asked:
        values = _values(key, asked[lookup], known)
        if key == USER_ID:
            # A principal that a policy names by its unique id was deleted.
            values = [each for each in values if each.partition(":")[0] not in gone]
        return [{key: value} for value in values or [usual]]
    return ({key: usual},) if key != ADDRESS or lookup in variables else ({},)


def keys_asked(
    statements: Iterable[Statement],
) -> tuple[dict[str, list[Condition]], set[str], set[str]]:
    """Return conditions by key, the keys that stand as variables, and principals' unique ids."""
    conditions: dict[str, list[Condition]] = {}
    variables: set[str] = set()
    gone: set[str] = set()
    for statement in statements:
        for condition in statement.conditions:
            conditions.setdefault(condition.lookup, []).append(condition)
            variables.update(condition.variables)
        for pattern in statement.resources or ():
            variables.update(pattern.variables)
        gone |= {
            each.text for each in statement.principals or () if each.form is PrincipalForm.UNIQUE_ID
        }
    return conditions, variables, gone


def _values(key: str, conditions: list[Condition], known: Carried) -> list[str]:
    """Return one value of each class of a key that is never missing."""
    fills = [
        (condition, runs)
        for condition in conditions
        for template in condition.templates
        if template is not None and (runs := template.fill(partial(_single, known))) is not None
    ]
    found = make_domain(KeyUse(key, conditions, [], fills)).values
    return [each for each in found if isinstance(each, str) and each]


def _single(known: Carried, lookup: str) -> str | None:
    found = next((value for key, value in known.items() if lower_ascii(key) == lookup), None)
    return found if isinstance(found, str) else None


def _instants(
    asked: Mapping[str, list[Condition]], variables: set[str], known: Carried, now: str
) -> Sequence[Carried]:
    """Return any instant from now on, the same one in every key of time."""
    keys = [key for key in TIMES if lower_ascii(key) in asked or lower_ascii(key) in variables]
    if not keys:
        return ({},)
    conditions = [each for key in keys for each in asked.get(lower_ascii(key), ())]
    given = {lower_ascii(key): _given_values(value) for key, value in known.items()}
    kept: dict[object, Carried] = {}
    for text in dates([*(value for each in conditions for value in each.values), now]):
        if is_before(text, now):
            continue
        instant: Carried = {key: instant_as(key, text) or text for key in keys}
        context = Context(
            given | {lower_ascii(key): str(value) for key, value in instant.items()}, {}
        )
        kept.setdefault(verdicts(conditions, context), instant)
    return tuple(kept.values())


def _given_values(value: str | Sequence[str]) -> str | tuple[str, ...]:
    return value if isinstance(value, str) else tuple(value)


def instant_as(key: str, text: str) -> str | None:
    """Return an instant as a key of time holds it: `aws:EpochTime` is in seconds.

    Args:
        key: One of the keys of time.
        text: The instant, as a policy may write it.

    Returns:
        The text, or None where it is no instant and the key takes none but seconds.
    """
    if key != "aws:EpochTime":
        return text
    found = dates([text], plain=True)
    return found[1] if len(found) > 1 else None
