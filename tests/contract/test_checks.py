"""Create and validate against a real role and a real key: what AWS says to each mistake."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.constants import REGION
from tests.doubles.customer import ROLE, Customer, document

if TYPE_CHECKING:
    from openai_ekm.rehearsal import EmulatorProcess, LocalStack
    from tests.doubles.customer import Http

RESOURCE_TAIL = (
    "on this resource because the resource does not exist in this Region, no resource-based "
    "policies allow access, or a resource-based policy explicitly denies access"
)


def assume_denied(role_arn: str) -> str:
    """The one text of every refused AssumeRole."""
    return (
        "User: arn:aws:sts::790389265272:assumed-role/EnterpriseKeyManagement/OpenAI-EKM-Service "
        f"is not authorized to perform: sts:AssumeRole on resource: {role_arn}"
    )


def use_denied(customer: Customer, action: str) -> str:
    """How a refused use of the key begins."""
    session = f"arn:aws:sts::{customer.account}:assumed-role/{ROLE}/openai-ekm-emulated"
    return f"User: {session} is not authorized to perform: {action} "


def test_a_correct_key_registers_and_validates(api: Http, customer: Customer) -> None:
    """The emulator accepts what OpenAI accepts."""
    key = api.register(customer)
    assert api.validation(key) == "success"


def test_the_role_is_assumed_and_the_key_used_for_real(
    api: Http, customer: Customer, ekm_localstack: LocalStack
) -> None:
    """Guards against: a check that judges the policies and calls no AWS API."""
    if not ekm_localstack.log:
        pytest.fail("LocalStack's log is what shows the calls")
    before = len(ekm_localstack.log)
    api.register(customer)
    calls = ekm_localstack.log[before:]
    for call in ("sts.AssumeRole => 200", "kms.Encrypt => 200", "kms.Decrypt => 200"):
        assert call in calls


@pytest.mark.parametrize("kind", ["external id", "principal", "no role", "misspelt role"])
def test_every_refused_assume_role_reads_the_same(api: Http, customer: Customer, kind: str) -> None:
    """The emulator refuses what AWS refuses, although LocalStack assumes any role."""
    body = customer.body()
    if kind == "external id":
        body["external_id"] = "org-other"
    elif kind == "principal":
        policy = customer.trust_policy()
        policy["Statement"][0]["Principal"]["AWS"] = "arn:aws:iam::790389265272:role/Other"
        customer.trust(policy)
    elif kind == "no role":
        customer.delete_role()
    else:
        body["role_arn"] += "-x"
    assert api.refusal("POST", "external_keys", body) == assume_denied(body["role_arn"])
    assert api("GET", f"external_keys?after={'x'}").status_code == 400


def test_a_denied_encrypt_and_a_denied_decrypt(api: Http, customer: Customer) -> None:
    """The emulator refuses a role that may not use the key, although LocalStack lets it."""
    for permitted, denied in (("kms:Decrypt", "kms:Encrypt"), ("kms:Encrypt", "kms:Decrypt")):
        customer.permit(permitted)
        assert api.refusal("POST", "external_keys", customer.body()) == (
            use_denied(customer, denied)
            + f"on resource: {customer.kms_arn} because no identity-based policy allows "
            f"the {denied} action"
        )


def test_a_key_policy_that_gives_nothing(api: Http, customer: Customer) -> None:
    """The emulator refuses a role to which the key policy gives no access."""
    customer.key_policy_is(customer.key_policy("kms:DescribeKey"))
    found = api.refusal("POST", "external_keys", customer.body())
    assert found == use_denied(customer, "kms:Encrypt") + RESOURCE_TAIL


def test_a_permissions_boundary_counts(api: Http, customer: Customer) -> None:
    """The emulator reads the permissions boundary, although LocalStack ignores it."""
    policy = document({"Effect": "Allow", "Action": "kms:Encrypt", "Resource": "*"})
    boundary = customer.iam.create_policy(PolicyName="boundary", PolicyDocument=json.dumps(policy))[
        "Policy"
    ]["Arn"]
    customer.iam.put_role_permissions_boundary(RoleName=ROLE, PermissionsBoundary=boundary)
    found = api.refusal("POST", "external_keys", customer.body())
    assert "because no permissions boundary allows the kms:Decrypt action" in found


def test_a_managed_policy_counts(api: Http, customer: Customer) -> None:
    """The emulator reads a Deny of an attached policy."""
    deny = document({"Effect": "Deny", "Action": "kms:*", "Resource": "*"})
    arn = customer.iam.create_policy(PolicyName="deny", PolicyDocument=json.dumps(deny))["Policy"][
        "Arn"
    ]
    customer.iam.attach_role_policy(RoleName=ROLE, PolicyArn=arn)
    found = api.refusal("POST", "external_keys", customer.body())
    assert found.endswith("with an explicit deny in an identity-based policy")


def test_a_disabled_key_fails_to_validate_and_recovers(api: Http, customer: Customer) -> None:
    """A disabled key fails to validate, and validates again once it is enabled."""
    key = api.register(customer)
    customer.kms.disable_key(KeyId=customer.kms_arn)
    assert api.validation(key) == f"{customer.kms_arn} is disabled."
    customer.kms.enable_key(KeyId=customer.kms_arn)
    assert api.validation(key) == "success"


def test_a_key_pending_deletion_fails_to_validate_and_recovers(
    api: Http, customer: Customer
) -> None:
    """A key pending deletion fails to validate, and validates once it is enabled again."""
    key = api.register(customer)
    customer.kms.schedule_key_deletion(KeyId=customer.kms_arn)
    assert api.validation(key) == f"{customer.kms_arn} is pending deletion."
    customer.kms.cancel_key_deletion(KeyId=customer.kms_arn)
    customer.kms.enable_key(KeyId=customer.kms_arn)
    assert api.validation(key) == "success"


def test_revoking_either_side_shows_at_once(api: Http, customer: Customer) -> None:
    """Less permission and another trust each fail the next validation."""
    key = api.register(customer)
    customer.permit("kms:DescribeKey")
    assert api.validation(key).startswith(use_denied(customer, "kms:Encrypt"))
    customer.permit("kms:Encrypt", "kms:Decrypt")
    customer.trust(customer.trust_policy("org-nobody"))
    assert api.validation(key) == assume_denied(customer.role_arn)


def test_a_key_that_is_not_there(api: Http, customer: Customer) -> None:
    """Guards against: a missing key that is reported as a denial."""
    gone = customer.kms_arn[:-12] + "000000000000"
    found = api.refusal("POST", "external_keys", customer.body(kms_arn=gone))
    assert found == f"Key '{gone}' does not exist"
    alias = f"arn:aws:kms:{REGION}:{customer.account}:alias/gone"
    found = api.refusal("POST", "external_keys", customer.body(kms_arn=alias))
    assert found == f"Alias {alias} is not found."
    elsewhere = customer.kms_arn.replace(REGION, "us-east-1")
    found = api.refusal("POST", "external_keys", customer.body(kms_arn=elsewhere))
    assert found == f"Key '{elsewhere}' does not exist"


def test_an_alias_registers_and_moving_it_is_seen(api: Http, customer: Customer) -> None:
    """Guards against: an alias that still validates after it was moved to another key."""
    alias = "alias/openai"
    customer.kms.create_alias(AliasName=alias, TargetKeyId=customer.kms_arn)
    arn = f"arn:aws:kms:{REGION}:{customer.account}:{alias}"
    key = api.register(customer, kms_arn=arn)
    assert api.validation(key) == "success"
    other = customer.kms.create_key()["KeyMetadata"]["KeyId"]
    customer.kms.update_alias(AliasName=alias, TargetKeyId=other)
    assert "kms:Encrypt" in api.validation(key)


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ({"KeySpec": "RSA_2048", "KeyUsage": "ENCRYPT_DECRYPT"}, "SYMMETRIC_DEFAULT"),
        ({"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"}, "GENERATE_VERIFY_MAC"),
        ({"Origin": "EXTERNAL"}, "is pending import."),
    ],
)
def test_a_key_of_another_kind_is_refused(
    api: Http, ekm_localstack: LocalStack, key: dict[str, Any], text: str
) -> None:
    """The emulator refuses an RSA key, although LocalStack encrypts with one."""
    customer = Customer(ekm_localstack, **key)
    assert text in api.refusal("POST", "external_keys", customer.body())


def test_a_multi_region_key_registers(api: Http, ekm_localstack: LocalStack) -> None:
    """The emulator accepts a multi-Region key, a documented form."""
    customer = Customer(ekm_localstack, MultiRegion=True)
    assert ":key/mrk-" in customer.kms_arn
    api.register(customer)


def test_a_role_with_a_path_registers(
    api: Http, ekm_localstack: LocalStack, customer: Customer
) -> None:
    """The emulator accepts a role with a path, and finds it under that path."""
    customer.iam.create_role(
        RoleName="deep",
        Path="/team/x/",
        AssumeRolePolicyDocument=json.dumps(customer.trust_policy()),
    )
    role = f"arn:aws:iam::{customer.account}:role/team/x/deep"
    use = {"Effect": "Allow", "Action": "kms:*", "Resource": customer.kms_arn}
    customer.iam.put_role_policy(
        RoleName="deep", PolicyName="use", PolicyDocument=json.dumps(document(use))
    )
    policy = customer.key_policy()
    policy["Statement"][0]["Condition"] = {"ArnEquals": {"aws:PrincipalArn": role}}
    customer.key_policy_is(policy)
    api.register(customer, role_arn=role)
    misplaced = f"arn:aws:iam::{customer.account}:role/deep"
    found = api.refusal("POST", "external_keys", customer.body(role_arn=misplaced))
    assert found == assume_denied(misplaced)


def test_how_a_refusal_is_worded_is_a_setting(
    api: Http, ekm_openai: EmulatorProcess, customer: Customer
) -> None:
    """Guards against: a client that matches the whole text of a refusal, or one status."""
    ekm_openai.set_settings(
        cloud_refusal_prefix=True, cloud_refusal_status=422, cloud_refusal_code="kms_error"
    )
    answer = api("POST", "external_keys", customer.body(external_id="org-other"))
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "kms_error")
    assert answer.json()["error"]["message"] == (
        "An error occurred (AccessDenied) when calling the AssumeRole operation: "
        + assume_denied(customer.role_arn)
    )


def test_without_decrypt_only_encrypt_is_tried_when_told(
    api: Http, ekm_openai: EmulatorProcess, customer: Customer
) -> None:
    """Whether OpenAI tries Decrypt is not public: a setting decides it."""
    customer.permit("kms:Encrypt")
    ekm_openai.set_settings(tries_decrypt=False)
    api.register(customer)


def test_negative_probes_find_a_role_that_needs_no_external_id(
    api: Http, ekm_openai: EmulatorProcess, customer: Customer
) -> None:
    """A setting makes the emulator refuse a role whose trust policy needs no external id."""
    policy = customer.trust_policy()
    del policy["Statement"][0]["Condition"]
    customer.trust(policy)
    api.register(customer)
    ekm_openai.set_settings(negative_probes=True)
    assert "without an external id" in api.refusal("POST", "external_keys", customer.body())
    customer.trust(customer.trust_policy())
    api.register(customer)


def test_a_kept_session_outlives_the_trust_but_not_the_permission(
    api: Http, ekm_openai: EmulatorProcess, customer: Customer
) -> None:
    """With a kept session, a changed trust shows late, and a changed permission at once."""
    ekm_openai.set_settings(session_cache_seconds=600)
    key = api.register(customer)
    customer.trust(customer.trust_policy("org-nobody"))
    assert api.validation(key) == "success"
    customer.permit("kms:DescribeKey")
    assert "kms:Encrypt" in api.validation(key)


def test_an_encryption_context_is_sent_when_told(
    api: Http, ekm_openai: EmulatorProcess, customer: Customer
) -> None:
    """A setting makes the emulator send an encryption context, for conditions on it."""
    policy = customer.key_policy()
    policy["Statement"][0]["Condition"]["StringEquals"] = {"kms:EncryptionContext:project": "p"}
    customer.key_policy_is(policy)
    assert RESOURCE_TAIL in api.refusal("POST", "external_keys", customer.body())
    ekm_openai.set_settings(encryption_context={"project": "p"})
    api.register(customer)
