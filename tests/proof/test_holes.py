"""Ways in that a proof once overlooked, or may: each was shown to hold before it was mended."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from openai_ekm.proof import Answer
from tests.support.proof_sample import (
    ACCOUNT,
    ADMINISTRATOR,
    KEY,
    ROLE,
    ROOT,
    document,
    failing,
    proven,
    snapshot,
)

Json = Any
OTHER = "444455556666"
OTHER_ROOT = f"arn:aws:iam::{OTHER}:root"
COLLEAGUE = f"arn:aws:iam::{ACCOUNT}:role/q"
FULL = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
MULTI_REGION = KEY.replace("11111111-2222-3333-4444-555555555555", f"mrk-{'1' * 32}")


def _with(*statements: Json) -> Json:
    found = snapshot()
    found["keys"][0]["policy"]["Statement"] += [{"Resource": "*", **each} for each in statements]
    return found


def _allow(principal: Json, action: str, **condition: Json) -> Json:
    found = {"Effect": "Allow", "Principal": principal, "Action": action}
    return {**found, "Condition": condition} if condition else found


def _move(found: Json, arn: str) -> Json:
    """Put the key under another ARN, in whatever account."""
    found["keys"][0]["arn"] = found["registration"]["kms_arn"] = arn
    found["role"]["permission_policies"][0]["document"]["Statement"][0]["Resource"] = arn
    return found


def _elsewhere() -> Json:
    """The key in an account of its own, whose policy names the role."""
    found = _move(snapshot(), KEY.replace(ACCOUNT, OTHER))
    administer, use, _ = found["keys"][0]["policy"]["Statement"]
    administer["Principal"], use["Principal"] = {"AWS": OTHER_ROOT}, {"AWS": ROLE}
    del use["Condition"]
    assert failing(found) == set()
    return found


def test_a_tag_that_one_statement_compares_with_true_may_be_any_text() -> None:
    """Bool on a tag hides a statement that lets in another value of the same tag."""
    colleague = {"AWS": COLLEAGUE}
    tag = "aws:PrincipalTag/a"
    decrypt = _allow(colleague, "kms:Decrypt", StringEquals={tag: "yes"})
    describe = _allow(colleague, "kms:DescribeKey", Bool={tag: "true"})
    assert failing(_with(decrypt, describe)) == {"c"}
    assert failing(_with(describe)) == set()


@pytest.mark.parametrize(
    "service",
    [
        "s3.amazonaws.com",
        "s3.eu-west-1.amazonaws.com",
        "s3.amazonaws.com.cn",
        "x.aws.internal",
        "alexa-appkit.amazon.com",
    ],
)
def test_a_service_counts_whatever_its_domain(service: str) -> None:
    """A service principal outside amazonaws.com is nobody, and uses the key unseen."""
    proof = proven(_with(_allow({"Service": service}, "kms:Decrypt")))
    (claim,) = [each for each in proof.claims if not each.holds]
    assert claim.id == "c"
    assert claim.counterexample is not None
    assert claim.counterexample.request.principal == service
    assert failing(_with(_allow({"Service": service}, "kms:DescribeKey"))) == set()


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("kms:Decrypt", KEY.replace(ACCOUNT, OTHER)),
        ("kms:Decrypt", f"arn:aws:kms:*:{OTHER}:key/*"),
        ("sts:AssumeRole", f"arn:aws:iam::{OTHER}:role/deploy"),
        ("sqs:SendMessage", f"arn:aws:sqs:eu-west-1:{OTHER}:orders"),
        ("kms:PutKeyPolicy", KEY.replace(ACCOUNT, OTHER)),
    ],
)
def test_anywhere_is_other_accounts_too(action: str, resource: str) -> None:
    """A role that may use a key of another account, or be a role there, passes for harmless."""
    found = snapshot()
    own = found["role"]["permission_policies"][0]["document"]["Statement"]
    own.append({"Effect": "Allow", "Action": action, "Resource": resource})
    (claim,) = [each for each in proven(found).claims if not each.holds]
    assert (claim.id, claim.answer) == ("b", Answer.FAILS)
    assert claim.counterexample is not None
    shown = claim.counterexample.request
    assert (shown.principal, shown.action.lower()) == (ROLE, action.lower())
    assert f":{OTHER}:" in shown.resource
    assert [each.document for each in claim.counterexample.statements] == ["permission_policies[0]"]
    own[-1]["Effect"] = "Deny"
    assert failing(found) == set()
    # An SCP on the role's account keeps it in; an RCP guards what is of this account alone.
    own[-1]["Effect"] = "Allow"
    foreign = {"StringNotEquals": {"aws:ResourceAccount": ACCOUNT}}
    kept: list[Json] = [{"Effect": "Allow", "Action": "*", "Resource": "*"}]
    kept.append({"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": foreign})
    assert failing({**found, "scps": [[document(*kept)]]}) == set()
    everyone = [{**each, "Principal": "*"} for each in kept]
    assert failing({**found, "rcps": [[document(*everyone)]]}) == {"b"}


def test_a_grant_on_another_key_counts_against_the_role() -> None:
    """The role decrypts with a key elsewhere, by a grant that the snapshot holds."""
    for arn in (KEY[:-1] + "9", KEY.replace(ACCOUNT, OTHER)):
        found = snapshot()
        grant = {"grantee_principal": ROLE, "operations": ["Decrypt"], "key_arn": arn}
        found["grants"].append(grant)
        assert failing(found) == {"b"}
        found["grants"] = [{**grant, "grantee_principal": ADMINISTRATOR}]
        assert failing(found) == set()


def test_a_customers_resource_control_policy_does_not_bear_on_a_key_elsewhere() -> None:
    """An RCP of one organization is taken to guard a key that lies outside it."""
    deny: Json = {**FULL, "Effect": "Deny", "Action": "kms:Decrypt"}
    deny["Condition"] = {"ArnNotLike": {"aws:PrincipalArn": ROLE}}
    levels = [[document(FULL, deny)]]
    here = _with(_allow({"AWS": COLLEAGUE}, "kms:Decrypt"))
    assert failing(here) == {"c"}
    assert failing({**here, "rcps": levels}) == set()
    there = _elsewhere()
    named = {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*"}
    stranger = {**named, "Principal": {"AWS": f"arn:aws:iam::{OTHER}:role/q"}}
    there["keys"][0]["policy"]["Statement"].append(stranger)
    assert failing({**there, "rcps": levels}) == {"c"}


def test_a_replica_decrypts_what_its_primary_encrypted() -> None:
    """A key of another Region with the same material stands open beside a closed one."""
    found = _move(snapshot(), MULTI_REGION)
    found["keys"][0]["multi_region"] = "PRIMARY"
    replica = copy.deepcopy(found["keys"][0])
    replica |= {"arn": MULTI_REGION.replace("eu-west-1", "us-east-1"), "multi_region": "REPLICA"}
    found["keys"][0]["related"] = [replica["arn"]]
    found["keys"].append(replica)
    assert failing(found) == set()
    replica["policy"]["Statement"].append(
        {**_allow({"AWS": ROOT}, "kms:Decrypt"), "Resource": "*", "Sid": "Open"}
    )
    (claim,) = [each for each in proven(found).claims if not each.holds]
    assert claim.id == "c"
    assert claim.counterexample is not None
    assert claim.counterexample.request.resource == replica["arn"]
    assert [each.document for each in claim.counterexample.statements] == ["keys[1].policy"]
    del replica["policy"]
    assert failing(found) == {"b", "c"}
    # A grant is enough, also on a replica that the snapshot does not hold.
    found["keys"].remove(replica)
    found["keys"][0]["related"] = []
    assert failing(found) == set()
    stranger = f"arn:aws:iam::{OTHER}:role/q"
    found["grants"] = [
        {"grantee_principal": stranger, "operations": ["Decrypt"], "key_arn": replica["arn"]}
    ]
    (claim,) = [each for each in proven(found).claims if not each.holds]
    assert (claim.id, claim.answer) == ("c", Answer.FAILS)
    assert claim.counterexample is not None
    assert claim.counterexample.request.principal == stranger
    assert claim.counterexample.request.resource == replica["arn"]
    found["grants"] = []
    found["keys"].append(replica)
    # A key that only lies in the same snapshot is another key: open to all, so to the role too.
    found["keys"][0]["related"] = []
    replica |= {"arn": replica["arn"][:-1] + "2", "policy": document(FULL)}
    assert failing(found) == {"b"}


@pytest.mark.parametrize(
    "key", ["kms:EncryptionContext:x", "sts:ExternalId", "kms:GrantOperations"]
)
def test_what_no_request_carries_lets_nobody_in(key: str) -> None:
    """An administrator is said to keep the key by a condition that no PutKeyPolicy meets."""
    found = snapshot()
    found["keys"][0]["policy"]["Statement"][0]["Condition"] = {"StringEquals": {key: "y"}}
    assert failing(found) == {"e"}
    met = {"StringEquals": {"aws:SourceVpce": "vpce-1"}}
    found["keys"][0]["policy"]["Statement"][0]["Condition"] = met
    assert failing(found) == set()


@pytest.mark.parametrize("key", ["aws:PrincipalTag/x", "aws:SourceIdentity"])
def test_what_a_root_user_never_has_keeps_no_policy(key: str) -> None:
    """A policy for tagged principals is said to be the root user's, who cannot be tagged."""
    found = snapshot()
    administer = found["keys"][0]["policy"]["Statement"][0]
    administer["Condition"] = {"StringEquals": {key: "y"}}
    assert failing(found) == {"e"}
    administer["Principal"] = {"AWS": ADMINISTRATOR}
    assert failing(found) == set()


