"""Each claim worked out a second time, by trying every request over a small alphabet.

Naive on purpose: from what design and documents say of the claims, without classes or boxes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from proof_sample import ACCOUNT, KEY, NOW, OPENAI, ROLE, ROOT, failing
from universe import (
    ASKERS,
    COLLEAGUE,
    EXTERNAL_ID,
    PAIR,
    RESOURCES,
    SESSION,
    TAG,
    TIME,
    contexts,
)

from ekm.evaluation import Outcome, Policies, Request, decide
from ekm.evaluation.caller import CallerForm, parse_caller
from ekm.policy import DocumentKind, parse_document
from ekm.proof.actions import Action
from ekm.proof.askers import Asker
from ekm.proof.constants import ALLOW_ALL, delegating_key, delegating_role
from ekm.proof.one import allows
from ekm.proof.scene import Place, set_scene

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ekm.proof.scene import Scene

__all__ = ["disagreements"]

Json = Any
Context = dict[str, str]
OPENAI_SESSION = "arn:aws:sts::790389265272:assumed-role/EnterpriseKeyManagement/OpenAI-EKM-Service"
USING = ("kms:Decrypt", "kms:Encrypt", "kms:CreateGrant", "kms:Sign")
DELETING = ("kms:DisableKey", "kms:ScheduleKeyDeletion", "kms:DeleteImportedKeyMaterial")
ASSUMING = ("sts:AssumeRole", "sts:TagSession", "sts:AssumeRoleWithSAML")
# One of each kind that documents can tell apart; the last of KMS does not exist yet.
ACTIONS = (
    *("kms:Decrypt", "kms:Encrypt", "kms:DescribeKey", "kms:DisableKey", "kms:PutKeyPolicy"),
    *("kms:CreateGrant", "kms:DeleteAlias", "kms:ListKeys", "kms:ListAliases", "kms:ListGrants"),
    *("kms:ReEncryptFrom", "kms:Sign", "sts:AssumeRole", "sts:TagSession"),
    *("s3:GetObject", "s3:PutObject", "iam:PassRole", "kms:decryptx", "kms:xcrypt"),
)


@dataclass(frozen=True)
class World:
    """A snapshot, and what each claim of it comes to when every request is tried.

    Args:
        found: The snapshot.
    """

    found: Json

    @cached_property
    def trust(self) -> Json:
        """The trust policy."""
        return parse_document(self.found["role"]["trust_policy"], DocumentKind.TRUST)

    @cached_property
    def key(self) -> Json:
        """The key policy."""
        return parse_document(self.found["keys"][0]["policy"], DocumentKind.KEY)

    def policies(self, asker: Asker, resource: Json, action: str, *, generous: bool) -> Any:
        """Everything that is in force; what is not seen allows everything, or nothing."""
        role = self.found["role"]
        is_role = asker.role_arn == ROLE
        own = tuple(each["document"] for each in role["permission_policies"])
        federated = asker.caller.form is CallerForm.FEDERATED_USER and generous
        customers = asker.account == ACCOUNT
        return Policies(
            identity=own if is_role else ((ALLOW_ALL,) if generous else ()),
            resource=resource,
            permissions_boundary=role["permissions_boundary"] if is_role else None,
            session=ALLOW_ALL if federated else None,
            scps=self.found.get("scps", []) if customers else [],
            rcps=self.found.get("rcps", []),
            grants=self.found["grants"] if action.startswith("kms:") else [],
        ).prepare(action)

    def passes(self, scene: Scene, context: Context) -> bool:
        """Whether a request is allowed, or left open; what a sure Deny denies is neither."""
        request = scene.request(context)
        found = decide(request, scene.policies)
        if found.outcome is Outcome.EXPLICITLY_DENIED:
            return False
        return found.allowed or allows(scene, request, lenient=True)

    def administers(self, asker: Asker) -> bool:
        """Whether somebody is an administrator."""
        given = self.found["administrators"]
        if asker.principal == ROOT or asker.principal in given or asker.role_arn in given:
            return True
        accounts = {each for each in given if each.isdigit()}
        accounts |= {each.split(":")[4] for each in given if each.endswith(":root")}
        return asker.role_arn != ROLE and asker.account in accounts

    def anybody(
        self,
        askers: list[Asker],
        actions: tuple[str, ...],
        place: Place,
        resource: Json,
        asked: Json,
    ) -> Iterator[tuple[Asker, str, Context]]:
        """Every request that passes, of some principals to one place."""
        every = list(contexts([asked, self.found.get("grants")]))
        for asker in askers:
            for action in actions:
                policies = self.policies(asker, resource, action, generous=True)
                scene = set_scene(asker, Action(action, (action,)), place, policies, {})
                if scene is None:
                    continue
                for context in every:
                    if self.passes(scene, context):
                        yield asker, action, context

    def breaks_a(self) -> bool:
        """Whether somebody else passes the trust policy, or another way, or with another id."""
        registered = {"org-abc123", *self.found["registration"]["external_ids"]}
        place = Place(ROLE, ACCOUNT)
        askers = [each for each in everybody() if each.caller.form is not CallerForm.ROOT]
        documents = self.found["role"]
        return any(
            asker.role_arn != OPENAI
            or action != "sts:AssumeRole"
            or context.get(EXTERNAL_ID) not in registered
            for asker, action, context in self.anybody(
                askers, ASSUMING, place, self.trust, documents
            )
        )

    def breaks_b(self) -> bool:
        """Whether the role does anything else, or not even what it is for."""
        return self.does_else() or not all(
            self.can(asker_of(ROLE), action, generous=True) for action in USING[:2]
        )

    def does_else(self) -> bool:
        """Whether the role does anything but encrypt and decrypt with the key."""
        role = asker_of(ROLE)
        for resource in RESOURCES:
            # The role's policies speak everywhere, key policy and trust policy on their own alone.
            documents = [{**self.found["role"], "trust_policy": None}]
            documents += {KEY: [self.found["keys"]], ROLE: [self.found["role"]]}.get(resource, [])
            place = Place(resource, None if resource == "*" else ACCOUNT)
            for action in ACTIONS:
                if resource == KEY and action in USING[:2]:
                    continue
                judged = self.judged(resource, action)
                if judged is not None:
                    found = self.anybody([role], (action,), place, judged[0], documents)
                    if any(found):
                        return True
        return False

    def judged(self, resource: str, action: str) -> tuple[Json] | None:
        """The policy of a resource, when an action bears on it at all."""
        service, kind = action.partition(":")[0], resource.rpartition(":")[2].partition("/")[0]
        if service not in ("kms", "sts"):
            # The proof does not know which service has which resources: any may have any.
            return (None,)
        if resource == KEY:
            return (self.key,) if service == "kms" else None
        if kind == "key":
            return (delegating_key("aws", ACCOUNT),) if service == "kms" else None
        if kind == "role" and service == "sts":
            return (self.trust if resource == ROLE else delegating_role("aws", ACCOUNT),)
        if service == "kms":
            return (None,) if kind in ("alias", "*") else None
        return (None,) if service != "sts" else None

    def breaks_c(self) -> bool:
        """Whether somebody else uses the key, or an outsider changes its policy."""
        all_of_them = everybody()
        others = [each for each in all_of_them if each.role_arn != ROLE]
        outsiders = [each for each in all_of_them if not self.administers(each)]
        return self.on_key(others, USING) or self.on_key(outsiders, ("kms:PutKeyPolicy",))

    def breaks_f(self) -> bool:
        """Whether an outsider disables or deletes the key."""
        outsiders = [each for each in everybody() if not self.administers(each)]
        return self.on_key(outsiders, DELETING)

    def on_key(self, askers: list[Asker], actions: tuple[str, ...]) -> bool:
        """Whether any of some principals does any of some actions to the key."""
        documents = [self.found["role"], self.found["keys"]]
        return any(self.anybody(askers, actions, Place(KEY, ACCOUNT), self.key, documents))

    def breaks_d(self) -> bool:
        """Whether one of OpenAI's calls, at any time from now on, is not surely allowed."""
        openai = Asker(OPENAI_SESSION, asker_of(OPENAI).caller, OPENAI)
        policies = Policies(
            identity=(ALLOW_ALL,), resource=self.trust, rcps=self.found.get("rcps", [])
        ).prepare("sts:AssumeRole")
        known = {"aws:PrincipalArn": OPENAI, EXTERNAL_ID: "org-abc123"}
        for context in self.to_come(carried=(TIME,)):
            request = Request(
                openai.principal, "sts:AssumeRole", ROLE, ACCOUNT, {**known, **context}
            )
            if not decide(request, policies).allowed:
                return True
        session = f"arn:aws:sts::{ACCOUNT}:assumed-role/openai-ekm/any"
        for action in USING[:2]:
            own = self.policies(asker_of(ROLE), self.key, action, generous=True)
            for context in self.to_come(carried=(TIME,)):
                carried = {"aws:PrincipalArn": ROLE, **context}
                request = Request(session, action, KEY, ACCOUNT, carried)
                if not decide(request, own).allowed:
                    return True
        return False

    def breaks_e(self) -> bool:
        """Whether no administrator, or not the caller, surely changes the policy."""
        given = [each for each in self.found["administrators"] if not each.isdigit()]
        able = [each for each in sorted({ROOT, *given}) if asker_of(each).account == ACCOUNT]
        groups = [able, *([[self.found["caller"]]] if "caller" in self.found else [])]
        return not all(
            any(all(self.keeps(each) for each in self.meanings(name)) for name in group)
            for group in groups
        )

    def keeps(self, asker: Asker) -> bool:
        """Whether somebody surely changes the policy."""
        return self.can(asker, "kms:PutKeyPolicy", generous=False)

    def meanings(self, name: str) -> list[Asker]:
        """A session may be one of a role under any path, unless something names the role."""
        plain = asker_of(name)
        if name != SESSION or COLLEAGUE in named_in(self.found):
            return [plain]
        return [plain, *under_paths(plain)]

    def can(self, asker: Asker, action: str, *, generous: bool) -> bool:
        """Whether some request from now on is surely allowed."""
        policies = self.policies(asker, self.key, action, generous=generous)
        pair = () if action == "kms:PutKeyPolicy" else (PAIR,)
        # Nobody tags a root user.
        tag = () if asker.caller.form is CallerForm.ROOT else (TAG,)
        for context in self.to_come(carried=(*tag, TIME, "aws:MultiFactorAuthAge", *pair)):
            request = Request(asker.principal, action, KEY, ACCOUNT, {**asker.context, **context})
            if decide(request, policies).allowed:
                return True
        return False

    def to_come(self, carried: tuple[str, ...]) -> Iterator[Context]:
        """Contexts of some keys, at no time that is past."""
        documents = [self.found["role"], self.found["keys"], self.found["grants"]]
        now = NOW.strftime("%Y-%m-%dT%H:%M:%SZ")
        timed = TIME in str(documents)
        for context in contexts(documents, carried):
            if not timed or context.get(TIME, "") >= now:
                yield context


