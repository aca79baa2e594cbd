"""Reads the policies after a denial and says whether waiting can cure it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from openai_ekm.aws_session import client
from openai_ekm.cli import render
from openai_ekm.errors import EkmError
from openai_ekm.registration.protocol import Explanation

if TYPE_CHECKING:
    from collections.abc import Callable

    import boto3

    from openai_ekm.registration.intent import Intent

__all__ = ["make_denial_explainer"]


def make_denial_explainer(session: boto3.Session) -> Callable[[Intent], Explanation | None]:
    """Return what `Runner` asks after AWS's first denial.

    Args:
        session: The customer's credentials, which may read role, policies and key.
    """

    def explain(intent: Intent) -> Explanation | None:

        from openai_ekm.diagnosis import diagnose  # noqa: PLC0415 - see above
        from openai_ekm.snapshot.aws import collect  # noqa: PLC0415 - see above

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
        if found.allows:
            return Explanation(
                curable_by_waiting=True,
                message="what is saved there allows it, so IAM has not settled, or an "
                "organization's policy that is not seen from here refuses.",
            )
        fault = found.faults[0]
        return Explanation(
            curable_by_waiting=found.curable_by_waiting,
            message=f"{found.outcome.value}: {fault.message}",
            at_fault=fault.location,
            remedy=f"{fault.remedy} Then run again; `ekm diagnose` shows the fix.",
        )

    return explain
