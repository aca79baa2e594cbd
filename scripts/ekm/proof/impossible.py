"""Claims that something is impossible: (a), (c), (f), and the greater part of (b)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ekm.evaluation.grants import OPERATIONS
from ekm.proof import places
from ekm.proof.actions import DELETING, USING, Action, classes_of, future, known, of_other_services
from ekm.proof.administrators import is_administrator
from ekm.proof.boxes import EVERYTHING, Box
from ekm.proof.constants import delegating_key, delegating_role
from ekm.proof.result import Reported
from ekm.proof.scene import Place, Scene, set_scene
from ekm.proof.search import Search, example, look

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ekm.evaluation.policies import PreparedPolicies
    from ekm.proof.askers import Asker
    from ekm.proof.setting import Setting

__all__ = [
    "ENCRYPT_DECRYPT",
    "assuming",
    "deleting",
    "doing_else",
    "every_scene",
    "reports",
    "using",
]

ASSUME_ROLE = "sts:assumerole"
PUT_KEY_POLICY = "kms:PutKeyPolicy"
SCHEDULE_KEY_DELETION = "kms:ScheduleKeyDeletion"
ENCRYPT_DECRYPT = frozenset({"kms:encrypt", "kms:decrypt"})
EXTERNAL_ID = "sts:externalid"


def assuming(setting: Setting) -> Search:
    """(a): anyone but OpenAI's role, another action, or an external id that is not registered."""
    scenes = list(_on_role(setting))
    setting.world.fill(scenes)
    return _all(setting, [(scene, _but_openai(setting, scene)) for scene in scenes])


def every_scene(setting: Setting) -> list[Scene]:
    """Everybody on the role, everybody on the key, and the role everywhere."""
    actions = [*_kms(setting), *future("kms", setting.patterns)]
    found = [*_on_role(setting), *_on_key(setting, actions)]
    for asker in setting.askers:
        if setting.is_role(asker):
            found += _anything_else(setting, asker)
    setting.world.fill(found)
    return found


def _on_role(setting: Setting) -> Iterator[Scene]:
    """Everybody who asks for a session of the role, in whatever way."""
    part = setting.materials.trust
    if setting.materials.role is None or part is None:
        return
    actions = [
        *classes_of(known()["sts"], setting.patterns, [frozenset({ASSUME_ROLE})]),
        *future("sts", setting.patterns),
    ]
    place = setting.role_place()
    for asker in setting.askers:
        seen = setting.is_role(asker)
        policies = setting.policies(asker, part.document, place.account or "", seen=seen)
        for scene in _scenes(setting, asker, actions, [place], policies):
            if scene.by_resource:
                yield scene


def _but_openai(setting: Setting, scene: Scene) -> Sequence[Box]:
    """The requests of a scene that claim (a) forbids."""
    if scene.asker.role_arn != setting.openai or scene.action.lookup != ASSUME_ROLE:
        return (EVERYTHING,)
    if not setting.world.has(EXTERNAL_ID):
        return (EVERYTHING,)
    domain = setting.world.domain(EXTERNAL_ID)
    unregistered = domain.all & ~domain.where(setting.registered)
    return ({EXTERNAL_ID: unregistered},)


def doing_else(setting: Setting) -> Search:
    """(b): a session of the role that does anything but Encrypt and Decrypt on the key."""
    scenes: list[tuple[Scene, Sequence[Box]]] = []
    for asker in setting.askers:
        if setting.is_role(asker):
            scenes += ((scene, (EVERYTHING,)) for scene in _anything_else(setting, asker))
    setting.world.fill(scene for scene, _ in scenes)
    return _all(setting, scenes)


def _anything_else(setting: Setting, asker: Asker) -> Iterator[Scene]:
    """Every other action on the key, and every action everywhere else."""
    kms = [*_kms(setting), *future("kms", setting.patterns)]
    sts = [*classes_of(known()["sts"], setting.patterns), *future("sts", setting.patterns)]
    elsewhere = of_other_services(setting.patterns)
    materials = setting.materials
    if materials.key is not None:
        policies = setting.key_policies(asker)
        for action in kms:
            if action.lookup not in ENCRYPT_DECRYPT:
                yield from _scenes(setting, asker, [action], [setting.key_place()], policies)
    account = asker.account
    none = setting.policies(asker, None, account, seen=True)
    role = delegating_role(materials.partition, account)
    other_roles = setting.policies(asker, role, account, seen=True)
    for place in places.keys(setting, asker):
        owner = place.account or ""
        key = delegating_key(materials.partition, owner)
        other_keys = setting.policies(asker, key, owner, seen=True)
        yield from _scenes(
            setting, asker, kms, [place], replace(other_keys, grants=materials.grants)
        )
    yield from _scenes(setting, asker, kms, [*places.aliases(setting, asker), places.NOWHERE], none)
    yield from _scenes(setting, asker, sts, places.roles(setting, asker), other_roles)
    if materials.trust is not None:
        own = setting.policies(asker, materials.trust.document, account, seen=True)
        yield from _scenes(setting, asker, sts, [setting.role_place()], own)
    everywhere = places.others(setting, asker)
    plain = [each for each in sts if each.exists]
    for scene in _scenes(setting, asker, [*plain, *elsewhere], everywhere, none):
        if not scene.by_resource:
            yield scene


