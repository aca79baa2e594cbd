"""Claim (d): every one of OpenAI's calls passes, under what is said of them."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Final

from ekm.diagnosis.constants import STRANGE_ORGANIZATION
from ekm.evaluation import Policies, decide
from ekm.evaluation.caller import parse_caller
from ekm.policy import PrincipalForm, parse_arn
from ekm.proof.actions import Action
from ekm.proof.askers import Asker
from ekm.proof.constants import ALLOW_ALL
from ekm.proof.ordered import dates
from ekm.proof.possible import TIMES, TLS, USES, Failure, on_key, why
from ekm.proof.result import Counterexample
from ekm.proof.scene import set_scene
from ekm.proof.search import statements
from ekm.proof.tags import PRINCIPAL_TAG, RESOURCE_TAG, tags_of
from ekm.snapshot import UNSEEN

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ekm.proof.scene import Scene
    from ekm.proof.setting import Setting
    from ekm.proof.values import Value

__all__ = ["calling"]

ASSUME_ROLE: Final = Action("sts:AssumeRole", ("sts:AssumeRole",))
# OpenAI's account is in no organization, or in one that is not the customer's.
ORGANIZATION: Final[Mapping[str, str | tuple[str, ...]]] = {
    "aws:principalorgid": STRANGE_ORGANIZATION,
    "aws:principalorgpaths": (f"{STRANGE_ORGANIZATION}/r-a1b2/ou-a1b2-c3d4e5f6/",),
}
# In every request, with a value that nothing says.
PRESENT: Final = ("aws:userid", "sts:rolesessionname", "aws:useragent")
SYMMETRIC: Final = "SYMMETRIC_DEFAULT"


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
                return Failure(classes, shown, why(request, decision))
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
            yield on_key(setting, asker, action, generous=True)


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
        if world.has(lookup)
        and lookup not in said
        and not scene.known(lookup)[0]
        # Keys of STS are in no request to KMS.
        and (scene.action == ASSUME_ROLE or not lookup.startswith("sts:"))
    ]
    choices: list[list[Value]] = [
        [v for v in world.domain(each).values if isinstance(v, str) and v] for each in free
    ]
    if scene.action == ASSUME_ROLE:
        for lookup, stranger in ORGANIZATION.items():
            if world.has(lookup) and lookup not in said:
                free.append(lookup)
                choices.append([None, stranger])
    for instant in _instants(setting):
        for values in product(*choices):
            chosen = {world.names[each]: v for each, v in zip(free, values, strict=True)}
            yield {**plain, **instant, **{key: v for key, v in chosen.items() if v is not None}}


ALWAYS: Final = frozenset({"sts:externalid"})


def _said(setting: Setting, scene: Scene) -> dict[str, Value]:
    """What is said of OpenAI's calls, by lower-case key."""
    snapshot = setting.materials.snapshot
    calls = snapshot.calls
    found: dict[str, Value] = {TLS: "true", "aws:viaawsservice": "false"}
    role, key = setting.materials.role, setting.materials.key
    for prefix, holder in (
        (RESOURCE_TAG, role if scene.action == ASSUME_ROLE else key),
        (PRINCIPAL_TAG, None if scene.action == ASSUME_ROLE else role),
    ):
        found |= tags_of(holder, prefix) if holder is not None else {}
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
