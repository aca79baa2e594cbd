"""A table of what can be wrong with a set-up, each one change from healthy."""

from __future__ import annotations

from typing import Any

from openai_ekm.openai import OPENAI_SESSION_ARN
from tests.support.healthy import (
    ACCOUNT,
    ALIAS,
    ID,
    KEY,
    KEY_USE,
    OPENAI,
    OTHER_KEY,
    PATHED,
    ROLE,
    ROOT,
    TRUST,
    USE,
    document,
    equals,
)

__all__ = ["FAULTS", "FULL", "INCURABLE", "PERIMETER", "WARNINGS"]

ALLOW = {"Effect": "Allow", "Action": "*", "Resource": "*"}
FULL = {**ALLOW, "Principal": "*"}
# aws-samples/data-perimeter-policy-examples, identity_perimeter_rcp.json
PERIMETER = {
    "Sid": "EnforceOrgIdentities",
    "Effect": "Deny",
    "Principal": "*",
    "Action": ["s3:*", "kms:*", "sts:AssumeRole"],
    "Resource": "*",
    "Condition": {
        "StringNotEqualsIfExists": {
            "aws:PrincipalOrgID": "o-mine",
            "aws:PrincipalAccount": ["123412341234"],
            "aws:ResourceTag/dp:exclude:identity": "true",
        },
        "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
    },
}