def test_a_variable_of_a_later_claim_tells_values_apart() -> None:
    """A key's classes, made for one claim, lack the value that lets somebody in under another."""
    tag = "aws:PrincipalTag/a"
    for variable in ("kms:CallerAccount", "aws:RequestedRegion"):
        condition = {"StringEquals": {tag: f"${{{variable}}}"}}
        found = _with(_allow({"AWS": COLLEAGUE}, "kms:Decrypt", **condition))
        barred: Json = {"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"}
        barred["Condition"] = {"StringEquals": {tag: "bad"}}
        found["role"]["trust_policy"]["Statement"].append(barred)
        assert failing(found) == {"c"}


@pytest.mark.parametrize("constraint", ["EncryptionContextSubset", "EncryptionContextEquals"])
def test_a_grants_pair_beside_a_number_is_still_a_pair(constraint: str) -> None:
    """A condition that compares the same key as a number leaves a grant without its pair."""
    greater = {"NumericGreaterThan": {"kms:EncryptionContext:k": "5"}}
    found = _with({"Effect": "Deny", "Principal": "*", "Action": "kms:Sign", "Condition": greater})
    found["grants"].append(
        {
            "grantee_principal": COLLEAGUE,
            "operations": ["Decrypt"],
            "key_arn": KEY,
            "constraints": {constraint: {"k": "v"}},
        }
    )
    assert failing(found) == {"c"}


