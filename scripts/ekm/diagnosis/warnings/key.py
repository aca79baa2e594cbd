"""Who else can use the key, and what is brittle about how it is registered.

Source: docs.aws.amazon.com/kms/latest/developerguide/key-policies.html; grants.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ekm.diagnosis.judge import registered_key
from ekm.diagnosis.repairs.repair import shown
from ekm.diagnosis.value import Warned
from ekm.evaluation import Policies, Request, decide
from ekm.policy import DocumentKind, MalformedPolicy, parse_arn, parse_document
from ekm.policy.principal import PrincipalForm
from ekm.policy.statement import Effect
from ekm.snapshot import UNSEEN, Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ekm.policy.document import Document
    from ekm.snapshot import Key, Snapshot

__all__ = ["registered", "warnings"]

_USES: Final = (
    "kms:Encrypt",
    "kms:Decrypt",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:CreateGrant",
)
_ALLOW_ALL: Final = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}


def warnings(snapshot: Snapshot) -> Iterator[Warned]:
    """Yield the warnings about the key's policy and grants."""
    key, role = registered_key(snapshot), snapshot.role
    if key is None or not isinstance(role, Role) or snapshot.keys is UNSEEN:
        return
    if key.policy is not UNSEEN and key.policy is not None:
        try:
            document = parse_document(key.policy, DocumentKind.KEY)
        except MalformedPolicy:
            return
        name = f"keys[{snapshot.keys.index(key)}].policy"
        yield from _others(key, role, document, name)
        for statement in document.statements:
            for each in statement.principals or ():
                brittle = each.form in (PrincipalForm.SESSION, PrincipalForm.UNIQUE_ID)
                if statement.effect is Effect.ALLOW and brittle:
                    yield Warned(
                        "principal_brittle",
                        name,
                        statement.index,
                        statement.sid,
                        "Principal",
                        each.text,
                        "the account with aws:PrincipalArn, or the role",
                        f"{each.text} names one session, or a principal that was deleted.",
                        "Name the account and narrow it by ArnEquals aws:PrincipalArn.",
                    )
    yield from _grants(snapshot, role)


def _others(key: Key, role: Role, document: Document, name: str) -> Iterator[Warned]:
    """Ask for everyone that the policy names, a neighbour and a stranger."""
    found: dict[int, list[str]] = {}
    for principal in _askers(key, role, document):
        for action in _USES:
            request = Request(principal, action, key.arn)
            decision = decide(request, Policies(identity=(_ALLOW_ALL,), resource=document))
            if not decision.allowed:
                continue
            for ref in decision.decided_by:
                if ref.document == "resource":
                    found.setdefault(ref.statement, []).append(principal)
    for index in sorted(found):
        statement = document.statements[index]
        yield Warned(
            "key_policy_too_broad",
            name,
            index,
            statement.sid,
            "Principal",
            shown([each.text for each in statement.principals or ()]),
            f"use by {role.arn} alone",
            f"Others than the role can use the key, such as {found[index][0]}.",
            "Narrow the statement to the role by ArnEquals aws:PrincipalArn, or take the use of "
            "the key out of it.",
        )


def _askers(key: Key, role: Role, document: Document) -> list[str]:
    arn = parse_arn(key.arn)
    account = arn.account if arn is not None else ""
    askers = [
        f"arn:aws:iam::{account}:role/another-role",
        f"arn:aws:iam::{account}:user/somebody",
        f"arn:aws:iam::{account}:root",
        "arn:aws:iam::999988887777:role/somebody-else",
    ]
    own = role.arn.rpartition("/")[2]
    for statement in document.statements:
        for each in statement.principals or ():
            if each.form is PrincipalForm.ACCOUNT and each.account != account:
                askers.append(f"arn:aws:iam::{each.account}:role/another-role")
            elif each.form in (PrincipalForm.ROLE, PrincipalForm.USER, PrincipalForm.SERVICE):
                if each.text != role.arn:
                    askers.append(each.text)
            elif each.form is PrincipalForm.SESSION and f"/{own}/" not in each.text:
                askers.append(each.text)
    return list(dict.fromkeys(askers))


def _grants(snapshot: Snapshot, role: Role) -> Iterator[Warned]:
    if snapshot.grants is UNSEEN:
        return
    for index, grant in enumerate(snapshot.grants):
        grantee = str(grant.get("grantee_principal"))
        if grantee != role.arn:
            yield Warned(
                "granted_to_others",
                f"grants[{index}]",
                None,
                None,
                "grantee_principal",
                grantee,
                f"no grant to others than {role.arn}",
                f"{grantee} may use the key by a grant: {shown(grant.get('operations', []))}.",
                "Revoke the grant unless it is wanted.",
            )


def registered(snapshot: Snapshot) -> Iterator[Warned]:
    """Yield the warnings about the registration."""
    arn = snapshot.registration.kms_arn
    if ":alias/" in arn:
        key = registered_key(snapshot)
        yield Warned(
            "alias_registered",
            "registration",
            None,
            None,
            "kms_arn",
            arn,
            key.arn if key is not None else "the key's own ARN",
            "An alias is registered: whoever moves it takes the key from under the data.",
            "Register the key's own ARN.",
        )
