"""Events that differ from a watched one in one text, which only begins or ends like its own."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Final

from tests.support.cloudtrail_events import OPENAI_SESSION
from tests.support.watched.case import Case, case

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["near_misses"]

SESSION_WATCH: Final = "role-used-otherwise"
# Watches take each call whose name begins so.
BEGINNINGS: Final = ("AssumeRole", "GenerateDataKey")
# Parameters that do not count as whole texts: IAM does not tell names apart by case, and each rule,
# alarm, subscription and queue of the monitoring counts.
ANY_CASE: Final = frozenset({"roleName", "roleArn"})
BY_BEGINNING: Final = frozenset({"name", "rule", "alarmName", "alarmNames", "subscriptionArn"})
BY_END: Final = frozenset({"queueUrl"})

Step = str | int
Text = tuple[tuple[Step, ...], str]


def near_misses(hits: Iterable[Case]) -> Iterator[Case]:
    """Each text that a watch looks at, changed in an event that no other watch sees."""
    done: set[tuple[str, ...]] = set()
    for hit in hits:
        if len(hit.watches) != 1:
            continue
        [watch] = hit.watches
        of_session = hit.event["detail"].get("userIdentity") == OPENAI_SESSION
        for path, text in _texts(hit.event, watch):
            member = next(step for step in reversed(path) if isinstance(step, str))
            for changed in _changes(member, text, of_session):
                if changed == text or (watch, member, changed) in done:
                    continue
                done.add((watch, member, changed))
                event = _with(hit.event, path, changed)
                sees = of_session and member in {"eventName", "ARN"}
                yield case(
                    f"{hit.name}, but {'.'.join(map(str, path))} is {changed!r}",
                    event,
                    *([SESSION_WATCH] if sees else []),
                )
        if (
            hit.event["source"] != "aws.cloudtrail"
            and (watch, "nothing") not in done
            and not of_session
        ):
            done.add((watch, "nothing"))
            nothing = {"requestParameters": None, "resources": None, "errorMessage": None}
            event = hit.event | {"resources": [], "detail": hit.event["detail"] | nothing}
            yield case(f"{hit.name}, but its record does not say about what", event)


def _texts(event: dict[str, Any], watch: str) -> Iterator[Text]:
    """The texts that a watch looks at; what OpenAI's session does is seen whatever it is."""
    yield ("source",), event["source"]
    yield ("detail-type",), event["detail-type"]
    if watch != SESSION_WATCH:
        if "eventName" in event["detail"]:
            yield ("detail", "eventName"), event["detail"]["eventName"]
        yield from _subject(event)


def _subject(event: dict[str, Any]) -> tuple[Text, ...]:
    """What the event is about, if one text alone says so."""
    detail = event["detail"]
    found: list[Text] = []
    if event["resources"]:
        found.append((("resources", 0), event["resources"][0]))
    for number, each in enumerate(detail.get("resources") or ()):
        found.append((("detail", "resources", number, "ARN"), each["ARN"]))
    for member, value in (detail.get("requestParameters") or {}).items():
        place: tuple[Step, ...] = ("detail", "requestParameters", member)
        texts = enumerate(value) if isinstance(value, list) else [(None, value)]
        found += [((*place, *([] if at is None else [at])), text) for at, text in texts]
    any_trail = event["source"] == "aws.cloudtrail"
    return tuple(found) if len(found) == 1 and not any_trail else ()


def _changes(member: str, text: str, of_session: bool) -> Iterator[str]:
    """The text with something before it, behind it, and in another case, where that counts."""
    begins = member == "eventName" and text.startswith(BEGINNINGS)
    every_source = member == "source" and of_session
    if member not in BY_END:
        yield f"x{text}"
    if not (begins or every_source or member in BY_BEGINNING):
        yield f"{text}x"
    if member not in ANY_CASE:
        yield text.swapcase()


def _with(event: dict[str, Any], path: tuple[Step, ...], text: str) -> dict[str, Any]:
    """The event with another text at one place."""
    changed = copy.deepcopy(event)
    at: Any = changed
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = text
    return changed
