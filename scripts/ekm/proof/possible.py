"""Claims that something is possible: (d), (e), and the lesser part of (b).

Open points count as denied here, and so does what a call is not known to carry.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Final

from ekm.evaluation import Decision, Policies, Request, decide
from ekm.evaluation.caller import CallerForm, parse_caller
from ekm.policy import PrincipalForm, parse_arn
from ekm.proof.actions import Action
from ekm.proof.askers import Asker
from ekm.proof.constants import ALLOW_ALL
from ekm.proof.keys import may_be_carried
from ekm.proof.ordered import dates
from ekm.proof.result import Counterexample
from ekm.proof.scene import set_scene
from ekm.proof.search import Search, look, statements
from ekm.snapshot import UNSEEN

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ekm.evaluation.request import Value
    from ekm.proof.boxes import Box
    from ekm.proof.scene import Scene
    from ekm.proof.setting import Setting

__all__ = ["Failure", "administering", "calling", "encrypting"]

PUT_KEY_POLICY: Final = Action("kms:PutKeyPolicy", ("kms:PutKeyPolicy",))
USES: Final = tuple(Action(name, (name,)) for name in ("kms:Encrypt", "kms:Decrypt"))
ASSUME_ROLE: Final = Action("sts:AssumeRole", ("sts:AssumeRole",))
TLS: Final = "aws:securetransport"
TIMES: Final = ("aws:currenttime", "aws:epochtime", "aws:tokenissuetime")
# In every request, with a value that nothing says.
PRESENT: Final = ("aws:userid", "sts:rolesessionname", "aws:useragent")
SYMMETRIC: Final = "SYMMETRIC_DEFAULT"


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
                scenes = [_on_key(setting, asker, action, generous=generous) for asker in askers]
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


def _on_key(setting: Setting, asker: Asker, action: Action, *, generous: bool) -> Scene | None:
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
    return (box,)


def _refused(
    setting: Setting, scenes: Sequence[Scene], classes: int, points: tuple[str, ...]
) -> Failure:
    """The plainest request that is refused, and why."""
    if not scenes:
        return Failure(classes, None, "no request can be made", points)
    scene = scenes[0]
    request = scene.request({})
    decision = decide(request, scene.policies)
    refs = statements(setting, scene, decision.decided_by)
    return Failure(classes, Counterexample(request, refs), _why(request, decision), points)


def _why(request: Request, decision: Decision) -> str:
    if decision.decided_by:
        by = ", ".join(map(str, decision.decided_by))
        return f"{request.principal} is denied {request.action} by {by}"
    reasons = "; ".join(decision.missing) or decision.message or decision.outcome.value
    return f"{request.principal} is not allowed {request.action}: {reasons}"


def calling(setting: Setting, openai_session: str) -> Failure:
    """(d): every one of OpenAI's calls, under what is said of them, is allowed.

    What is known of a call is in it, what it is not known to carry is missing, and what it
    carries with a value that nothing says (time, address, session name) must pass with any.
    """
    state = _unusable(setting)
    classes = 0
    for scene in _calls(setting, openai_session):
        if scene is None:
            return Failure(classes, None, "OpenAI's call cannot be judged")
        for chosen in _carried(setting, scene):
            classes += 1
            request = scene.request(chosen)
            decision = decide(request, scene.policies)
            if not decision.allowed:
                refs = statements(setting, scene, decision.decided_by)
                shown = Counterexample(request, refs)
                return Failure(classes, shown, _why(request, decision))
        if state is not None and scene.action in USES:
            return Failure(classes, Counterexample(scene.request({}), ()), state)
    lacking = _lacking(setting)
    return Failure(classes, None, lacking) if lacking else Failure(classes)


def _lacking(setting: Setting) -> str | None:
    """Why there is no role or key to call."""
    materials, registration = setting.materials, setting.materials.snapshot.registration
    if materials.role is None or materials.role.arn != registration.role_arn:
        return f"the role {registration.role_arn} was not found"
    if materials.key is None:
        return f"the key {registration.kms_arn} was not found"
    return None


def _unusable(setting: Setting) -> str | None:
    """Why KMS refuses to use the key whatever policies say."""
    key = setting.materials.key
    if key is None:
        return None
    if key.state is not UNSEEN and key.state != "Enabled":
        return f"the key {key.arn} is {key.state}, so KMS does not use it"
    for fact, wanted in ((key.spec, SYMMETRIC), (key.usage, "ENCRYPT_DECRYPT")):
        if fact is not UNSEEN and fact != wanted:
            return f"the key {key.arn} is of {fact}, and OpenAI encrypts with {wanted}"
    return None


def _calls(setting: Setting, openai_session: str) -> Iterator[Scene | None]:
    """AssumeRole on the role, Encrypt and Decrypt by its session on the key."""
    materials, registration = setting.materials, setting.materials.snapshot.registration
    caller, names = parse_caller(openai_session), setting.world.names
    if materials.role is None or materials.role.arn != registration.role_arn:
        return
    if caller is None:
        yield None
        return
    openai = Asker(openai_session, caller, setting.openai, {"aws:PrincipalArn": setting.openai})
    place = setting.role_place()
    rcps = materials.rcps if place.account == materials.customer else ()
    policies = Policies(
        identity=(ALLOW_ALL,),
        resource=materials.trust.document if materials.trust else None,
        rcps=[[each.document for each in level] for level in rcps],
    ).prepare(ASSUME_ROLE.name)
    yield set_scene(openai, ASSUME_ROLE, place, policies, names)
    if materials.key is None:
        return
    for action in USES:
        for asker in _own_sessions(setting):
            yield _on_key(setting, asker, action, generous=True)


def _own_sessions(setting: Setting) -> list[Asker]:
    """Every session that OpenAI's may be: nothing says its name, or the role's unique id.

    A policy names who exists by an ARN, so that an id that stands as a principal is not the
    role's; one that a condition compares `aws:userid` with may be.
    """
    gone = {
        each.text
        for statement in setting.materials.statements
        for each in statement.principals or ()
        if each.form is PrincipalForm.UNIQUE_ID
    }
    found = [each for each in setting.askers if setting.is_role(each)]
    living = [each for each in found if each.fixed_id and each.fixed_id not in gone]
    return living or found


def _carried(setting: Setting, scene: Scene) -> Iterator[dict[str, Value]]:
    """Every context that one of OpenAI's calls may carry, so far as documents ask for it."""
    world = setting.world
    said = _said(setting, scene)
    plain = {
        world.names.get(lookup, lookup): value
        for lookup, value in said.items()
        if value is not None and (world.has(lookup) or lookup in ALWAYS)
    }
    free = [
        lookup
        for lookup in (*PRESENT, "aws:sourceip")
        if world.has(lookup) and lookup not in said and not scene.known(lookup)[0]
    ]
    choices = [[v for v in world.domain(each).values if isinstance(v, str) and v] for each in free]
    for instant in _instants(setting):
        for values in product(*choices):
            chosen = {world.names[each]: v for each, v in zip(free, values, strict=True)}
            yield {**plain, **instant, **chosen}


