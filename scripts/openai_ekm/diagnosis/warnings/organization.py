"""The warning that a judgement rests on an organization that was not collected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openai_ekm.diagnosis.judge import with_assumptions
from openai_ekm.diagnosis.result import Warned
from openai_ekm.openai_calls.assumed_organization import ORGANIZATION
from openai_ekm.snapshot import Customer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai_ekm.snapshot import Snapshot

__all__ = ["warnings"]


def warnings(
    snapshot: Snapshot, repaired: Snapshot, *, session_name: str | None
) -> Iterator[Warned]:
    """Say that the role's use of the key is only known to pass in one organization.

    Args:
        snapshot: What was collected.
        repaired: The same with every fix applied.
        session_name: Name of OpenAI's session in the customer's role, where it is known.
    """
    for each in (snapshot, repaired):
        there = with_assumptions(each, session_name=session_name)
        if there is each or not isinstance(there.customer, Customer):
            continue
        named = there.customer.organization
        yield Warned(
            "organization_unknown",
            "customer",
            None,
            None,
            "organization",
            "not collected",
            str(named),
            "A policy asks for the organization, and yours was not collected: the use of the key "
            f"by your own role is unknown. It is taken to pass, as it does if you are {named}, "
            "which the policy names; in another organization it is refused.",
            "Collect a snapshot with credentials that may call organizations:DescribeOrganization, "
            f"or add {ORGANIZATION} to it.",
        )
        return
