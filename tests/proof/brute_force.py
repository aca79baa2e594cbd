"""Each claim worked out a second time, by trying every request over a small alphabet.

Naive on purpose: from what docs/proof.md says of the claims, without classes or boxes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from openai_ekm.evaluation import OpenPoints, Outcome, Policies, Request, decide
from openai_ekm.evaluation.request import CallerForm, parse_caller
from openai_ekm.policy import DocumentKind, parse_document
from openai_ekm.proof.actions import Action
from openai_ekm.proof.documents import ALLOWING_IDENTITY, delegating
from openai_ekm.proof.principals import PrincipalClass
from openai_ekm.proof.request_classes import ResourceClass, make_request_class
from tests.proof.universe import (
    ABROAD,
    ASKERS,
    COLLEAGUE,
    EXTERNAL_ID,
    OTHER,
    PAIR,
    RESOURCES,
    SESSION,
    TAG,
    TIME,
    contexts,
)
from tests.support.proof_sample import ACCOUNT, KEY, NOW, OPENAI, ROLE, ROOT, failing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai_ekm.proof.request_classes import RequestClass

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

    def policies(
        self,
        principal: PrincipalClass,
        resource: Json,
        action: str,
        *,
        generous: bool,
        abroad: bool = False,
    ) -> Any:
        """Everything that is in force; what is not seen allows everything, or nothing."""
        role = self.found["role"]
        is_role = principal.role_arn == ROLE
        own = tuple(each["document"] for each in role["permission_policies"])
        federated = principal.caller.form is CallerForm.FEDERATED_USER and generous
        customers = principal.account == ACCOUNT
        return Policies(
            identity=own if is_role else ((ALLOWING_IDENTITY,) if generous else ()),
            resource=resource,
            permissions_boundary=role["permissions_boundary"] if is_role else None,
            session=ALLOWING_IDENTITY if federated else None,
            scps=self.found.get("scps", []) if customers else [],
            rcps=[] if abroad else self.found.get("rcps", []),
            grants=self.found["grants"] if action.startswith("kms:") else [],
        ).prepare(action)

    def passes(self, request_class: RequestClass, context: Context) -> bool:
        """Whether a request is allowed, or left open; what a sure Deny denies is neither."""
        request = request_class.request(context)
        found = decide(request, request_class.policies)
        if found.outcome is Outcome.EXPLICITLY_DENIED:
            return False
        return found.allowed or request_class.allows(request, OpenPoints.ALLOWED)

    def administers(self, principal: PrincipalClass) -> bool:
        """Whether somebody is an administrator."""
        given = self.found["administrators"]
        if (
            principal.principal == ROOT
            or principal.principal in given
            or principal.role_arn in given
        ):
            return True
        accounts = {each for each in given if each.isdigit()}
        accounts |= {each.split(":")[4] for each in given if each.endswith(":root")}
        return principal.role_arn != ROLE and principal.account in accounts

    def anybody(
        self,
        principals: list[PrincipalClass],
        actions: tuple[str, ...],
        place: ResourceClass,
        resource: Json,
        asked: Json,
    ) -> Iterator[tuple[PrincipalClass, str, Context]]:
        """Every request that passes, of some principals to one place."""
        every = list(contexts([asked, self.found.get("grants")]))
        for principal in principals:
            for action in actions:
                abroad = place.account == OTHER
                policies = self.policies(principal, resource, action, generous=True, abroad=abroad)
                request_class = make_request_class(
                    principal, Action(action, (action,)), place, policies, {}
                )
                if request_class is None:
                    continue
                for context in every:
                    if self.passes(request_class, context):
                        yield principal, action, context

    def breaks_a(self) -> bool:
        """Whether somebody else passes the trust policy, or another way, or with another id."""
        registered = {"org-abc123", *self.found["registration"]["external_ids"]}
        place = ResourceClass(ROLE, ACCOUNT)
        principals = [each for each in everybody() if each.caller.form is not CallerForm.ROOT]
        documents = self.found["role"]
        return any(
            principal.role_arn != OPENAI
            or action != "sts:AssumeRole"
            or context.get(EXTERNAL_ID) not in registered
            for principal, action, context in self.anybody(
                principals, ASSUMING, place, self.trust, documents
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
        for resource in (*RESOURCES, *ABROAD):
            # The role's policies speak everywhere, key policy and trust policy on their own alone.
            documents = [{**self.found["role"], "trust_policy": None}]
            documents += {KEY: [self.found["keys"]], ROLE: [self.found["role"]]}.get(resource, [])
            owner = OTHER if resource in ABROAD else ACCOUNT
            place = ResourceClass(
                resource, None if resource == "*" else owner, shared=owner == OTHER
            )
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
            return (delegating(DocumentKind.KEY, "aws", ACCOUNT),) if service == "kms" else None
        if kind == "role" and service == "sts":
            return (
                self.trust if resource == ROLE else delegating(DocumentKind.TRUST, "aws", ACCOUNT),
            )
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

    def on_key(self, principals: list[PrincipalClass], actions: tuple[str, ...]) -> bool:
        """Whether any of some principals does any of some actions to the key."""
        documents = [self.found["role"], self.found["keys"]]
        return any(
            self.anybody(principals, actions, ResourceClass(KEY, ACCOUNT), self.key, documents)
        )

    def breaks_d(self) -> bool:
        """Whether one of OpenAI's calls, at any time from now on, is not surely allowed."""
        openai = PrincipalClass(OPENAI_SESSION, asker_of(OPENAI).caller, OPENAI)
        policies = Policies(
            identity=(ALLOWING_IDENTITY,), resource=self.trust, rcps=self.found.get("rcps", [])
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

    def keeps(self, principal: PrincipalClass) -> bool:
        """Whether somebody surely changes the policy."""
        return self.can(principal, "kms:PutKeyPolicy", generous=False)

    def meanings(self, name: str) -> list[PrincipalClass]:
        """A session may be one of a role under any path, unless something names the role."""
        plain = asker_of(name)
        if name != SESSION or COLLEAGUE in named_in(self.found):
            return [plain]
        return [plain, *under_paths(plain)]

    def can(self, principal: PrincipalClass, action: str, *, generous: bool) -> bool:
        """Whether some request from now on is surely allowed."""
        policies = self.policies(principal, self.key, action, generous=generous)
        pair = () if action == "kms:PutKeyPolicy" else (PAIR,)
        # Nobody tags a root user, and the role has no tags.
        untagged = principal.caller.form is CallerForm.ROOT or principal.role_arn == ROLE
        tag = () if untagged else (TAG,)
        for context in self.to_come(carried=(*tag, TIME, "aws:MultiFactorAuthAge", *pair)):
            request = Request(
                principal.principal, action, KEY, ACCOUNT, {**principal.context, **context}
            )
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


def under_paths(session: PrincipalClass) -> list[PrincipalClass]:
    """A session of a role of the same name under a path, which its own ARN leaves out."""
    paths = ("p/", "aws-service-role/z.amazonaws.com/")
    roles = [f"arn:aws:iam::{ACCOUNT}:role/{path}q" for path in paths]
    return [
        PrincipalClass(session.principal, session.caller, each, {"aws:PrincipalArn": each})
        for each in roles
    ]


def everybody() -> list[PrincipalClass]:
    """Every principal of the small domains."""
    return [*map(asker_of, ASKERS), *under_paths(asker_of(SESSION))]


def asker_of(text: str) -> PrincipalClass:
    """A principal as the proof sees it."""
    caller = parse_caller(text)
    assert caller is not None
    context = {"aws:PrincipalArn": caller.role_arn} if ":assumed-role/" in text else {}
    return PrincipalClass(text, caller, caller.role_arn, context)


def disagreements(found: Json) -> dict[str, tuple[bool, bool]]:
    """By claim what the proof says and what brute force does, where they differ."""
    domains, claims = World(found), failing(found)
    brute = {
        "a": domains.breaks_a,
        "b": domains.breaks_b,
        "c": domains.breaks_c,
        "d": domains.breaks_d,
        "e": domains.breaks_e,
        "f": domains.breaks_f,
    }
    return {
        name: (name in claims, broken)
        for name, breaks in brute.items()
        if (name in claims) is not (broken := breaks())
    }
