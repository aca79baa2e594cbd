"""The classes of principals that may ask, each by one witness.

Roles, users, root users, federated users, services and identity providers of every account there
could be: their ARNs are cut by every pattern that documents compare them with, so that each class
is one that no document tells apart. Sessions that documents name stand beside a session of the
same role under no particular name.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ekm.evaluation.caller import Caller, CallerForm, parse_caller
from ekm.evaluation.conditions import holds
from ekm.evaluation.request import Context
from ekm.policy import Condition, Family, Principal, PrincipalForm, parse_arn
from ekm.proof.keys import ACCOUNT_KEYS
from ekm.proof.shapes import (
    DIGIT,
    Chars,
    Shape,
    Step,
    arn_shape,
    chars,
    literal,
    many,
    name_shape,
    one,
)
from ekm.proof.texts import class_texts
from ekm.proof.values import condition_shapes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ekm.proof.values import Value

__all__ = ["Asker", "Named", "askers"]

NAME = chars("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+=,.@-")
PATH = Chars(frozenset(map(chr, range(0x21, 0x7F))) - frozenset("*?"))
SERVICE = chars("abcdefghijklmnopqrstuvwxyz0123456789-.")
ACCOUNT = one(DIGIT) * 12
SERVICE_NAME = "aws:principalservicename"
FRESH_PROVIDERS = ("saml-provider/a", "oidc-provider/a.example")
SERVICE_LINKED = "arn:*:*:*:*:role/aws-service-role/*"


@dataclass(frozen=True, slots=True)
class Asker:
    """A class of principals.

    Args:
        principal: The witness, as a request names it.
        caller: The same, read.
        role_arn: Of a session the role behind it, with its path; else empty.
        context: What a request by it says besides, so that it is clear who asks.
        fixed: Values of condition keys, by lower-case name, that follow from who it is though the
            evaluator does not derive them; None when the key is missing.
    """

    principal: str
    caller: Caller
    role_arn: str = ""
    context: Mapping[str, str] = field(default_factory=dict)
    fixed: Mapping[str, Value] = field(default_factory=dict)

    @property
    def account(self) -> str:
        """Its account; empty for a service."""
        return self.caller.account

    @property
    def unreadable(self) -> bool:
        """Whether it is a provider that a domain names: the evaluator takes it for a service."""
        return self.caller.form is CallerForm.PROVIDER and not self.caller.partition

    @property
    def arn(self) -> str:
        """What names it as an administrator: a role's ARN for its sessions."""
        return self.role_arn or self.principal

    @property
    def fixed_id(self) -> str | None:
        """The unique id behind it, where documents name one."""
        value = self.fixed.get("aws:userid")
        return value.partition(":")[0] if isinstance(value, str) else None


@dataclass(slots=True)
class Named:
    """What documents say of principals.

    Args:
        partition: Of role and key.
        conditions: On keys that follow from the principal.
        principals: That resource policies and grants name.
        arns: Others that matter: the role, OpenAI's role, administrators.
        accounts: Accounts that matter.
        service_linked: Whether it matters that a role is service-linked.
    """

    partition: str
    conditions: list[Condition]
    principals: list[Principal]
    arns: list[str]
    accounts: list[str]
    service_linked: bool


def askers(named: Named) -> list[Asker]:
    """Find the classes of principals.

    Args:
        named: What documents say of principals.

    Raises:
        Undecidable: There are too many.
    """
    shapes = _arn_shapes(named)
    found: list[Asker] = []
    for arn in class_texts(_iam(named, "role/"), [*shapes, *_session_shapes(named)]):
        found += _sessions(arn, named)
    users = [*shapes, *_user_names(named)]
    for within in (_iam(named, "user/"), [_root(named)], [_federated(named)]):
        for text in class_texts(within, users):
            found += _asker(text)
    found += _services(named)
    found += _providers(named)
    return found


def _asker(text: str, role_arn: str = "", context: Mapping[str, str] | None = None) -> list[Asker]:
    caller = parse_caller(text)
    return [] if caller is None else [Asker(text, caller, role_arn, context or {})]


def _prefix(named: Named, service: str) -> list[Step]:
    return [*one(f"arn:{named.partition}:{service}::"), *ACCOUNT, *one(":")]


def _iam(named: Named, kind: str) -> list[Shape]:
    """Names with or without a path: `role/name`, `role/path/name`."""
    return [Shape((*_prefix(named, "iam"), *one(kind), *many(PATH), *one(NAME)))]


def _root(named: Named) -> Shape:
    return Shape((*_prefix(named, "iam"), *one("root")))


def _federated(named: Named) -> Shape:
    return Shape((*_prefix(named, "sts"), *one("federated-user/"), *one(NAME), *many(NAME)))


def _arn_shapes(named: Named) -> list[Shape]:
    """What tells the ARNs of principals apart."""
    found: list[Shape | None] = []
    for condition in named.conditions:
        if condition.lookup == "aws:principalarn":
            found += condition_shapes(condition)
        elif condition.lookup in ACCOUNT_KEYS:
            found += _accounts(condition)
    exact = {each.text for each in named.principals if each.form in EXACT} | set(named.arns)
    found += [literal(text) for text in sorted(exact)]
    accounts = {each.account for each in named.principals if each.account} | set(named.accounts)
    found += [_account((account, False)) for account in sorted(accounts)]
    if named.service_linked:
        found.append(arn_shape([(SERVICE_LINKED, True)]))
    return list(dict.fromkeys(shape for shape in found if shape is not None))


