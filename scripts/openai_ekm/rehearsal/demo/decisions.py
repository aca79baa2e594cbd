"""Who may use the key and who may not: questions asked of the documents that are in force.

LocalStack enforces no IAM, so its "yes" would prove nothing. The evaluator decides as AWS does.
Every other principal is given an identity policy that allows everything, so that what refuses it is
the role's trust policy or the key's policy, and nothing by chance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from openai_ekm.arns import account_of
from openai_ekm.evaluation import Decision, Outcome, Policies, Request, decide
from openai_ekm.openai import OPENAI_ACCOUNT, OPENAI_SESSION_ARN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Answer", "Documents", "ask"]

ANOTHER_ACCOUNT: Final = "444455556666"  # AWS's own account id for examples
ALLOWED, DENIED = True, False


@dataclass(frozen=True, slots=True)
class Documents:
    """The documents in force, read from AWS.

    Args:
        role_arn: The role that OpenAI assumes.
        key_arn: The key.
        external_id: The one that is registered.
        trust_policy: Of the role.
        role_policies: Identity policies of the role.
        key_policy: Of the key.
    """

    role_arn: str
    key_arn: str
    external_id: str
    trust_policy: Any
    role_policies: Sequence[Any]
    key_policy: Any

    @property
    def account(self) -> str:
        """Return the customer's account."""
        return account_of(self.role_arn)


@dataclass(frozen=True, slots=True)
class Answer:
    """One row of the table.

    Args:
        who: Who asks, for people.
        wants: What is asked for.
        expected: Whether it is to be allowed.
        decision: What the evaluator says.
    """

    who: str
    wants: str
    expected: bool
    decision: Decision

    @property
    def holds(self) -> bool:
        """Return whether the decision is the expected one; an error never is."""
        return self.decision.outcome is not Outcome.ERROR and self.decision.allowed is self.expected

    @property
    def because(self) -> str:
        """Return the statements that decided; for an error, why."""
        if self.decision.message and self.decision.outcome is Outcome.ERROR:
            return self.decision.message
        named = [
            reference
            for reference in self.decision.decided_by
            if not reference.document.startswith("identity") or reference.sid
        ]
        if named:
            return ", ".join(reference.sid or str(reference) for reference in named)
        return "no statement allows it"

    def as_json(self) -> dict[str, object]:
        """Return the row as `--json` prints it."""
        return {
            "who": self.who,
            "wants": self.wants,
            "expected": "allowed" if self.expected else "denied",
            "holds": self.holds,
            **self.decision.as_json(),
        }


def ask(documents: Documents) -> tuple[Answer, ...]:
    """Ask every question of the table.

    Args:
        documents: What is in force.
    """
    return (*_assume(documents), *_use(documents), *_administer(documents))


def _assume(documents: Documents) -> list[Answer]:
    """Yield the rows about who may assume the role."""
    right: dict[str, str] = {"sts:ExternalId": documents.external_id}
    wrong: dict[str, str] = {"sts:ExternalId": "org-of-somebody-else"}
    other_role = f"arn:aws:sts::{OPENAI_ACCOUNT}:assumed-role/SomeOtherService/s"
    root = f"arn:aws:iam::{OPENAI_ACCOUNT}:root"
    stranger = f"arn:aws:iam::{ANOTHER_ACCOUNT}:role/admin"
    own = f"arn:aws:iam::{documents.account}:role/admin"
    rows: tuple[tuple[str, str, str, dict[str, str], bool], ...] = (
        ("OpenAI's role", "assume the role, with your id", OPENAI_SESSION_ARN, right, ALLOWED),
        ("OpenAI's role", "… without an external id", OPENAI_SESSION_ARN, {}, DENIED),
        ("OpenAI's role", "… with somebody else's id", OPENAI_SESSION_ARN, wrong, DENIED),
        ("another role of OpenAI's", "assume the role", other_role, right, DENIED),
        ("root of OpenAI's account", "assume the role", root, right, DENIED),
        ("another AWS account", "assume the role", stranger, right, DENIED),
        ("your administrator", "assume the role", own, right, DENIED),
    )
    return [
        _answer(
            who,
            wants,
            Request(principal, "sts:AssumeRole", documents.role_arn, context=context),
            Policies(identity=[allow("*")], resource=documents.trust_policy),
            expected=expected,
        )
        for who, wants, principal, context, expected in rows
    ]


