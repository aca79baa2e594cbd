"""The classes of principals, each with one witness.

There are classes of roles, users, root users, federated users, services and identity providers of
every possible account. The patterns with which documents compare ARNs cut the ARNs into classes, so
that no document tells two members of a class apart. A session that a document names has its own
class, beside a session of the same role under no particular name.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""

from __future__ import annotations

import string
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from openai_ekm.evaluation.request import Caller, CallerForm, Context, parse_caller
from openai_ekm.policy import Condition, Family, Principal, PrincipalForm, parse_arn
from openai_ekm.value_classes.condition_keys import ACCOUNT_KEYS
from openai_ekm.value_classes.domains import condition_patterns, verdicts
from openai_ekm.value_classes.string_classes import (
    DIGIT,
    PRINTABLE,
    Step,
    TextPattern,
    arn_pattern,
    chars,
    class_texts,
    literal,
    many,
    name_pattern,
    one,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from openai_ekm.value_classes.domains import Value

__all__ = ["Named", "PrincipalClass", "account_pattern", "principal_classes"]

NAME = chars(string.ascii_letters + string.digits + "_+=,.@-")
SERVICE = chars(string.ascii_lowercase + string.digits + "-.")
ACCOUNT = one(DIGIT) * 12
SERVICE_NAME = "aws:principalservicename"
FRESH_PROVIDERS = ("saml-provider/a", "oidc-provider/a.example")
SERVICE_LINKED = "arn:*:*:*:*:role/aws-service-role/*"


@dataclass(frozen=True, slots=True)
class PrincipalClass:
    """A class of principals.

    Args:
        principal: The witness, as a request names it.
        caller: The same, read.
        role_arn: Of a session the role behind it, with its path; else empty.
        context: What a request by it says besides, so that it is clear who asks.
        fixed: Values of condition keys, by lower-case name, that follow from who it is though the
            evaluator does not derive them; None when the key is missing.
        example: Whether no document names the witness itself, which need not exist.
    """

    principal: str
    caller: Caller
    role_arn: str = ""
    context: Mapping[str, str] = field(default_factory=dict)
    fixed: Mapping[str, Value] = field(default_factory=dict)
    example: bool = False

    @property
    def in_words(self) -> str:
        """Return the principal in a sentence."""
        if not self.example:
            return self.principal
        return f"any principal such as {self.principal} (an example, which need not exist)"

    @property
    def account(self) -> str:
        """Return its account; empty for a service."""
        return self.caller.account

    @property
    def unreadable(self) -> bool:
        """Return whether a domain names the provider: the evaluator takes it for a service."""
        return self.caller.form is CallerForm.PROVIDER and not self.caller.partition

    @property
    def fixed_id(self) -> str | None:
        """Return the unique id behind it, where documents name one."""
        value = self.fixed.get("aws:userid")
        return value.partition(":")[0] if isinstance(value, str) else None


@dataclass(slots=True)
class Named:
    """The principals that documents name.

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


def principal_classes(named: Named) -> list[PrincipalClass]:
    """Find the classes of principals.

    Args:
        named: What documents say of principals.

    Raises:
        Undecidable: There are too many.
    """
    text_patterns = _arn_patterns(named)
    found: list[PrincipalClass] = []
    for arn in class_texts(_iam(named, "role/"), [*text_patterns, *_session_patterns(named)]):
        found += _sessions(arn, named)
    users = [*text_patterns, *_user_names(named)]
    for within in (_iam(named, "user/"), [_root(named)], [_federated_principals(named)]):
        for text in class_texts(within, users):
            found += _principal(text)
    found += _services(named)
    found += _providers(named)
    exact = {each.text for each in named.principals} | set(named.arns)
    return [
        each if {each.principal, each.role_arn} & exact else replace(each, example=True)
        for each in found
    ]


def _principal(
    text: str, role_arn: str = "", context: Mapping[str, str] | None = None
) -> list[PrincipalClass]:
    caller = parse_caller(text)
    return [] if caller is None else [PrincipalClass(text, caller, role_arn, context or {})]


def _prefix(named: Named, service: str) -> list[Step]:
    return [*one(f"arn:{named.partition}:{service}::"), *ACCOUNT, *one(":")]


def _iam(named: Named, kind: str) -> list[TextPattern]:
    """Return names with or without a path: `role/name`, `role/path/name`."""
    return [TextPattern((*_prefix(named, "iam"), *one(kind), *many(PRINTABLE), *one(NAME)))]


def _root(named: Named) -> TextPattern:
    return TextPattern((*_prefix(named, "iam"), *one("root")))


def _federated_principals(named: Named) -> TextPattern:
    return TextPattern((*_prefix(named, "sts"), *one("federated-user/"), *one(NAME), *many(NAME)))


def _arn_patterns(named: Named) -> list[TextPattern]:
    """Return what tells the ARNs of principals apart."""
    found: list[TextPattern | None] = []
    for condition in named.conditions:
        if condition.lookup == "aws:principalarn":
            found += condition_patterns(condition)
        elif condition.lookup in ACCOUNT_KEYS:
            found += _accounts(condition)
    exact = {each.text for each in named.principals if each.form in EXACT} | set(named.arns)
    found += [literal(text) for text in sorted(exact)]
    accounts = {each.account for each in named.principals if each.account} | set(named.accounts)
    found += [account_pattern((account, False)) for account in sorted(accounts)]
    if named.service_linked:
        found.append(arn_pattern([(SERVICE_LINKED, True)]))
    return list(dict.fromkeys(text_pattern for text_pattern in found if text_pattern is not None))


