"""The documents that the module makes, in every mode, decided request by request.

One apply of tests/terraform/modes by pytest-terraform; its outputs are the documents. Every KMS
action that AWS has is asked, for OpenAI's session and for everybody else in the account.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.session import Session

from openai_ekm.evaluation import Decision, Outcome, Policies, Request, decide
from openai_ekm.rehearsal.localstack import CUSTOMER_ACCOUNT
from tests.support.module_policies import ADMINISTER, DELEGATE_USE, PROTECT, document

pytest_plugins = ["tests.support.applied_modes"]  # the fixture `modes`
pytestmark = [pytest.mark.terraform, pytest.mark.usefixtures("ekm_environment")]

OPENAI = "arn:aws:sts::790389265272:assumed-role/EnterpriseKeyManagement/OpenAI-EKM-Service"
EVERYTHING = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}
ROOT = f"arn:aws:iam::{CUSTOMER_ACCOUNT}:root"
COLLEAGUE = f"arn:aws:iam::{CUSTOMER_ACCOUNT}:role/platform-admin"
LEAST_PRIVILEGE = ["default", "unprotected", "administrators", "multi-region", "narrowed"]
DOCUMENTS = ("trust_policy", "permission_policy", "key_policy")
EVERY_MODE = [*LEAST_PRIVILEGE, "root-delegation"]

# ReEncrypt is an operation, and not a permission: it needs these two.
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_awskeymanagementservice.html
NOT_A_PERMISSION = {"kms:ReEncrypt"}
NOT_AN_OPERATION = {"kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:SynchronizeMultiRegionKey"}
KMS_ACTIONS = sorted(
    {f"kms:{name}" for name in Session().get_service_model("kms").operation_names}
    - NOT_A_PERMISSION
    | NOT_AN_OPERATION
)
ADMINISTRATION = {
    *("kms:CancelKeyDeletion", "kms:CreateAlias", "kms:DeleteAlias", "kms:DescribeKey"),
    *("kms:DisableKey", "kms:DisableKeyRotation", "kms:EnableKey", "kms:EnableKeyRotation"),
    *("kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:ListGrants", "kms:ListKeyPolicies"),
    *("kms:ListKeyRotations", "kms:ListResourceTags", "kms:PutKeyPolicy", "kms:RevokeGrant"),
    *("kms:RotateKeyOnDemand", "kms:TagResource", "kms:UntagResource", "kms:UpdateAlias"),
    "kms:UpdateKeyDescription",
}
# These name no key, so no key policy bears on them; identity policies alone decide.
ADDRESS_NO_KEY = {
    *("kms:ConnectCustomKeyStore", "kms:CreateCustomKeyStore", "kms:CreateKey"),
    *("kms:DeleteCustomKeyStore", "kms:DescribeCustomKeyStores", "kms:DisconnectCustomKeyStore"),
    *("kms:GenerateRandom", "kms:ListAliases", "kms:ListKeys", "kms:ListRetirableGrants"),
    "kms:UpdateCustomKeyStore",
}


@dataclass(frozen=True)
class Mode:
    """The documents of one instance of the module."""

    role_arn: str
    key_arn: str
    trust_policy: dict[str, Any]
    permission_policy: dict[str, Any]
    key_policy: dict[str, Any]

    def allows_assume(
        self,
        principal: str,
        *,
        action: str = "sts:AssumeRole",
        external_id: str | None = None,
        now: str = "2027-01-01T00:00:00Z",
    ) -> bool:
        """Whether the trust policy lets a principal of another account assume the role."""
        context = {"aws:CurrentTime": now}
        if external_id is not None:
            context["sts:ExternalId"] = external_id
        request = Request(principal, action, self.role_arn, CUSTOMER_ACCOUNT, context)
        # The other account's own policies are not ours to see: they allow everything.
        return decide(request, Policies(identity=(EVERYTHING,), resource=self.trust_policy)).allowed

    def as_openai(self, action: str, key_arn: str | None = None) -> bool:
        """Whether the session that OpenAI holds of the role may do something with a key."""
        return self.outcome(
            self.session, action, key_arn or self.key_arn, self.permission_policy
        ).allowed

    @property
    def session(self) -> str:
        """A session of the role."""
        name = self.role_arn.rsplit("/", 1)[1]
        return f"arn:aws:sts::{CUSTOMER_ACCOUNT}:assumed-role/{name}/any-session"

    def outcome(
        self, principal: str, action: str, key_arn: str, identity: dict[str, Any] | None
    ) -> Decision:
        """The decision on one request with the key policy in force."""
        context = {"aws:PrincipalArn": self.role_arn} if principal == self.session else {}
        return decide(
            Request(principal, action, key_arn, CUSTOMER_ACCOUNT, context),
            Policies(identity=() if identity is None else (identity,), resource=self.key_policy),
        )


def mode(root: Any, name: str) -> Mode:
    """The documents of one mode, from the outputs of the applied root."""
    told = root.outputs["modes"]["value"][name]
    return Mode(
        role_arn=told["role_arn"],
        key_arn=told["key_arn"],
        **{document: json.loads(told[f"{document}_json"]) for document in DOCUMENTS},
    )


def test_the_policies_are_the_documented_ones(modes: Any) -> None:
    """A reviewer does not find the policies that OpenAI's instructions ask for."""
    default = mode(modes, "default")
    assert default.permission_policy == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "AllowEncryptDecrypt",
                "Effect": "Allow",
                "Action": ["kms:Decrypt", "kms:Encrypt"],
                "Resource": default.key_arn,
            }
        ],
    }
    assert default.trust_policy == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "AllowAssumeRoleByOpenAI",
                "Effect": "Allow",
                "Principal": {"AWS": "arn:aws:iam::790389265272:role/EnterpriseKeyManagement"},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"sts:ExternalId": ["org-abc123"]}},
            }
        ],
    }
    made = document(ADMINISTER, DELEGATE_USE, PROTECT)
    named = json.dumps(made).replace("role/openai-ekm", "role/ekm-default")
    assert default.key_policy == json.loads(named)
    assert default.role_arn == f"arn:aws:iam::{CUSTOMER_ACCOUNT}:role/ekm-default"
    assert mode(modes, "multi-region").key_arn.rsplit("/", 1)[1].startswith("mrk-")


