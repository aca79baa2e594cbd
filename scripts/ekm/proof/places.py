"""The classes of resources that the role may reach for.

Other keys, aliases and roles of its account, and whatever other services have: their ARNs are cut
by every Resource of every document, and by what documents say of account and Region. Resources of
other accounts name nobody here, so that they let nobody in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ekm.evaluation.request import derive
from ekm.policy import Family, parse_arn
from ekm.proof.askers import NAME, PATH
from ekm.proof.keys import OF_RESOURCE
from ekm.proof.scene import Place
from ekm.proof.shapes import Chars, Shape, arn_shape, chars, literal, many, one
from ekm.proof.texts import class_texts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ekm.policy import Condition
    from ekm.proof.askers import Asker
    from ekm.proof.setting import Setting
    from ekm.proof.shapes import Run

__all__ = ["NOWHERE", "aliases", "keys", "others", "roles"]

WORD = chars("abcdefghijklmnopqrstuvwxyz0123456789-")
PRINTABLE = Chars(frozenset(map(chr, range(0x21, 0x7F))) - frozenset("*?"))
KEY_ID = chars("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-")
ALIAS = chars("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-/_")
NOWHERE = Place("*", None)


def keys(setting: Setting, asker: Asker) -> list[Place]:
    """Other keys of the role's account, and those elsewhere that grants are on."""
    own = setting.materials.key.arn if setting.materials.key else ""
    granted = [each.key_arn for each in setting.materials.grants if each.key_arn != own]
    found = _arns(setting, asker, "key/", KEY_ID, [literal(each) for each in (own, *granted)])
    met = {each.resource for each in found} | {own}
    for text in granted:
        arn = parse_arn(text)
        if text not in met and arn is not None:
            found.append(Place(text, arn.account))
    return [each for each in found if each.resource != own]


def aliases(setting: Setting, asker: Asker) -> list[Place]:
    """Aliases of the role's account."""
    return _arns(setting, asker, "alias/", ALIAS)


def _arns(
    setting: Setting, asker: Asker, kind: str, name: Chars, apart: Sequence[Shape] = ()
) -> list[Place]:
    partition, account = setting.materials.partition, asker.account
    start = [*one(f"arn:{partition}:kms:"), *one(WORD), *many(WORD)]
    within = Shape((*start, *one(f":{account}:{kind}"), *one(name), *many(name)))
    return [
        Place(each, account)
        for each in class_texts([within], [*_patterns(setting, asker, account), *apart])
    ]


def roles(setting: Setting, asker: Asker) -> list[Place]:
    """Other roles of the role's account."""
    partition, account = setting.materials.partition, asker.account
    start = one(f"arn:{partition}:iam::{account}:role/")
    within = Shape((*start, *many(PATH), *one(NAME)))
    apart = literal(asker.role_arn)
    return [
        Place(each, account)
        for each in class_texts([within], [*_patterns(setting, asker, account), apart])
        if each != asker.role_arn
    ]


def others(setting: Setting, asker: Asker) -> list[Place]:
    """What other services have in the role's account, whether its ARN says the account or not."""
    partition, account = setting.materials.partition, asker.account
    start = [*one(f"arn:{partition}:"), *one(WORD), *many(WORD), *one(":"), *many(WORD), *one(":")]
    end = [*one(":"), *one(PRINTABLE), *many(PRINTABLE)]
    within = [Shape((*start, *one(account), *end)), Shape((*start, *end))]
    found = class_texts(within, _patterns(setting, asker, account))
    return [NOWHERE, *(Place(each, account) for each in found if parse_arn(each) is not None)]


def _patterns(setting: Setting, asker: Asker, account: str) -> list[Shape]:
    """What tells ARNs apart: Resource elements, and conditions on account and Region."""
    told = dict(derive(asker.principal, asker.role_arn, "kms", account, ""))
    told |= {key: value for key, value in asker.fixed.items() if isinstance(value, str)}
    found: list[Shape | None] = []
    for statement in setting.materials.statements:
        for pattern in statement.resources or ():
            if pattern.everything:
                continue
            runs: tuple[Run, ...] = ((pattern.text, True),)
            if pattern.template is not None:
                filled = pattern.template.fill(told.get)
                if filled is None:
                    continue
                runs = filled
            found.append(arn_shape(runs))
        found += (
            shape
            for each in statement.conditions
            if each.lookup in OF_RESOURCE
            for shape in _of_condition(each)
        )
    return list(dict.fromkeys(shape for shape in found if shape is not None))


def _of_condition(condition: Condition) -> Sequence[Shape | None]:
    """A condition on a resource's account or Region, as one on the ARN that holds it."""
    if condition.operator.family is not Family.STRING:
        return ()
    wild = condition.operator.positive == "StringLike"
    before, after = ("arn:*:*:*:", ":*") if "account" in condition.lookup else ("arn:*:*:", ":*:*")
    return [
        arn_shape([(before, True), (value, wild), (after, True)])
        for value in condition.values
        if ":" not in value
    ]