def named_in(found: Json) -> list[str]:
    """The principals that statements and administrators name."""
    documents = (found["role"]["trust_policy"], found["keys"][0]["policy"])
    principals = [each["Principal"] for one in documents for each in one["Statement"]]
    return [
        *found["administrators"],
        *(text for each in principals if each != "*" for text in each.values()),
    ]


def under_paths(session: Asker) -> list[Asker]:
    """A session of a role of the same name under a path, which its own ARN leaves out."""
    paths = ("p/", "aws-service-role/z.amazonaws.com/")
    roles = [f"arn:aws:iam::{ACCOUNT}:role/{path}q" for path in paths]
    return [
        Asker(session.principal, session.caller, each, {"aws:PrincipalArn": each}) for each in roles
    ]


def everybody() -> list[Asker]:
    """Every principal of the small world."""
    return [*map(asker_of, ASKERS), *under_paths(asker_of(SESSION))]


def asker_of(text: str) -> Asker:
    """A principal as the proof sees it."""
    caller = parse_caller(text)
    assert caller is not None
    context = {"aws:PrincipalArn": caller.role_arn} if ":assumed-role/" in text else {}
    return Asker(text, caller, caller.role_arn, context)


def disagreements(found: Json) -> dict[str, tuple[bool, bool]]:
    """By claim what the proof says and what brute force does, where they differ."""
    world, claims = World(found), failing(found)
    brute = {
        "a": world.breaks_a,
        "b": world.breaks_b,
        "c": world.breaks_c,
        "d": world.breaks_d,
        "e": world.breaks_e,
        "f": world.breaks_f,
    }
    return {
        name: (name in claims, broken)
        for name, breaks in brute.items()
        if (name in claims) is not (broken := breaks())
    }