EXACT = frozenset({PrincipalForm.ROLE, PrincipalForm.USER, PrincipalForm.FEDERATED_USER})


def account_pattern(run: tuple[str, bool]) -> TextPattern | None:
    """Return the ARNs whose fifth part matches; an account has no colon in it."""
    if ":" in run[0]:
        return None
    return arn_pattern([("arn:*:*:*:", True), run, (":*", True)])


def _accounts(condition: Condition) -> list[TextPattern | None]:
    """Return a condition on an account, as one on the ARN that holds it."""
    if condition.operator.family is Family.ARN:
        return []
    wild = condition.operator.positive == "StringLike"
    return [account_pattern((value, wild)) for value in condition.plain_values]


def _user_names(named: Named) -> list[TextPattern]:
    """Return a condition on a user's name, as one on the ARN that ends in it."""
    found: list[TextPattern] = []
    for condition in named.conditions:
        if condition.lookup != "aws:username" or condition.operator.family is not Family.STRING:
            continue
        fold = condition.operator.positive == "StringEqualsIgnoreCase"
        wild = condition.operator.positive == "StringLike"
        for value in condition.plain_values:
            plain = [*_prefix(named, "iam"), *one("user/")]
            below = [*plain, *many(PRINTABLE), *one("/")]
            found += [name_pattern(before, (value, wild), fold=fold) for before in (plain, below)]
    return found


def _named_sessions(named: Named) -> Iterable[tuple[str, str, str, str]]:
    """Yield account, role name, session name and ARN of every session that documents name."""
    texts = {each.text for each in named.principals if each.form is PrincipalForm.SESSION}
    texts |= {arn for arn in named.arns if ":assumed-role/" in arn}
    for text in sorted(texts):
        caller = parse_caller(text)
        if caller is not None and caller.form is CallerForm.SESSION:
            yield caller.account, caller.name, text.rpartition("/")[2], text


def _session_patterns(named: Named) -> list[TextPattern]:
    """Return the roles whose sessions documents name: by their name, whatever their path."""
    found: list[TextPattern] = []
    for account, name, _, _ in _named_sessions(named):
        start = [*one(f"arn:{named.partition}:iam::{account}:role/")]
        found += [
            TextPattern((*start, *one(name))),
            TextPattern((*start, *many(PRINTABLE), *one("/"), *one(name))),
        ]
    return list(dict.fromkeys(found))


def _sessions(role_arn: str, named: Named) -> list[PrincipalClass]:
    """Return the sessions of a role: one under any other name, and those that documents name."""
    found = _principal(role_arn, role_arn)
    arn = parse_arn(role_arn)
    assert arn is not None  # nosec B101 # narrows the type
    name = arn.resource.rpartition("/")[2]
    for account, role, _, text in _named_sessions(named):
        if (account, role) == (arn.account, name):
            found += _principal(text, role_arn, {"aws:PrincipalArn": role_arn})
    return found


def _services(named: Named) -> list[PrincipalClass]:
    """Return the services: those that documents name, whatever their domain, and any other."""
    texts = {each.text for each in named.principals if each.form is PrincipalForm.SERVICE}
    conditions = [each for each in named.conditions if each.lookup == SERVICE_NAME]
    text_patterns = [literal(text) for text in sorted(texts)]
    text_patterns += [
        text_pattern for each in conditions for text_pattern in condition_patterns(each)
    ]
    usual = TextPattern((*many(SERVICE), *one(SERVICE), *one(".amazonaws.com")))
    fresh = [text for text in class_texts([usual], text_patterns) if text not in texts]
    if conditions:
        # Of another domain where a condition asks for one.
        told = {verdicts(conditions, _of_service(text)) for text in fresh}
        for text in class_texts([TextPattern((*many(SERVICE), *one(SERVICE)))], text_patterns):
            found = verdicts(conditions, _of_service(text))
            if text not in texts and found not in told:
                told.add(found)
                fresh.append(text)
    return [
        PrincipalClass(text, parse_caller(text) or Caller(CallerForm.SERVICE, text, "", "", text))
        for text in (*fresh, *sorted(texts))
    ]


def _of_service(name: str) -> Context:
    return Context({SERVICE_NAME: name}, {})


def _providers(named: Named) -> list[PrincipalClass]:
    """Return identity providers; the evaluator cannot read a domain that documents name."""
    texts = {each.text for each in named.principals if each.form is PrincipalForm.FEDERATED}
    account = named.accounts[0] if named.accounts else "0" * 12
    texts |= {f"arn:{named.partition}:iam::{account}:{each}" for each in FRESH_PROVIDERS}
    found: list[PrincipalClass] = []
    for text in sorted(texts):
        caller = parse_caller(text)
        if caller is None or caller.form is not CallerForm.PROVIDER:
            caller = Caller(CallerForm.PROVIDER, text, "", "", text)
        found.append(PrincipalClass(text, caller))
    return found
