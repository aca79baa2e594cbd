"""Repair a statement that lacks the action of the request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from openai_ekm.diagnosis.repairs.repair import Repair, as_list, set_values, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai_ekm.diagnosis.repairs.repair import Site

__all__ = ["is_related", "repairs"]

_SIBLINGS: Final = {
    "kms:encrypt": ("kms:decrypt",),
    "kms:decrypt": ("kms:encrypt",),
    "sts:assumerole": ("sts:tagsession", "sts:setsourceidentity"),
}
_ABOUT_SOMETHING_ELSE: Final = 4.0


def is_related(site: Site) -> bool:
    """Return whether a statement is about the call's sibling, or has a name like the call's."""
    lower, actions = site.situation.action, site.statement.actions
    return any(actions.cover(sibling) for sibling in _SIBLINGS.get(lower, ())) or any(
        text.lower().startswith(lower) or lower.startswith(text.lower()) for text in actions.texts
    )


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
        cost=1.0 if is_related(site) or site.layer == "scps" else _ABOUT_SOMETHING_ELSE,
    )