def using(setting: Setting) -> Search:
    """(c): anybody else who uses the key or gets to use it, or changes its policy unasked."""
    scenes = [
        scene
        for scene in _on_material(setting, _classes(setting, USING))
        if not setting.is_role(scene.asker)
    ]
    scenes += (
        scene
        for scene in _on_material(setting, [Action(PUT_KEY_POLICY, (PUT_KEY_POLICY,))])
        if not _administers(setting, scene)
    )
    return _everything(setting, scenes)


def deleting(setting: Setting) -> Search:
    """(f): anybody outside the administrators who disables or deletes the key."""
    return _everything(
        setting,
        [
            scene
            for scene in _on_key(setting, _classes(setting, DELETING))
            if not _administers(setting, scene)
        ],
    )


def reports(setting: Setting) -> list[Reported]:
    """Who changes the key's policy or deletes the key, and whom an action to come would let in."""
    wanted = [
        Action(PUT_KEY_POLICY, (PUT_KEY_POLICY,)),
        Action(SCHEDULE_KEY_DELETION, (SCHEDULE_KEY_DELETION,)),
        *future("kms", setting.patterns),
    ]
    met: dict[object, list[Search]] = {}
    scenes = list(_on_key(setting, wanted))
    setting.world.fill(scenes)
    for scene in scenes:
        if setting.is_role(scene.asker) and not scene.action.exists:
            continue  # (b) fails for it
        found = look(setting.world, scene)
        if found.witness is not None:
            shown = example(setting, found.witness)
            action = scene.action.name if scene.action.exists else ""
            met.setdefault((action, shown.statements), []).append(found)
    return [_reported(setting, found) for found in met.values()]


def _reported(setting: Setting, found: list[Search]) -> Reported:
    witnesses = [each.witness for each in found if each.witness is not None]
    shown = example(setting, witnesses[0])
    principals = tuple(dict.fromkeys(each.request.principal for each in witnesses))
    name = witnesses[0].request.action
    claim = "c" if name != SCHEDULE_KEY_DELETION else "f"
    what = name if witnesses[0].scene.action.exists else "an action of KMS that does not exist yet"
    more = f" and {len(principals) - 1} other classes of principals" if len(principals) > 1 else ""
    by = "; ".join(map(str, shown.statements)) or "no statement that is seen"
    return Reported(
        claim, name, principals, shown.statements, f"{what}: {principals[0]}{more} ({by})"
    )


def _administers(setting: Setting, scene: Scene) -> bool:
    return is_administrator(scene.asker, setting.named, setting.materials)


def _kms(setting: Setting) -> list[Action]:
    return classes_of(known()["kms"], setting.patterns, _apart(setting))


def _classes(setting: Setting, names: Iterable[str]) -> list[Action]:
    return classes_of(names, setting.patterns, _apart(setting))


def _apart(setting: Setting) -> list[frozenset[str]]:
    """Actions that matter by name: the two of OpenAI's, and those that grants hold."""
    grants = setting.materials.grants
    operations = [frozenset(f"kms:{each}" for each in grant.operations) for grant in grants]
    if grants:
        operations += [frozenset({f"kms:{each}"}) for each in sorted(OPERATIONS)]
    return [*(frozenset({each}) for each in sorted(ENCRYPT_DECRYPT)), *operations]


def _on_key(setting: Setting, actions: Sequence[Action]) -> Iterator[Scene]:
    """Everybody on the registered key."""
    if setting.materials.key is None:
        return
    place = setting.key_place()
    for asker in setting.askers:
        yield from _scenes(setting, asker, actions, [place], setting.key_policies(asker))


def _on_material(setting: Setting, actions: Sequence[Action]) -> Iterator[Scene]:
    """Everybody on the registered key, and on those of other Regions that share its material."""
    yield from _on_key(setting, actions)
    for key, part in setting.materials.related:
        place = setting.key_place(key)
        for asker in setting.askers:
            policies = setting.key_policies(asker, related=part)
            yield from _scenes(setting, asker, actions, [place], policies)


def _scenes(
    setting: Setting,
    asker: Asker,
    actions: Iterable[Action],
    where: Iterable[Place],
    policies: PreparedPolicies,
) -> Iterator[Scene]:
    around = list(where)
    for action in actions:
        for place in around:
            scene = _scene(setting, asker, action, place, policies)
            if scene is not None:
                yield scene


def _scene(
    setting: Setting, asker: Asker, action: Action, place: Place, policies: PreparedPolicies
) -> Scene | None:
    return set_scene(asker, action, place, policies, setting.world.names)


def _everything(setting: Setting, scenes: Sequence[Scene]) -> Search:
    setting.world.fill(scenes)
    return _all(setting, [(scene, (EVERYTHING,)) for scene in scenes])


def _all(setting: Setting, scenes: Iterable[tuple[Scene, Sequence[Box]]]) -> Search:
    found = Search()
    for scene, within in scenes:
        found.add(look(setting.world, scene, within))
    return found