# name -> (path, value, outcome, id of the first fault, its document)
FAULTS: dict[str, tuple[str, Any, str, str, str]] = {
    # external id
    "another organization": (
        ID, {"StringEquals": {"sts:ExternalId": "org-xyz"}},
        "assume_role_denied", "external_id_of_another_organization", "trust_policy",
    ),
    "wrong": (
        ID, {"StringEquals": {"sts:ExternalId": "secret"}},
        "assume_role_denied", "external_id_wrong", "trust_policy",
    ),
    "other case": (
        ID, {"StringEquals": {"sts:ExternalId": ["Org-ABC"]}},
        "assume_role_denied", "external_id_case", "trust_policy",
    ),
    "trailing space": (
        ID, {"StringEquals": {"sts:ExternalId": "org-abc "}},
        "assume_role_denied", "external_id_white_space", "trust_policy",
    ),
    "other case and a space": (
        ID, {"StringEquals": {"sts:ExternalId": " Org-abc "}},
        "assume_role_denied", "external_id_white_space", "trust_policy",
    ),
    "another condition instead": (
        ID, {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
        "assume_role_denied", "condition_mfa", "trust_policy",
    ),
    "line break registered": (
        "registration/external_id", "org-abc\n",
        "assume_role_denied", "external_id_form", "registration",
    ),
    "pattern under StringEquals": (
        ID, {"StringEquals": {"sts:ExternalId": "org-*"}},
        "assume_role_denied", "external_id_pattern", "trust_policy",
    ),
    "wrong operator": (
        ID, {"ArnEquals": {"sts:ExternalId": "org-abc"}},
        "assume_role_denied", "external_id_wrong_operator", "trust_policy",
    ),
    "negated operator": (
        ID, {"StringNotEquals": {"sts:ExternalId": "org-abc"}},
        "assume_role_denied", "external_id_wrong_operator", "trust_policy",
    ),
    "must be missing": (
        ID, {"Null": {"sts:ExternalId": "true"}},
        "assume_role_denied", "external_id_wrong_operator", "trust_policy",
    ),
    "wrong key": (
        ID, {"StringEquals": {"aws:ExternalId": "org-abc"}},
        "assume_role_denied", "external_id_wrong_key", "trust_policy",
    ),
    # principal of the trust policy
    "principal mistyped": (
        f"{TRUST}/Principal", {"AWS": OPENAI + "x"},
        "assume_role_denied", "principal_mistyped", "trust_policy",
    ),
    "principal of another account": (
        f"{TRUST}/Principal", {"AWS": OPENAI.replace("7903", "7904")},
        "assume_role_denied", "principal_mistyped", "trust_policy",
    ),
    "own account root": (
        f"{TRUST}/Principal", {"AWS": ROOT},
        "assume_role_denied", "principal_account", "trust_policy",
    ),
    "another session": (
        f"{TRUST}/Principal",
        {"AWS": "arn:aws:sts::790389265272:assumed-role/EnterpriseKeyManagement/Other"},
        "assume_role_denied", "principal_session", "trust_policy",
    ),
    "a service": (
        f"{TRUST}/Principal", {"Service": "kms.amazonaws.com"},
        "assume_role_denied", "principal_service", "trust_policy",
    ),
    "a deleted role": (
        f"{TRUST}/Principal", {"AWS": "AROAEXAMPLE123456789X"},
        "assume_role_denied", "principal_deleted", "trust_policy",
    ),
    "no AssumeRole": (
        f"{TRUST}/Action", "sts:TagSession",
        "assume_role_denied", "action_missing", "trust_policy",
    ),
    # conditions that OpenAI's calls cannot meet
    "organization": (
        ID, equals("aws:PrincipalOrgID", "o-mine"),
        "assume_role_denied", "condition_organization", "trust_policy",
    ),
    "source ip": (
        ID, equals("aws:SourceIp", "10.0.0.0/8", "IpAddress"),
        "assume_role_denied", "condition_source_ip", "trust_policy",
    ),
    "source ip if it exists": (
        ID, equals("aws:SourceIp", "10.0.0.0/8", "IpAddressIfExists"),
        "assume_role_denied", "condition_source_ip", "trust_policy",
    ),
    "vpc endpoint": (
        f"{USE}/Condition", {"StringEquals": {"aws:SourceVpce": "vpce-1"}},
        "encrypt_denied", "condition_vpc_endpoint", "permission_policies[0]",
    ),
    "mfa": (
        ID, equals("aws:MultiFactorAuthPresent", "true", "Bool"),
        "assume_role_denied", "condition_mfa", "trust_policy",
    ),
    "session name": (
        ID, equals("sts:RoleSessionName", "OpenAI"),
        "assume_role_denied", "condition_session_name", "trust_policy",
    ),
    "encryption context": (
        f"{USE}/Condition", {"StringEquals": {"kms:EncryptionContext:a": "b"}},
        "encrypt_denied", "condition_encryption_context", "permission_policies[0]",
    ),
    "via service": (
        f"{USE}/Condition", {"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}},
        "encrypt_denied", "condition_via_service", "permission_policies[0]",
    ),
    "tag": (
        f"{USE}/Condition", {"StringEquals": {"aws:PrincipalTag/team": "a"}},
        "encrypt_denied", "condition_tag", "permission_policies[0]",
    ),
    "date passed": (
        ID, equals("aws:CurrentTime", "2020-01-01T00:00:00Z", "DateLessThan"),
        "assume_role_denied", "condition_date", "trust_policy",
    ),
    "date to come": (
        ID, equals("aws:CurrentTime", "2099-01-01T00:00:00Z", "DateLessThan"),
        "assume_role_denied", "condition_date", "trust_policy",
    ),
    # the role
    "role missing": ("role", None, "assume_role_denied", "role_missing", "role"),
    "role path left out": (
        "role/arn", PATHED, "assume_role_denied", "role_path_left_out", "registration",
    ),
    "role mistyped": (
        "registration/role_arn", ROLE + "x",
        "assume_role_denied", "role_arn_mistyped", "registration",
    ),
    "role arn of no form": (
        "registration/role_arn", "openai-ekm",
        "assume_role_denied", "role_arn_form", "registration",
    ),
    # the use of the key
    "alias as resource": (
        f"{USE}/Resource", ALIAS, "encrypt_denied", "resource_alias", "permission_policies[0]",
    ),
    "resource of another account": (
        f"{USE}/Resource", KEY.replace(ACCOUNT, "999999999999"),
        "encrypt_denied", "resource_wrong_account", "permission_policies[0]",
    ),
    "resource of another Region": (
        f"{USE}/Resource", KEY.replace("eu-west-1", "us-east-1"),
        "encrypt_denied", "resource_wrong_region", "permission_policies[0]",
    ),
    "another key": (
        f"{USE}/Resource", [OTHER_KEY],
        "encrypt_denied", "resource_wrong_key", "permission_policies[0]",
    ),
    "Encrypt missing": (
        f"{USE}/Action", ["kms:Decrypt"],
        "encrypt_denied", "action_missing", "permission_policies[0]",
    ),
    "Decrypt missing": (
        f"{USE}/Action", "kms:Encrypt",
        "decrypt_denied", "action_missing", "permission_policies[0]",
    ),
    "no identity policy": (
        "role/permission_policies", [],
        "encrypt_denied", "identity_policy_missing", "permission_policies",
    ),
    "key policy without delegation": (
        KEY_USE, ..., "encrypt_denied", "key_policy_without_delegation", "keys[0].policy",
    ),
    "key policy names another role": (
        f"{KEY_USE}/Condition", {"ArnEquals": {"aws:PrincipalArn": ROLE + "x"}},
        "encrypt_denied", "condition_wrong_principal", "keys[0].policy",
    ),
    "key policy leaves a path out": (
        f"{KEY_USE}/Condition", {"ArnEquals": {"aws:PrincipalArn": PATHED}},
        "encrypt_denied", "role_path_left_out", "keys[0].policy",
    ),
    "key policy through a service": (
        f"{KEY_USE}/Condition",
        {"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}},
        "encrypt_denied", "condition_via_service", "keys[0].policy",
    ),
    "recreated role": (
        KEY_USE,
        {"Effect": "Allow", "Principal": {"AWS": "AROAEXAMPLE123456789X"},
         "Action": ["kms:Decrypt", "kms:Encrypt"], "Resource": "*"},
        "encrypt_denied", "principal_deleted", "keys[0].policy",
    ),
    "denied by the key policy": (
        KEY_USE,
        {"Effect": "Deny", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*",
         "Condition": {"StringNotEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}}},
        "encrypt_denied", "key_policy_without_delegation", "keys[0].policy",
    ),
    "denied by identity": (
        "role/permission_policies/0/document/Statement",
        [{"Effect": "Allow", "Action": ["kms:Decrypt", "kms:Encrypt"], "Resource": KEY},
         {"Effect": "Deny", "Action": "kms:Encrypt", "Resource": "*"}],
        "encrypt_denied", "denied_by_identity_policy", "permission_policies[0]",
    ),
    # above the account
    "boundary": (
        "role/permissions_boundary",
        document({"Effect": "Allow", "Action": "s3:*", "Resource": "*"}),
        "encrypt_denied", "boundary_without_use", "permissions_boundary",
    ),
    "boundary denies": (
        "role/permissions_boundary",
        document(ALLOW, {"Effect": "Deny", "Action": "kms:*", "Resource": "*"}),
        "encrypt_denied", "denied_by_permissions_boundary", "permissions_boundary",
    ),
    "scp denies": (
        "scps", [[document(ALLOW)], [document(
            ALLOW,
            {"Effect": "Deny", "NotAction": ["iam:*"], "Resource": "*",
             "Condition": {"StringNotEquals": {"aws:RequestedRegion": ["us-east-1"]}}},
        )]],
        "encrypt_denied", "denied_by_scp", "scps[1][0]",
    ),
    "scp lists": (
        "scps", [[document(ALLOW)], [document(
            {"Effect": "Allow", "Action": ["s3:*"], "Resource": "*"})]],
        "encrypt_denied", "scp_without_use", "scps[1][0]",
    ),
    "identity perimeter": (
        "rcps", [[document(FULL), document(PERIMETER)]],
        "assume_role_denied", "denied_by_rcp", "rcps[0][1]",
    ),
    # the key
    "disabled": ("keys/0/state", "Disabled", "key_disabled", "key_disabled", "keys[0]"),
    "pending deletion": (
        "keys/0/state", "PendingDeletion",
        "key_pending_deletion", "key_pending_deletion", "keys[0]",
    ),
    "pending import": (
        "keys/0/state", "PendingImport", "key_pending_import", "key_pending_import", "keys[0]",
    ),
    "unavailable": (
        "keys/0/state", "Unavailable", "key_unavailable", "key_unavailable", "keys[0]",
    ),
    "wrong spec": ("keys/0/spec", "RSA_2048", "not_symmetric", "key_wrong_spec", "keys[0]"),
    "wrong usage": (
        "keys/0/usage", "GENERATE_VERIFY_MAC", "not_symmetric", "key_wrong_usage", "keys[0]",
    ),
    "key gone": ("keys", [], "key_not_found", "key_missing", "registration"),
    "key of another account": (
        "registration/kms_arn", KEY.replace(ACCOUNT, "999999999999"),
        "key_not_found", "key_wrong_account", "registration",
    ),
    "alias gone": (
        "registration/kms_arn", ALIAS + "x", "key_not_found", "alias_missing", "registration",
    ),
    "key of another Region": (
        "registration/kms_arn", KEY.replace("eu-west-1", "us-east-1"),
        "wrong_region", "key_wrong_region", "registration",
    ),
    "a bare key id": (
        "registration/kms_arn", KEY.rpartition("/")[2],
        "invalid_arn", "kms_arn_form", "registration",
    ),
    # documents that AWS does not save
    "misspelt element": (
        TRUST,
        {"Effect": "Allow", "Principl": {"AWS": OPENAI}, "Action": "sts:AssumeRole",
         "Condition": {"StringEquals": {"sts:ExternalId": "org-abc"}}},
        "policy_malformed", "policy_malformed", "trust_policy",
    ),
    "misspelt operator": (
        ID, {"StringEqual": {"sts:ExternalId": "org-abc"}},
        "policy_malformed", "policy_malformed", "trust_policy",
    ),
    "condition of no form": (
        ID, {"StringEquals": "org-abc"}, "policy_malformed", "policy_malformed", "trust_policy",
    ),
    "key policy condition of no form": (
        f"{KEY_USE}/Condition", [ROLE],
        "policy_malformed", "policy_malformed", "keys[0].policy",
    ),
    "too large": (
        ID, {"StringEquals": {"sts:ExternalId": ["org-abc", *(f"o-{n:040}" for n in range(99))]}},
        "policy_malformed", "policy_too_large", "trust_policy",
    ),
}  # fmt: skip
# What no change of the snapshot cures.
INCURABLE = {"role missing", "wrong spec", "wrong usage", "key gone", "too large"}

WARNINGS: dict[str, tuple[str, Any, str, str]] = {
    "no external id": (ID, ..., "external_id_missing", "trust_policy"),
    "if it exists": (
        ID, {"StringEqualsIfExists": {"sts:ExternalId": "org-abc"}},
        "external_id_optional", "trust_policy",
    ),
    "for all values": (
        ID, {"ForAllValues:StringEquals": {"sts:ExternalId": ["org-abc"]}},
        "external_id_optional", "trust_policy",
    ),
    "prefix": (
        ID, {"StringLike": {"sts:ExternalId": "org-*"}}, "external_id_too_broad", "trust_policy",
    ),
    "any case": (
        ID, {"StringEqualsIgnoreCase": {"sts:ExternalId": "org-abc"}},
        "external_id_too_broad", "trust_policy",
    ),
    "another id too": (
        ID, {"StringEquals": {"sts:ExternalId": ["org-abc", "org-old"]}},
        "external_id_too_broad", "trust_policy",
    ),
    "anybody": (f"{TRUST}/Principal", "*", "principal_wildcard", "trust_policy"),
    "OpenAI's whole account": (
        f"{TRUST}/Principal", {"AWS": "790389265272"}, "principal_too_broad", "trust_policy",
    ),
    "one more role": (
        f"{TRUST}/Principal", {"AWS": [OPENAI, f"arn:aws:iam::{ACCOUNT}:role/ci"]},
        "principal_too_broad", "trust_policy",
    ),
    "a session": (
        f"{TRUST}/Principal",
        {"AWS": OPENAI_SESSION_ARN},
        "principal_brittle", "trust_policy",
    ),
    "an old id beside": (
        f"{TRUST}/Principal", {"AWS": [OPENAI, "AROAEXAMPLE123456789X"]},
        "principal_brittle", "trust_policy",
    ),
    "every KMS action": (
        f"{USE}/Action", "kms:*", "permissions_too_broad", "permission_policies[0]",
    ),
    "every key": (f"{USE}/Resource", "*", "permissions_too_broad", "permission_policies[0]"),
    "root delegation": (
        KEY_USE,
        {"Effect": "Allow", "Principal": {"AWS": ROOT}, "Action": "kms:*", "Resource": "*"},
        "key_policy_too_broad", "keys[0].policy",
    ),
    "alias": ("registration/kms_arn", ALIAS, "alias_registered", "registration"),
    "granted": (
        "grants", [{"grantee_principal": f"arn:aws:iam::{ACCOUNT}:role/ci",
                    "operations": ["Decrypt"], "key_arn": KEY}],
        "granted_to_others", "grants[0]",
    ),
}  # fmt: skip
