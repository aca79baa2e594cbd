"""Resources: an alias, another key, Region or account.

Source: docs.aws.amazon.com/kms/latest/developerguide/alias-authorization.html (for Encrypt and
Decrypt the resource is the key, whatever the caller named).
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from ekm.diagnosis.repairs.repair import Repair, as_list, nearest, set_values, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ekm.diagnosis.repairs.repair import Site

__all__ = ["repairs"]


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
            (
                site.change("remove", "NotResource"),
                site.change("add", "Resource", value=wanted),
            ),
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
    yield Repair(
        kind_of_fault,
        "Resource",
        shown(texts),
        put,
        message,
        f"Write {put} as Resource"
        + (", which in a key policy means this key." if put == "*" else ": the key's own ARN."),
        (set_values(site, ("Resource",), raw, index, put),),
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