@pytest.mark.parametrize("name", EVERY_MODE)
def test_only_openai_s_role_with_the_external_id_assumes_the_role(modes: Any, name: str) -> None:
    """Another customer of OpenAI, or another role of OpenAI's, reaches this customer's key."""
    judged = mode(modes, name)
    assert judged.allows_assume(OPENAI, external_id="org-abc123")
    assert not judged.allows_assume(OPENAI)
    for other_id in ("org-ABC123", "org-abc1234", "org-abc12", "org-*", "*", ""):
        assert not judged.allows_assume(OPENAI, external_id=other_id)
    for other in (
        "arn:aws:sts::790389265272:assumed-role/CustomerStorage/s",
        "arn:aws:sts::790389265272:assumed-role/EnterpriseKeyManagement2/s",
        "arn:aws:sts::111111111111:assumed-role/EnterpriseKeyManagement/OpenAI-EKM-Service",
        "arn:aws:iam::790389265272:user/EnterpriseKeyManagement",
        "arn:aws:iam::790389265272:root",
        COLLEAGUE,
        ROOT,
    ):
        assert not judged.allows_assume(other, external_id="org-abc123")
    for action in ("sts:TagSession", "sts:SetSourceIdentity", "sts:AssumeRoleWithWebIdentity"):
        assert not judged.allows_assume(OPENAI, action=action, external_id="org-abc123")


def test_extra_conditions_narrow_and_never_replace_the_external_id(modes: Any) -> None:
    """A condition of the customer's own opens the role, or is left out without a word."""
    narrowed = mode(modes, "narrowed")
    for external_id in ("org-abc123", "proj_abc123"):
        assert narrowed.allows_assume(OPENAI, external_id=external_id)
        assert not narrowed.allows_assume(
            OPENAI, external_id=external_id, now="2031-01-01T00:00:00Z"
        )
    assert not narrowed.allows_assume(OPENAI)