@pytest.mark.parametrize("key_arn", [KEY.rpartition("/")[2], KEY.upper(), "alias/a"])
def test_a_grant_on_what_is_no_key_arn_is_not_passed_over(key_arn: str) -> None:
    """A grant that names the key by its id is taken for one on another key."""
    found = snapshot()
    found["grants"].append(
        {"grantee_principal": COLLEAGUE, "operations": ["Decrypt"], "key_arn": key_arn}
    )
    assert failing(found) == {"b", "c", "d", "f"}


@pytest.mark.parametrize("name", ["x.aws.internal", "*.amazonaws.com.cn", "x.amazonaws.com"])
def test_a_service_that_only_a_condition_names_counts_whatever_its_domain(name: str) -> None:
    """A condition asks for a service outside amazonaws.com, and no class of services is it."""
    asked = {"StringLike": {"aws:PrincipalServiceName": name}}
    assert failing(_with(_allow("*", "kms:Decrypt", **asked))) == {"c"}
    assert failing(_with(_allow("*", "kms:DescribeKey", **asked))) == set()


@pytest.mark.parametrize("key", ["kms:CallerAccount", "aws:PrincipalAccount"])
def test_which_account_a_service_has_is_not_said(key: str) -> None:
    """A condition on the account is taken to keep a service out, and AWS says no such thing."""
    condition = {"StringEquals": {key: ACCOUNT}}
    service = {"Service": "s3.amazonaws.com"}
    assert failing(_with(_allow(service, "kms:Decrypt", **condition))) == {"c"}


