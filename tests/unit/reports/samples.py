"""Reports with a finding of each state, and with hostile text in every field from outside."""

from __future__ import annotations

from openai_ekm.reports import Finding, Place, Report, Rule, State

RULE = Rule(
    "R1/first", "first", "Short.", "Full.", "Help.", "https://example.com/r", "error", "9.0"
)
WARNING = Rule(
    "R2/second", "second", "Short two.", "Full.", "Help.", "https://example.com", "warning"
)
OPEN = Rule("R9/open", "open", "Open.", "Open.", "Help.", "https://example.com/o", "none")


def report(*findings: Finding, subject: str = "", notes: tuple[str, ...] = ()) -> Report:
    """A report of these findings."""
    return Report(
        tool="ekm prove",
        subject=subject,
        identity=f"{subject}key/role/id",
        findings=findings,
        rules=(RULE, WARNING),
        undecided=OPEN,
        file="infrastructure/main.tf",
        line=7,
        notes=notes,
    )


def finding(state: State, id: str = "c", text: str = "someone is allowed it") -> Finding:
    """A finding of this state."""
    holds = state is State.HOLDS
    return Finding(
        id=id,
        title="Nobody else uses the key",
        state=state,
        rule=WARNING if state is State.WARNS else RULE,
        message=None if holds else text,
        remedy=None if holds else "Remove the statement",
        reason="the owner proves it" if state in {State.ACCEPTED, State.REVIEWED} else None,
    )


def every_state() -> Report:
    """One finding of each state."""
    return report(*(finding(state, name) for state, name in zip(State, "abcdef", strict=True)))


def hostile(text: str) -> Report:
    """This text in each field that can come from outside."""
    spoilt = Finding(
        id="c",
        title="Nobody else uses the key",
        state=State.FAILS,
        rule=RULE,
        message=f"role {text} is allowed",
        remedy=f"remove {text}",
        details=(("principal", text), (text, "value"), ("by", f"Allow in x ({text})")),
        places=(Place(f"keys[0].policy.{text}", text, text),),
        unseen=(text,),
        properties={"counterexample": {"request": text}},
    )
    accepted = Finding(
        "d", "It works", State.ACCEPTED, RULE, message=text, remedy=text, reason=text
    )
    return Report(
        tool="ekm prove",
        subject=f'module.ekm["{text}"]',
        identity=text,
        findings=(spoilt, accepted),
        rules=(RULE, WARNING),
        undecided=OPEN,
        file=f"folder/{text}.tf",
        line=3,
        notes=(text,),
    )
