"""Which rules see the event of each case, and which events are to be forwarded."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final

from localstack.services.events.event_rule_engine import EventPatternCompiler, EventRuleEngine

from tests.support.cloudtrail_events import OPENAI_CALLER, OPENAI_SESSION
from tests.support.watched.case import named
from tests.support.watched.variants import CASES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.support.watched.case import Case

__all__ = ["FORWARDED_UNSEEN", "is_to_be_forwarded", "rules_that_see"]

# Sources of events that arrive in us-east-1 though the key is elsewhere: those of IAM always, and
# the others for what of a trail and of the monitoring is there. Of OpenAI's session, any source.
THERE: Final = frozenset(
    {"aws.iam", "aws.sts", "aws.cloudtrail", "aws.events", "aws.monitoring", "aws.sqs"}
)
# No watch sees these, and they are forwarded all the same: OpenAI's own AssumeRole differs from
# others' by the caller's account, which does not count where the call is refused. One pattern for
# both is simpler, and a million events cost a dollar.
FORWARDED_UNSEEN: Final = frozenset({f"{named(OPENAI_CALLER)} assumes the role"})


def _alone(member: str, pattern: dict[str, Any]) -> dict[str, Any]:
    """What a pattern says of one member; a pattern that says nothing sees all."""
    return {name: value for name, value in pattern.items() if name == member}


def rules_that_see(patterns: Mapping[str, str]) -> dict[str, frozenset[str]]:
    """Every rule that sees an event, by the name of the case.

    Args:
        patterns: As JSON, by rule.
    """
    engine = EventRuleEngine()
    compiler = EventPatternCompiler()  # type: ignore[no-untyped-call]
    compiled = {name: compiler.compile_event_pattern(text) for name, text in patterns.items()}

    @functools.cache
    def rules_of(source: str) -> tuple[str, ...]:
        """Those that see some event of this source: to try them all takes four times as long."""
        return tuple(
            name
            for name, pattern in compiled.items()
            if engine.evaluate_pattern_on_event(_alone("source", pattern), {"source": source})
        )

    return {
        case.name: frozenset(
            name
            for name in rules_of(case.event["source"])
            if engine.evaluate_pattern_on_event(compiled[name], case.event)
        )
        for case in CASES
    }


def is_to_be_forwarded(case: Case) -> bool:
    """Whether a rule in us-east-1 must forward an event: one rule, or else none.

    At least what some watch is to see and arrives there; at most that, and `FORWARDED_UNSEEN`.
    """
    of_session = case.event["detail"].get("userIdentity") == OPENAI_SESSION
    arrives = case.event["source"] in THERE or of_session
    return (bool(case.watches) and arrives) or case.name in FORWARDED_UNSEEN