@pytest.mark.parametrize("name", EVERY_MODE)
def test_the_role_encrypts_and_decrypts_with_this_key_and_does_nothing_else(
    modes: Any, name: str
) -> None:
    """One of AWS's KMS actions slips through, or one of the two that OpenAI needs does not."""
    judged = mode(modes, name)
    allowed = {action for action in KMS_ACTIONS if judged.as_openai(action)}
    assert allowed == {"kms:Encrypt", "kms:Decrypt"}
    for other_key in (
        judged.key_arn[:-1] + ("0" if judged.key_arn[-1] != "0" else "1"),
        judged.key_arn.replace("eu-west-1", "eu-west-2"),
    ):
        assert not [action for action in KMS_ACTIONS if judged.as_openai(action, other_key)]


@pytest.mark.parametrize("name", LEAST_PRIVILEGE)
@pytest.mark.parametrize("principal", [ROOT, COLLEAGUE])
def test_nobody_else_in_the_account_uses_the_key_whatever_iam_allows_them(
    modes: Any, name: str, principal: str
) -> None:
    """An administrator reads the data: directly, by a grant, or by a replica of the key."""
    judged = mode(modes, name)
    outcomes = {
        action: judged.outcome(principal, action, judged.key_arn, EVERYTHING).outcome
        for action in KMS_ACTIONS
    }
    deletes = {"kms:ScheduleKeyDeletion"}
    allowed = {action for action, outcome in outcomes.items() if outcome is Outcome.ALLOWED}
    without_a_key = {action for action in KMS_ACTIONS if action in ADDRESS_NO_KEY}
    if name == "unprotected":
        assert allowed - without_a_key == ADMINISTRATION | deletes
    else:
        assert allowed - without_a_key == ADMINISTRATION
        assert outcomes["kms:ScheduleKeyDeletion"] is Outcome.EXPLICITLY_DENIED


def test_a_named_administrator_needs_no_iam_policy_and_cannot_use_the_key(modes: Any) -> None:
    """The named administrator is locked out, or reads the data."""
    judged = mode(modes, "administrators")
    administrator = modes.outputs["administrator"]["value"]
    allowed = {
        action
        for action in KMS_ACTIONS
        if judged.outcome(administrator, action, judged.key_arn, None).allowed
    }
    assert allowed == ADMINISTRATION
    assert not judged.outcome(COLLEAGUE, "kms:PutKeyPolicy", judged.key_arn, None).allowed


def test_root_delegation_does_what_its_description_warns_of(modes: Any) -> None:
    """The mode is taken for as safe as the default: every IAM administrator reads the data."""
    judged = mode(modes, "root-delegation")
    assert judged.outcome(COLLEAGUE, "kms:Decrypt", judged.key_arn, EVERYTHING).allowed
    assert judged.outcome(COLLEAGUE, "kms:CreateGrant", judged.key_arn, EVERYTHING).allowed
    refused = judged.outcome(COLLEAGUE, "kms:ScheduleKeyDeletion", judged.key_arn, EVERYTHING)
    assert refused.outcome is Outcome.EXPLICITLY_DENIED


def test_an_existing_key_gets_no_policy_and_its_owner_the_statement(modes: Any) -> None:
    """The module writes over a policy that is not its own, or hands out a statement that fails."""
    told = modes.outputs["modes"]["value"]["existing"]
    assert told["key_policy_json"] is None
    owner_adds = {
        "Version": "2012-10-17",
        "Statement": [told["key_policy_statement"]],
    }
    judged = Mode(
        role_arn=told["role_arn"],
        key_arn=told["key_arn"],
        trust_policy=json.loads(told["trust_policy_json"]),
        permission_policy=json.loads(told["permission_policy_json"]),
        key_policy=owner_adds,
    )
    assert judged.as_openai("kms:Encrypt")
    assert judged.as_openai("kms:Decrypt")
    assert not judged.outcome(COLLEAGUE, "kms:Decrypt", judged.key_arn, EVERYTHING).allowed