ALWAYS: Final = frozenset({"sts:externalid"})


def _said(setting: Setting, scene: Scene) -> dict[str, Value]:
    """What is said of OpenAI's calls, by lower-case key."""
    snapshot = setting.materials.snapshot
    calls = snapshot.calls
    found: dict[str, Value] = {TLS: "true", "aws:viaawsservice": "false"}
    if calls.source_ip is not None:
        found["aws:sourceip"] = calls.source_ip
    if calls.vpc_endpoint is not None:
        found["aws:sourcevpce"] = calls.vpc_endpoint
    if calls.mfa is not None:
        found["aws:multifactorauthpresent"] = "true" if calls.mfa else "false"
    if scene.action == ASSUME_ROLE:
        found["sts:externalid"] = snapshot.registration.external_id
        if calls.openai_organization is not None:
            found["aws:principalorgid"] = calls.openai_organization
        return found
    found["kms:encryptionalgorithm"] = SYMMETRIC
    if calls.via_service is not None:
        found["kms:viaservice"] = calls.via_service
    for name, value in calls.encryption_context.items():
        found[f"kms:encryptioncontext:{name}".lower()] = value
    if calls.encryption_context:
        found["kms:encryptioncontextkeys"] = tuple(calls.encryption_context)
    return found | _aliases(setting)


def _aliases(setting: Setting) -> dict[str, Value]:
    snapshot, key = setting.materials.snapshot, setting.materials.key
    found: dict[str, Value] = {}
    if snapshot.aliases is not UNSEEN and key is not None:
        names = [each.arn.rsplit(":", 1)[-1] for each in snapshot.aliases if each.target == key.arn]
        if names:
            found["kms:resourcealiases"] = tuple(names)
    arn = parse_arn(snapshot.registration.kms_arn)
    if arn is not None and arn.resource.startswith("alias/"):
        found["kms:requestalias"] = arn.resource
    return found


def _instants(setting: Setting) -> Iterator[Mapping[str, Value]]:
    """The same instant in every key of time: the one that is said, else any from now on."""
    world = setting.world
    asked = [each for each in TIMES if world.has(each)]
    said = setting.materials.snapshot.calls.time
    if not asked:
        yield {}
        return
    literals = [value for each in asked for value in world.literals(each)]
    for text in [said] if said is not None else dates([*literals, setting.now]):
        if said is None and world.is_past(text):
            continue
        yield {world.names[each]: _written(each, text) for each in asked}


def _written(lookup: str, text: str) -> str:
    """An instant as a key holds it: aws:EpochTime is in seconds, of which AWS reads either form."""
    if lookup != "aws:epochtime":
        return text
    found = dates([text], plain=True)
    return found[1] if len(found) > 1 else text