def test_the_tags_of_key_and_role_count_for_what_must_be_possible() -> None:
    """A Deny by the key's tag refuses OpenAI, or an Allow by one lets an administrator in."""
    stop = {"StringEquals": {"aws:ResourceTag/Stop": "yes"}}
    found = _with({"Effect": "Deny", "Principal": "*", "Action": "kms:Decrypt", "Condition": stop})
    found["keys"][0]["tags"] = {"stop": "no"}
    assert failing(found) == set()
    found["keys"][0]["tags"] = {"stop": "yes"}
    assert failing(found) == {"b", "d"}
    found = snapshot()
    administer, use, _ = found["keys"][0]["policy"]["Statement"]
    administer["Condition"] = {"StringEquals": {"aws:ResourceTag/team": "keys"}}
    found["keys"][0]["tags"] = {"team": "others"}
    assert failing(found) == {"e"}
    found["keys"][0]["tags"] = {"team": "keys"}
    assert failing(found) == set()
    use["Condition"]["StringEquals"] = {"aws:PrincipalTag/team": "ekm"}
    found["role"]["tags"] = {"team": "ekm"}
    assert failing(found) == set()
    found["role"]["tags"] = {}
    assert failing(found) == {"b", "d"}


def test_tags_keep_nobody_out() -> None:
    """Whoever may tag the key opens it, and no policy changes."""
    tagged = {"StringEquals": {"aws:ResourceTag/open": "yes"}}
    found = _with(_allow({"AWS": COLLEAGUE}, "kms:Decrypt", **tagged))
    found["keys"][0]["tags"] = {"open": "no"}
    assert failing(found) == {"c"}


def test_openai_comes_from_an_organization_that_is_not_public() -> None:
    """A condition that a call without an organization passes is said to let OpenAI in."""
    found = snapshot()
    condition = found["role"]["trust_policy"]["Statement"][0]["Condition"]
    condition["StringEqualsIfExists"] = {"aws:PrincipalOrgID": "o-mine000000"}
    assert failing(found) == {"d"}
    found["calls"] = {"openai_organization": "o-mine000000"}
    assert failing(found) == set()


def test_encryption_with_an_external_id_is_no_way_for_the_role() -> None:
    """A condition of AssumeRole on Encrypt is taken for one that some Encrypt meets."""
    found = snapshot()
    use = found["keys"][0]["policy"]["Statement"][1]
    use["Condition"]["StringEquals"] = {"sts:ExternalId": "org-abc123"}
    assert failing(found) == {"b", "d"}
    use["Condition"]["StringEquals"] = {"kms:EncryptionContext:x": "y"}
    assert failing(found) == {"d"}


def test_nobody_outside_the_keys_account_counts_as_keeping_its_policy() -> None:
    """A key that its own account cannot administer is said to be administered from outside."""
    found = snapshot()
    found["keys"][0]["policy"]["Statement"][0]["Principal"] = {"AWS": OTHER_ROOT}
    found["administrators"] = [OTHER_ROOT]
    assert failing(found) == {"e"}