def _use(documents: Documents) -> list[Answer]:
    """Yield the rows about who may use the key."""
    key = documents.key_arn
    other = f"{key.rpartition('/')[0]}/00000000-1111-4222-8333-444444444444"
    # A key with AWS's default policy, which leaves everything to identity policies.
    other_policy = allow("kms:*", {"AWS": f"arn:aws:iam::{documents.account}:root"})
    name = documents.role_arn.rpartition("/")[2]
    session = f"arn:aws:sts::{documents.account}:assumed-role/{name}/openai"
    admin = f"arn:aws:iam::{documents.account}:role/admin"
    root = f"arn:aws:iam::{documents.account}:root"
    stranger = f"arn:aws:iam::{ANOTHER_ACCOUNT}:role/admin"
    all_allowed = [allow("*")]
    rows: tuple[tuple[str, str, str, str, str, Any, Any, bool], ...] = (
        ("OpenAI, in the role", "encrypt with the key", session, "Encrypt", key, None, None, True),
        ("OpenAI, in the role", "decrypt with the key", session, "Decrypt", key, None, None, True),
        ("OpenAI, in the role", "decrypt with another key", session, "Decrypt", other,
         None, other_policy, DENIED),
        ("OpenAI, in the role", "delete the key", session, "ScheduleKeyDeletion", key,
         None, None, DENIED),
        ("your administrator", "decrypt with the key", admin, "Decrypt", key,
         all_allowed, None, DENIED),
        ("your administrator", "grant someone the key", admin, "CreateGrant", key,
         all_allowed, None, DENIED),
        ("your account's root", "decrypt with the key", root, "Decrypt", key,
         all_allowed, None, DENIED),
        ("another AWS account", "decrypt with the key", stranger, "Decrypt", key,
         all_allowed, None, DENIED),
    )  # fmt: skip
    return [
        _answer(
            who,
            wants,
            Request(principal, f"kms:{action}", resource, documents.account),
            Policies(
                identity=identity or documents.role_policies,
                resource=policy or documents.key_policy,
            ),
            expected=expected,
        )
        for who, wants, principal, action, resource, identity, policy, expected in rows
    ]


def _administer(documents: Documents) -> list[Answer]:
    """Yield the rows about the account: it can stop the use, and not lose the key by accident."""
    root = f"arn:aws:iam::{documents.account}:root"
    rows = (
        ("delete the key, protection on", "ScheduleKeyDeletion", DENIED),
        ("disable it (the kill switch)", "DisableKey", ALLOWED),
        ("change the key policy", "PutKeyPolicy", ALLOWED),
    )
    return [
        _answer(
            "your account's root",
            wants,
            Request(root, f"kms:{action}", documents.key_arn, documents.account),
            Policies(identity=[allow("*")], resource=documents.key_policy),
            expected=expected,
        )
        for wants, action, expected in rows
    ]


def allow(action: str, principal: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return a policy of one statement that allows an action on everything.

    Args:
        action: For example `kms:*`.
        principal: For a policy of a resource.
    """
    statement: dict[str, Any] = {"Effect": "Allow", "Action": action, "Resource": "*"}
    if principal is not None:
        statement["Principal"] = dict(principal)
    return {"Version": "2012-10-17", "Statement": [statement]}


def _answer(
    who: str, wants: str, request: Request, policies: Policies, *, expected: bool
) -> Answer:
    return Answer(who, wants, expected, decide(request, policies))
