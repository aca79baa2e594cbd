"""Repair the resource: an alias, or another key, Region or account.

Source: https://docs.aws.amazon.com/kms/latest/developerguide/alias-authorization.html
(for Encrypt and Decrypt the resource is the key, whatever the caller named).
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from openai_ekm.diagnosis.repairs.repair import Repair, as_list, nearest, set_values, shown
from openai_ekm.diagnosis.result import Change
from openai_ekm.openai_calls.requests import names_key
from openai_ekm.snapshot import UNSEEN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai_ekm.diagnosis.repairs.repair import Site
    from openai_ekm.snapshot import Snapshot

__all__ = ["repairs"]

_OR_BACK: Final = (
    "; or, if the registered alias was moved, move it back to {old}: what was encrypted under that "
    "key can be read under no other."
)


def repairs(site: Site) -> Iterator[Repair]:
    """Yield ways to make a statement cover the key."""
    wanted = site.situation.request.resource
    if site.statement.not_resource:
        yield Repair(
            "resource_excepted",
            "NotResource",
            shown(as_list(site.raw["NotResource"])),
            wanted,
            f"NotResource leaves {wanted} out.",
            f"Name the key under Resource instead: {wanted}.",
            (site.change("remove", "NotResource"), site.change("add", "Resource", value=wanted)),
        )
        return
    raw = site.raw["Resource"]
    texts = [str(each) for each in as_list(raw)]
    put = "*" if site.layer in {"resource", "rcps"} else wanted
    kms = [text for text in texts if text.split(":")[2:3] == ["kms"]]
    index = texts.index(kms[nearest(wanted, kms)]) if kms else None
    if index is None and len(texts) == 1:
        index = 0
    kind_of_fault, message = _difference(texts[index] if index is not None else "", wanted)
    old = texts[index] if index is not None else ""
    moved = kind_of_fault == "resource_wrong_key" and _alias(site.snapshot) is not None
    if moved:
        yield from _move_back(site, old)
    yield Repair(
        kind_of_fault,
        "Resource",
        shown(texts),
        put,
        message,
        f"Write {put} as Resource"
        + (", which in a key policy means this key" if put == "*" else ": the key's own ARN")
        + (_OR_BACK.format(old=old) if moved else "."),
        (set_values(site, ("Resource",), raw, index, put),),
    )


def _alias(snapshot: Snapshot) -> int | None:
    """Return the index of the registered alias among those that were collected."""
    if snapshot.aliases is UNSEEN:
        return None
    registered = snapshot.registration.kms_arn
    return next((n for n, each in enumerate(snapshot.aliases) if each.arn == registered), None)


def _move_back(site: Site, old: str) -> Iterator[Repair]:
    """Yield the alias pointed at the key that the role's policy names."""
    index = _alias(site.snapshot)
    is_key = names_key(old) and ":key/" in old
    if index is None or site.snapshot.aliases is UNSEEN or not is_key:
        return
    alias, new = site.snapshot.registration.kms_arn, site.resource
    yield Repair(
        "alias_moved",
        "target",
        new,
        old,
        f"The registered alias points to {new}, and the role's policy names {old}: either the "
        "alias was moved, or the policy is of another key.",
        f"Move the alias back, if anything was encrypted while it pointed to {old}: aws kms "
        f"update-alias --alias-name {alias.rpartition(':')[2]} --target-key-id {old}; what was "
        "encrypted under that key can be read under no other. Otherwise write "
        f"{new} as Resource of the role's policy: then the role can no longer use {old}.",
        (Change("replace", ("aliases", index, "target"), old),),
        cost=0.9,
        document=f"aliases[{index}]",
    )


def _difference(found: str, wanted: str) -> tuple[str, str]:
    ours, theirs = wanted.split(":"), found.split(":", 5)
    if ":alias/" in found or found.startswith("alias/"):
        return (
            "resource_alias",
            (
                f"{found} is an alias: for Encrypt and Decrypt the resource is always the key, "
                f"{wanted}, so an alias never matches."
            ),
        )
    if len(theirs) != len(ours) or theirs[2] != "kms":
        return "resource_wrong", f"The statement is about {found or 'other resources'}."
    if not fnmatchcase(ours[4], theirs[4]):
        return "resource_wrong_account", f"{found} is of another account than the key, {wanted}."
    if not fnmatchcase(ours[3], theirs[3]):
        return "resource_wrong_region", f"{found} is of another Region than the key, {wanted}."
    return "resource_wrong_key", f"{found} is another key than {wanted}."
