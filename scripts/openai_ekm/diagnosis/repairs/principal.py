"""Repair the principal: mistyped, of another kind, or deleted.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from openai_ekm.diagnosis.repairs import external_id, ownership
from openai_ekm.diagnosis.repairs.repair import Repair, as_list, nearest, set_values, shown
from openai_ekm.evaluation.conditions import holds
from openai_ekm.openai import OPENAI_ACCOUNT, OPENAI_ROLE_ARN
from openai_ekm.policy.principal import PrincipalForm

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai_ekm.diagnosis.repairs.repair import Site
    from openai_ekm.diagnosis.result import Change
    from openai_ekm.policy.principal import Principal

__all__ = ["repairs"]

_STRANGER: Final = 1.6  # replacing a principal that is plainly another one's


def repairs(site: Site) -> Iterator[Repair]:
    """Yield ways to make a statement name the caller."""
    wanted = OPENAI_ROLE_ARN if site.assumes else site.caller_arn
    principals = site.statement.principals or ()
    raw = site.raw.get("Principal")
    if not principals or not isinstance(raw, dict):
        return
    near = nearest(wanted, [each.text for each in principals])
    near_one = principals[near]
    kind_of_fault, message = _difference(site, near_one, wanted)
    names = [str(each) for each in as_list(raw["AWS"])] if "AWS" in raw else []
    place = names.index(near_one.text) if near_one.text in names else None
    extra = 0.0
    if site.assumes and not ownership.is_for_openai(site, near_one):
        extra = ownership.ANOTHERS
    elif kind_of_fault in {"principal_service", "principal_federated", "principal_other"}:
        extra = _STRANGER - 1
    if "AWS" in raw:
        change = set_values(site, ("Principal", "AWS"), raw["AWS"], place, wanted)
    elif len(raw) == 1:
        change = site.change("replace", "Principal", value={"AWS": wanted})
    else:
        change = site.change("add", "Principal", "AWS", value=wanted)
    guard = _guard(site)
    yield Repair(
        kind_of_fault,
        "Principal",
        shown([each.text for each in principals]),
        wanted,
        message,
        f"Name {wanted} as Principal" + (", and ask for the external id." if guard else "."),
        (change, guard) if guard else (change,),
        cost=1 + extra,
    )


def _guard(site: Site) -> Change | None:
    """Return the condition on the external id, where no repair of a condition brings it."""
    conditions = site.statement.conditions
    if not site.assumes or any(each.lookup == "sts:externalid" for each in conditions):
        return None
    if any(holds(each, site.situation.context) is not True for each in conditions):
        return None
    block = {name: dict(keys) for name, keys in (site.raw.get("Condition") or {}).items()}
    registered = [site.snapshot.registration.external_id]
    block.setdefault("StringEquals", {})[external_id.KEY] = registered
    return site.change("add", "Condition", value=block)


def _difference(site: Site, principal: Principal, wanted: str) -> tuple[str, str]:  # noqa: PLR0911
    who = "OpenAI's role" if site.assumes else "the role"
    text = principal.text
    match principal.form:
        case PrincipalForm.UNIQUE_ID:
            return (
                "principal_deleted",
                (
                    f"{text} is the unique id that a deleted role or user left behind; a role made "
                    f"anew under the same name has another, so it does not name {wanted}."
                ),
            )
        case PrincipalForm.SESSION:
            return ("principal_session", f"{text} names one session; {who} is {wanted}.")
        case PrincipalForm.SERVICE:
            return "principal_service", f"{text} is an AWS service; {who} is {wanted}."
        case PrincipalForm.FEDERATED | PrincipalForm.FEDERATED_USER:
            return "principal_federated", f"{text} is an identity provider; {who} is {wanted}."
        case PrincipalForm.ACCOUNT:
            return (
                "principal_account",
                f"{text} names an account that {who}, {wanted}, is not in.",
            )
    if principal.account not in (wanted.split(":")[4], OPENAI_ACCOUNT):
        if text.rpartition("/")[2] == wanted.rpartition("/")[2]:
            return (
                "principal_mistyped",
                f"{text} names a role of that name in another account; {who} is {wanted}.",
            )
        return "principal_other", f"{text} is somebody else; {who} is {wanted}."
    if text.rpartition("/")[2] == wanted.rpartition("/")[2]:
        return "role_path_left_out", f"{text} has another path than {who}, {wanted}."
    return "principal_mistyped", f"{text} is not {who}, which is {wanted}."