@pytest.mark.parametrize(
    ("caller", "expected"),
    [
        (OTHER_ROOT, set()),
        (f"arn:aws:iam::{OTHER}:role/q", set()),
        (f"arn:aws:iam::{OTHER}:user/q", set()),
        (f"arn:aws:sts::{OTHER}:assumed-role/q/s", set()),
        (COLLEAGUE, {"e"}),
        (f"arn:aws:iam::{ACCOUNT}:root", {"e"}),
        (ROLE, {"b", "e"}),
        ("no principal", {"e"}),
    ],
)
def test_a_caller_keeps_a_key_of_another_account_only_from_there(
    caller: str, expected: set[str]
) -> None:
    """Who applies in one account is said to keep a key of another, which KMS refuses."""
    found = _elsewhere()
    found["caller"] = caller
    found["administrators"] = [OTHER_ROOT, caller]
    if caller != "no principal":
        allow = {**_allow({"AWS": caller}, "kms:PutKeyPolicy"), "Resource": "*"}
        found["keys"][0]["policy"]["Statement"].append(allow)
        own = {"Effect": "Allow", "Action": "kms:PutKeyPolicy", "Resource": "*"}
        if caller == ROLE:
            # Its own policies are seen, and allow it: KMS refuses all the same.
            found["role"]["permission_policies"][0]["document"]["Statement"].append(own)
    assert failing(found) == expected


def test_the_roles_own_policies_count_when_the_role_is_the_caller() -> None:
    """A caller that is the role itself is judged as if its policies were not seen."""
    found = _with(_allow({"AWS": ROOT}, "kms:PutKeyPolicy"))
    found["caller"] = ROLE
    assert failing(found) == {"e"}
    own = {"Effect": "Allow", "Action": "kms:PutKeyPolicy", "Resource": KEY}
    found["role"]["permission_policies"][0]["document"]["Statement"].append(own)
    # It keeps the policy now, and that is what (b) and (c) forbid.
    assert failing(found) == {"b", "c"}


@pytest.mark.parametrize(
    "deny",
    [
        {"Principal": {"AWS": f"arn:aws:sts::{ACCOUNT}:assumed-role/openai-ekm/x"}},
        {"Principal": "*", "Condition": {"StringLike": {"aws:userid": "AROAX*"}}},
    ],
)
def test_openai_passes_under_any_session_name_and_id(deny: Json) -> None:
    """A Deny for one session of the role refuses OpenAI, whose session may be that one."""
    found = _with({"Effect": "Deny", "Action": "kms:Decrypt", **deny})
    assert failing(found) == {"d"}


@pytest.mark.parametrize(
    ("operator", "key", "value"),
    [
        ("NumericLessThan", "aws:EpochTime", "1700000000"),
        ("DateLessThan", "aws:CurrentTime", "2025-01-01"),
    ],
)
def test_a_time_that_is_past_is_no_way_and_no_defect(operator: str, key: str, value: str) -> None:
    """Seconds since 1970, all of them past, leave no time to come, and the proof breaks off."""
    found = snapshot()
    administer, use, _ = found["keys"][0]["policy"]["Statement"]
    administer["Condition"] = {operator: {key: value}}
    assert failing(found) == {"e"}
    use["Condition"][operator] = {key: value}
    assert failing(found) == {"b", "d", "e"}
    administer["Condition"] = {operator.replace("Less", "Greater"): {key: value}}
    assert failing(found) == {"b", "d"}


@pytest.mark.parametrize("key", ["sts:RoleSessionName", "aws:UserAgent", "aws:userid"])
@pytest.mark.parametrize("operator", ["StringEquals", "StringLike"])
def test_openai_is_not_known_to_have_the_name_that_a_policy_wants(key: str, operator: str) -> None:
    """A condition on a name that is not public is said to let OpenAI in."""
    found = snapshot()
    (trust,) = found["role"]["trust_policy"]["Statement"]
    trust["Condition"].setdefault(operator, {})[key] = "OpenAI-EKM-Service"
    assert failing(found) == {"d"}
    trust["Condition"][operator][key] = "*"
    assert failing(found) == ({"d"} if operator == "StringEquals" else set())
    barred = {"Effect": "Deny", "Principal": "*", "Action": "kms:Decrypt"}
    wanted = {operator.replace("String", "StringNot"): {key: "AROAX*"}}
    if key != "sts:RoleSessionName":
        assert failing(_with({**barred, "Condition": wanted})) == {"d"}


