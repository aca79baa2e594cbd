"""Reads the policies after a denial and says whether waiting can cure it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ekm.cli import render
from ekm.errors import EkmError

if TYPE_CHECKING:
    from collections.abc import Callable

    import boto3

    from ekm.diagnosis import Fault
    from ekm.registrar.intent import Intent
    from ekm.registrar.steps import Explanation

__all__ = ["explainer", "place_of"]


def explainer(session: boto3.Session) -> Callable[[Intent], Explanation | None]:
    """Return what `Runner` asks after AWS's first denial.

    Args:
        session: The customer's credentials, which may read role, policies and key.
    """

    def explain(intent: Intent) -> Explanation | None:
        from dataclasses import replace  # noqa: PLC0415 - only after a denial
        from datetime import UTC, datetime  # noqa: PLC0415 - see above

        from ekm.diagnosis import Outcome, diagnose  # noqa: PLC0415 - see above
        from ekm.registrar.aws import client  # noqa: PLC0415 - see above
        from ekm.registrar.steps import Explanation  # noqa: PLC0415 - see above
        from ekm.snapshot.aws import collect  # noqa: PLC0415 - see above

        render.progress("OpenAI was denied; reading role, key and policies to see why.")
        try:
            snapshot = collect(
                intent,
                lambda _account: session,
                lambda: client(session, "organizations", "us-east-1"),
            )
        except EkmError as failure:
            render.progress(f"The policies could not be read: {failure.message}")
            return None
        # OpenAI asked just now: what is allowed from tomorrow on does not help.
        time = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        found = diagnose(replace(snapshot, calls=replace(snapshot.calls, time=time)))
        if found.outcome is Outcome.OK:
            return Explanation(
                curable_by_waiting=True,
                message="what is saved there allows it, so IAM has not settled, or an "
                "organization's policy that is not seen from here refuses.",
            )
        fault = found.faults[0]
        return Explanation(
            curable_by_waiting=found.curable_by_waiting,
            message=f"{found.outcome.value}: {fault.message}",
            at_fault=place_of(fault),
            remedy=f"{fault.remedy} Then run again; `ekm diagnose` shows the fix.",
        )

    return explain


def place_of(fault: Fault) -> str:
    """Where a fault is: document, statement, element."""
    place = fault.document
    if fault.statement is not None:
        place += f", statement {fault.statement}" + (f" ({fault.sid})" if fault.sid else "")
    return f"{place}, {fault.element}" if fault.element else place
