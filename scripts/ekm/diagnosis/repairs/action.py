"""Actions: the one that is asked for is not among them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ekm.diagnosis.repairs.repair import Repair, as_list, set_values, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ekm.diagnosis.repairs.repair import Site

__all__ = ["repairs"]

_SIBLINGS: Final = {
    "kms:encrypt": ("kms:decrypt",),
    "kms:decrypt": ("kms:encrypt",),
    "sts:assumerole": ("sts:tagsession", "sts:setsourceidentity"),
}
_ABOUT_SOMETHING_ELSE: Final = 4.0


def repairs(site: Site) -> Iterator[Repair]:
    """Yield the addition of the action, dear where the statement is about something else."""
    action, statement = site.situation.request.action, site.statement
    lower = site.situation.action
    texts = list(statement.actions.texts)
    if statement.not_action:
        raw = site.raw["NotAction"]
        kept = [text for text in as_list(raw) if text.lower() != lower]
        if len(kept) == len(texts) or not kept:
            return
        yield Repair(
            "action_excepted",
            "NotAction",
            shown(texts),
            shown(kept),
            f"NotAction leaves {action} out.",
            f"Remove {action} from NotAction.",
            (site.change("replace", "NotAction", value=kept),),
        )
        return
    siblings = _SIBLINGS.get(lower, ())
    related = any(statement.actions.cover(sibling) for sibling in siblings) or any(
        text.lower().startswith(lower) or lower.startswith(text.lower()) for text in texts
    )
    raw = site.raw["Action"]
    # OpenAI needs nothing else in the trust policy: what stands there instead goes.
    change = (
        site.change("replace", "Action", value=action)
        if site.assumes
        else set_values(site, ("Action",), raw, None, action)
    )
    yield Repair(
        "action_missing",
        "Action",
        shown(texts),
        action,
        f"The statement does not allow {action}.",
        f"Write {action} as its action." if site.assumes else f"Add {action} to its actions.",
        (change,),
        cost=1.0 if related or site.layer == "scps" else _ABOUT_SOMETHING_ELSE,
    )