def test_a_request_to_kms_holds_no_session_name() -> None:
    """A use of the key that asks for a key of STS is said to be OpenAI's."""
    found = snapshot()
    use = found["keys"][0]["policy"]["Statement"][1]
    use["Condition"]["Null"] = {"sts:RoleSessionName": "false"}
    assert failing(found) == {"b", "d"}


def test_the_id_of_somebody_gone_is_not_the_roles() -> None:
    """A Deny that a deleted role left behind is taken to refuse OpenAI."""
    gone = {"AWS": "AROAEXAMPLEEXAMPLE123"}
    assert failing(_with({"Effect": "Deny", "Principal": gone, "Action": "kms:*"})) == set()


def test_whether_everyone_means_services_too_counts_against_the_claim() -> None:
    """What AWS does not say of the principal * and services is taken for a denial."""
    services = {"Bool": {"aws:PrincipalIsAWSService": "true"}}
    assert failing(_with(_allow("*", "kms:Decrypt", **services))) == {"c"}
    assert failing(_with(_allow("*", "kms:DescribeKey", **services))) == set()


def test_a_beginning_that_is_past_refuses_nobody() -> None:
    """A policy that began to allow last year is said to refuse OpenAI, as it did before."""
    found = snapshot()
    condition = found["role"]["trust_policy"]["Statement"][0]["Condition"]
    condition["DateGreaterThan"] = {"aws:CurrentTime": "2025-01-01T00:00:00Z"}
    assert failing(found) == set()
    condition["DateGreaterThan"] = {"aws:CurrentTime": "2027-01-01T00:00:00Z"}
    assert failing(found) == {"d"}


@pytest.mark.parametrize("related", [False, True])
def test_the_policy_of_another_key_that_lets_the_role_in_is_read(related: bool) -> None:
    """Guards against: (b) says "anywhere", and a second key's policy names the role itself."""
    found = _move(snapshot(), MULTI_REGION) if related else snapshot()
    other = MULTI_REGION.replace("eu-west-1", "us-east-1") if related else f"{KEY[:-1]}6"
    second = copy.deepcopy(found["keys"][0]) | {"arn": other}
    found["keys"].append(second)
    for each in found["keys"] if related else []:
        each["related"] = [other if each is not second else MULTI_REGION]
    assert "b" not in failing(found)
    second["policy"]["Statement"].append(_allow({"AWS": ROLE}, "kms:Decrypt") | {"Resource": "*"})
    (claim,) = (each for each in proven(found).claims if each.id == "b")
    assert claim.counterexample is not None
    assert claim.counterexample.request.resource == other
    assert claim.counterexample.statements[0].document == "keys[1].policy"


def test_another_keys_policy_that_aws_would_not_save_breaks_nothing() -> None:
    """Guards against: a document that is in force nowhere fails the claims on the key."""
    found = snapshot()
    found["keys"].append({"arn": f"{KEY[:-1]}6", "policy": {"Version": "2012-10-17"}})
    assert failing(found) == set()


def test_what_the_evaluator_allows_is_possible_though_its_class_is_open() -> None:
    """Guards against: (b) says that the statement which allows the role denies it."""
    found = snapshot()
    found["keys"][0]["policy"]["Statement"][1]["Condition"] = {
        "ArnEquals": {
            "aws:PrincipalArn": f"{ROLE.replace(ACCOUNT, '${aws:PrincipalAccount}')}",
        }
    }
    assert "b" not in failing(found)
