"""Reads the policies after a denial and says whether waiting can cure it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ekm.cli import render
from ekm.errors import EkmError

if TYPE_CHECKING:
    from collections.abc import Callable

    import boto3

    from ekm.registrar.intent import Intent
    from ekm.registrar.steps import Explanation

__all__ = ["explainer"]


def explainer(session: boto3.Session) -> Callable[[Intent], Explanation | None]:
    """Return what `Runner` asks after AWS's first denial.

    Args:
        session: The customer's credentials, which may read role, policies and key.
    """

    def explain(intent: Intent) -> Explanation | None:
        from ekm.diagnosis import Outcome, judge  # noqa: PLC0415 - only after a denial
        from ekm.registrar.steps import Explanation  # noqa: PLC0415 - see above
        from ekm.snapshot.aws import collect  # noqa: PLC0415 - see above

        render.progress("OpenAI was denied; reading role, key and policies to see why.")
        try:
            diagnosis = judge(collect(intent, lambda _account: session))
        except EkmError as failure:
            render.progress(f"The policies could not be read: {failure.message}")
            return None
        if diagnosis.outcome is Outcome.OK:
            return Explanation(
                curable_by_waiting=True,
                message="what is saved there allows it, so IAM has not settled, or an "
                "organization's policy that is not seen from here refuses.",
            )
        deciding = "; ".join(
            f"{found.effect} in {found.document}, statement {found.statement}"
            + (f" ({found.sid})" if found.sid else "")
            for found in diagnosis.deciding
        )
        missing = "; ".join(diagnosis.missing)
        return Explanation(
            curable_by_waiting=diagnosis.curable_by_waiting,
            message=f"{diagnosis.outcome.value}: {diagnosis.message}",
            at_fault=deciding or missing or None,
            remedy="Correct the policy or the key that is named, then run again.",
        )

    return explain