EXACT = frozenset({PrincipalForm.ROLE, PrincipalForm.USER, PrincipalForm.FEDERATED_USER})


def _account(run: tuple[str, bool]) -> Shape | None:
    """ARNs whose fifth part matches; an account has no colon in it."""
    if ":" in run[0]:
        return None
    return arn_shape([("arn:*:*:*:", True), run, (":*", True)])


def _accounts(condition: Condition) -> list[Shape | None]:
    """A condition on an account, as one on the ARN that holds it."""
    if condition.operator.family is Family.ARN:
        return []
    wild = condition.operator.positive == "StringLike"
    return [
        _account((value, wild))
        for index, value in enumerate(condition.values)
        if not (condition.templates and condition.templates[index] is not None)
    ]


def _user_names(named: Named) -> list[Shape]:
    """A condition on a user's name, as one on the ARN that ends in it."""
    found: list[Shape] = []
    for condition in named.conditions:
        if condition.lookup != "aws:username" or condition.operator.family is not Family.STRING:
            continue
        fold = condition.operator.positive == "StringEqualsIgnoreCase"
        wild = condition.operator.positive == "StringLike"
        for index, value in enumerate(condition.values):
            if condition.templates and condition.templates[index] is not None:
                continue
            plain = [*_prefix(named, "iam"), *one("user/")]
            below = [*plain, *many(PATH), *one("/")]
            found += [name_shape(before, (value, wild), fold=fold) for before in (plain, below)]
    return found


def _named_sessions(named: Named) -> Iterable[tuple[str, str, str, str]]:
    """Account, role name, session name and ARN of every session that documents name."""
    texts = {each.text for each in named.principals if each.form is PrincipalForm.SESSION}
    texts |= {arn for arn in named.arns if ":assumed-role/" in arn}
    for text in sorted(texts):
        caller = parse_caller(text)
        if caller is not None and caller.form is CallerForm.SESSION:
            yield caller.account, caller.name, text.rpartition("/")[2], text


def _session_shapes(named: Named) -> list[Shape]:
    """Roles whose sessions documents name: by their name, whatever their path."""
    found: list[Shape] = []
    for account, name, _, _ in _named_sessions(named):
        start = [*one(f"arn:{named.partition}:iam::{account}:role/")]
        found += [
            Shape((*start, *one(name))),
            Shape((*start, *many(PATH), *one("/"), *one(name))),
        ]
    return list(dict.fromkeys(found))


def _sessions(role_arn: str, named: Named) -> list[Asker]:
    """Sessions of a role: one under no particular name, and those that documents name."""
    found = _asker(role_arn, role_arn)
    arn = parse_arn(role_arn)
    assert arn is not None
    name = arn.resource.rpartition("/")[2]
    for account, role, _, text in _named_sessions(named):
        if (account, role) == (arn.account, name):
            found += _asker(text, role_arn, {"aws:PrincipalArn": role_arn})
    return found


def _services(named: Named) -> list[Asker]:
    """Services: those that documents name, whatever their domain, and any other."""
    texts = {each.text for each in named.principals if each.form is PrincipalForm.SERVICE}
    conditions = [each for each in named.conditions if each.lookup == SERVICE_NAME]
    shapes = [literal(text) for text in sorted(texts)]
    shapes += [shape for each in conditions for shape in condition_shapes(each)]
    usual = Shape((*many(SERVICE), *one(SERVICE), *one(".amazonaws.com")))
    fresh = [text for text in class_texts([usual], shapes) if text not in texts]
    if conditions:
        # Of another domain where a condition asks for one.
        told = {_verdicts(conditions, text) for text in fresh}
        for text in class_texts([Shape((*many(SERVICE), *one(SERVICE)))], shapes):
            if text not in texts and (verdicts := _verdicts(conditions, text)) not in told:
                told.add(verdicts)
                fresh.append(text)
    return [
        Asker(text, parse_caller(text) or Caller(CallerForm.SERVICE, text, "", "", text))
        for text in (*fresh, *sorted(texts))
    ]


def _verdicts(conditions: Sequence[Condition], name: str) -> tuple[object, ...]:
    """What conditions say to a service's name."""
    context = Context({SERVICE_NAME: name}, {})
    found = (holds(each, context) for each in conditions)
    return tuple(each if isinstance(each, bool) else "open" for each in found)


def _providers(named: Named) -> list[Asker]:
    """Identity providers; a domain that documents name is one that the evaluator cannot read."""
    texts = {each.text for each in named.principals if each.form is PrincipalForm.FEDERATED}
    account = named.accounts[0] if named.accounts else "0" * 12
    texts |= {f"arn:{named.partition}:iam::{account}:{each}" for each in FRESH_PROVIDERS}
    found: list[Asker] = []
    for text in sorted(texts):
        caller = parse_caller(text)
        if caller is None or caller.form is not CallerForm.PROVIDER:
            caller = Caller(CallerForm.PROVIDER, text, "", "", text)
        found.append(Asker(text, caller))
    return found
