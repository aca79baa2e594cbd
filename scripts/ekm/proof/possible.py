"""Claims that something is possible: (e), and the lesser part of (b); (d) is in `calling`.

Open points count as denied here, and so does what a call is not known to carry.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ekm.evaluation import Decision, Request, decide
from ekm.evaluation.caller import CallerForm, parse_caller
from ekm.proof.actions import Action
from ekm.proof.askers import Asker
from ekm.proof.keys import may_be_carried
from ekm.proof.result import Counterexample
from ekm.proof.scene import set_scene
from ekm.proof.search import Search, look, spell, statements
from ekm.proof.tags import PRINCIPAL_TAG, RESOURCE_TAG, tags_of
from ekm.snapshot import UNSEEN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ekm.proof.boxes import Box
    from ekm.proof.scene import Scene
    from ekm.proof.setting import Setting
    from ekm.snapshot import Key, Role

__all__ = ["TIMES", "TLS", "USES", "Failure", "administering", "encrypting", "on_key", "why"]

PUT_KEY_POLICY: Final = Action("kms:PutKeyPolicy", ("kms:PutKeyPolicy",))
USES: Final = tuple(Action(name, (name,)) for name in ("kms:Encrypt", "kms:Decrypt"))
TLS: Final = "aws:securetransport"
TIMES: Final = ("aws:currenttime", "aws:epochtime", "aws:tokenissuetime")


@dataclass(frozen=True, slots=True)
class Failure:
    """Something that should be possible and is not.

    Args:
        classes: How many classes were decided.
        counterexample: The request that is refused; None when none can be made.
        message: Why; None when it is possible after all.
        points: Open points that counted as denied.
    """

    classes: int
    counterexample: Counterexample | None = None
    message: str | None = None
    points: tuple[str, ...] = ()


def encrypting(setting: Setting) -> Failure:
    """(b): a session of the role can Encrypt and Decrypt, in some request."""
    sessions = [each for each in setting.askers if setting.is_role(each)]
    groups: list[list[Meanings]] = [[[sessions]] if sessions else []] * len(USES)
    return _some(setting, groups, USES, generous=True)


def administering(setting: Setting) -> Failure:
    """(e): an administrator, the root user or another, can change the key's policy.

    The caller must, too, when it is given. Identity policies are taken to allow nothing, and
    KMS takes PutKeyPolicy from nobody outside the key's account.

    Source: https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html
    """
    if setting.materials.key is None:
        return Failure(0, None, "the key was not found, so nobody can change its policy")
    account, partition = setting.materials.key_account, setting.materials.partition
    root = f"arn:{partition}:iam::{account}:root"
    able = [_exactly(each, setting) for each in dict.fromkeys((root, *setting.named))]
    own = [each for each in able if each and each[0][0].account == account]
    groups = [own]
    caller = setting.materials.snapshot.caller
    if caller is not None:
        found = _exactly(caller, setting)
        groups.append([found])
        if not found:
            return Failure(0, None, f"the caller {caller!r} is not a principal that can be judged")
        if found[0][0].account != account:
            message = f"{caller} is of another account, and KMS lets none but {account} change it"
            return Failure(0, None, message)
    return _some(setting, groups, [PUT_KEY_POLICY] * len(groups), generous=False)


# What one name may mean: in each way some of its classes of principals must be able.
Meanings = list[list[Asker]]


def _exactly(text: str, setting: Setting) -> Meanings:
    """What a name of an administrator or caller means.

    A session's ARN leaves the path of its role out. Unless a document names the role, it may have
    any, so that each is a meaning of its own.
    """
    found = [each for each in setting.askers if text in (each.principal, each.fixed_id)]
    caller = parse_caller(text)
    if not found:
        return [] if caller is None else [[Asker(text, caller, caller.role_arn)]]
    if caller is None or caller.form is not CallerForm.SESSION:
        return [found]
    by_role: dict[str, list[Asker]] = {}
    for each in found:
        by_role.setdefault(each.role_arn, []).append(each)
    exact = {role: each for role, each in by_role.items() if role in setting.roles}
    return list((exact or by_role).values())


def _some(
    setting: Setting,
    groups: Sequence[Sequence[Meanings]],
    actions: Sequence[Action],
    *,
    generous: bool,
) -> Failure:
    """For each group and its action, whether one of the group can do it."""
    classes = 0
    points: dict[str, None] = {}
    for group, action in zip(groups, actions, strict=True):
        if setting.materials.key is None or not group:
            return Failure(classes, None, f"there is nobody and nothing for {action.name}")
        able, first = False, None
        for means in group:
            refused: list[Scene] | None = None
            for askers in means:
                scenes = [on_key(setting, asker, action, generous=generous) for asker in askers]
                made = [each for each in scenes if each is not None]
                found = _search(setting, made)
                classes += found.classes
                points |= found.points
                if found.witness is None or not found.witness.decision.allowed:
                    refused = made
                    break
            able = refused is None
            if able:
                break
            first = first or refused
        if not able:
            return _refused(setting, first or [], classes, tuple(points))
    return Failure(classes)


def _search(setting: Setting, scenes: Sequence[Scene]) -> Search:
    """The first request of some scenes that is surely allowed."""
    setting.world.fill(scenes)
    found = Search()
    for scene in scenes:
        found.add(look(setting.world, scene, _to_come(setting, scene), lenient=False))
        if found.witness is not None:
            break
    return found


def on_key(setting: Setting, asker: Asker, action: Action, *, generous: bool) -> Scene | None:
    """Somebody and one action on the registered key; `generous` as in `Setting.policies`."""
    policies = setting.key_policies(asker, generous=generous)
    return set_scene(asker, action, setting.key_place(), policies, setting.world.names)


def _to_come(setting: Setting, scene: Scene) -> Sequence[Box]:
    """Requests over TLS, from now on, without what such a request never carries."""
    box: Box = {
        lookup: setting.world.domain(lookup).where([None])
        for lookup in setting.world.lookups
        if not may_be_carried(lookup, scene.action.lookup)
    }
    for lookup in TIMES:
        if setting.world.has(lookup):
            box[lookup] = setting.world.still_to_come(lookup)
    if setting.world.has(TLS) and not scene.known(TLS)[0]:
        box[TLS] = setting.world.domain(TLS).where(["true"])
    box |= _tagged(setting, scene)
    return (box,) if all(box.values()) else ()


def _tagged(setting: Setting, scene: Scene) -> Box:
    """Requests that carry the tags of the key, and those of the role where it asks and is seen."""
    role, key = setting.materials.role, setting.materials.key
    assert key is not None
    holders: list[tuple[str, Key | Role]] = [(RESOURCE_TAG, key)]
    if role is not None and setting.is_role(scene.asker) and role.tags is not UNSEEN:
        holders.append((PRINCIPAL_TAG, role))
    box: Box = {}
    for prefix, holder in holders:
        tags = tags_of(holder, prefix)
        for lookup in setting.world.lookups:
            if lookup.startswith(f"{prefix}/"):
                box[lookup] = setting.world.domain(lookup).where([tags.get(lookup)])
    return box


def _refused(
    setting: Setting, scenes: Sequence[Scene], classes: int, points: tuple[str, ...]
) -> Failure:
    """The plainest request that is refused, and why."""
    if not scenes:
        return Failure(classes, None, "no request can be made", points)
    scene = scenes[0]
    request = scene.request(spell(setting.world, _tagged(setting, scene)))
    decision = decide(request, scene.policies)
    refs = statements(setting, scene, decision.decided_by)
    return Failure(classes, Counterexample(request, refs), why(request, decision), points)


def why(request: Request, decision: Decision) -> str:
    """Say why a request is refused."""
    if decision.decided_by:
        by = ", ".join(map(str, decision.decided_by))
        return f"{request.principal} is denied {request.action} by {by}"
    reasons = "; ".join(decision.missing) or decision.message or decision.outcome.value
    return f"{request.principal} is not allowed {request.action}: {reasons}"
