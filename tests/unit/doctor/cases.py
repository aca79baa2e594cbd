"""One case for each answer of each check: facts, and the line that they make."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any, Final

from openai_ekm.doctor import check_aws
from openai_ekm.doctor.alarms import check_alarms
from openai_ekm.doctor.checks import Line
from openai_ekm.doctor.facts import Authorities, Caller, Organization, Proxy, Rule, Target, Topic
from openai_ekm.doctor.network import check_network
from openai_ekm.doctor.openai import check_openai
from openai_ekm.doctor.organization import check_organization
from openai_ekm.doctor.permissions import check_permissions
from openai_ekm.doctor.record import check_record
from openai_ekm.doctor.trails import check_trails
from openai_ekm.doctor.versions import check_named, check_versions
from openai_ekm.openai_api.redaction import AdminKey
from openai_ekm.openai_api.tls import CERTIFICATE_REMEDY, ClientCertificate
from tests.constants import ACCOUNT, KEY, REGION, SECRET
from tests.unit.doctor import facts
from tests.unit.doctor.facts import (
    ALLOW_ALL,
    CALLER,
    GIVEN,
    MACHINE,
    NOW,
    ORGANIZATION,
    TRAIL,
    WHY,
    broken,
    given,
    only,
    refused_by_aws,
    refused_by_openai,
    unreached,
)

__all__ = ["CASES"]

Made = Callable[[], Line]
CASES: Final[list[tuple[str, str, Made, tuple[str, ...]]]] = []


def case(id: str, state: str, made: Callable[[], Line | list[Line]], *words: str) -> None:
    """Add a case: the check, its answer, the line, and words that the line must have."""

    def line() -> Line:
        found = made()
        return found if isinstance(found, Line) else only(found, id)

    CASES.append((id, state, line, words))


def versions(**changes: Any) -> Callable[[], list[Line]]:
    """The lines of a machine."""
    return lambda: check_versions(replace(MACHINE, **changes))


case("python_version", "ok", versions(), "3.13.1")
case("python_version", "warning", versions(python=(3, 14, 0)), "docs/versions.md")
case("python_version", "failure", versions(python=(3, 10, 9)), "3.11")
case("terraform_version", "ok", versions(), "1.11.4")
case("terraform_version", "ok", versions(terraform=("terraform", "1.99.0")), "newer than")
case("terraform_version", "warning", versions(terraform=("/x/tofu", "1.10.0")), "OpenTofu")
case("terraform_version", "warning", versions(terraform=broken("No Terraform")), "No Terraform")
case("terraform_version", "failure", versions(terraform=("terraform", "1.8.5")), "1.9")
case("terraform_version", "failure", versions(terraform=("terraform", "dev")), "1.9")
case("module_version", "ok", versions(), "1.2.3")
case("module_version", "warning", versions(module="1.3.0"), "openai-ekm-aws==1.3.0")
case("module_version", "not_seen", versions(module=None), "terraform init")
NOTHING = given(role_arn=None, kms_arn=None, external_id=None, record=None)
case("named", "ok", lambda: check_named(GIVEN), KEY, "ssm:/openai-ekm/prod")
case("named", "failure", lambda: check_named(given(unread=broken("terraform failed"))), "failed")
case("named", "not_seen", lambda: check_named(NOTHING), "Nothing is named")
case("named", "not_seen", lambda: check_named(replace(NOTHING, unapplied=True)), "no outputs")


def credentials(found: Any = facts.CREDENTIALS, why: str | None = None, **changes: Any) -> Made:
    """The lines of credentials."""
    made = replace(found, **changes) if changes else found
    return lambda: check_aws.check_credentials(made, why, NOW)  # type: ignore[return-value]


case("aws_credentials", "ok", credentials(), "Identity Center")
case("aws_credentials", "ok", credentials(method="newest"), "newest")
case("aws_credentials", "failure", credentials(broken("No credentials")), "No credentials")
case("aws_credentials", "not_seen", credentials(unreached(), "Not reached."), "Not reached")
case("aws_expiry", "ok", credentials(), "long-lived")
LATER: dict[str, Any] = {"temporary": True, "expires": NOW + timedelta(hours=2)}
SOON: dict[str, Any] = {"temporary": True, "expires": NOW + timedelta(minutes=9)}
GONE: dict[str, Any] = {"temporary": True, "expires": NOW - timedelta(seconds=1)}
case("aws_expiry", "ok", credentials(**LATER), "120 minutes")
case("aws_expiry", "warning", credentials(**SOON), "9 minutes")
case("aws_expiry", "failure", credentials(**GONE), "ended", "aws sso login")
case("aws_expiry", "not_seen", credentials(temporary=True), "nothing says")
case("aws_expiry", "not_seen", credentials(broken()), "aws_credentials")
case("aws_role_chaining", "ok", credentials(), "No role")
case("aws_role_chaining", "warning", credentials(chained=True), "one hour")
case("aws_role_chaining", "warning", credentials(chained=True, duration=7200), "7200", "= 3600")
case("aws_role_chaining", "not_seen", credentials(chained=None), "not known")


def account(answer: Any = CALLER, why: str | None = None, named: Any = GIVEN) -> Made:
    """The line of the caller."""
    return lambda: check_aws.check_account(answer, why, named)


OTHER = Caller("arn:aws:iam::999900001111:user/me", "999900001111")
ROOT = Caller(f"arn:aws:iam::{ACCOUNT}:root", ACCOUNT)
case("aws_account", "ok", account(), ACCOUNT)
case("aws_account", "warning", account(ROOT), "root user")
case("aws_account", "failure", account(refused_by_aws()), "refused")
case("aws_account", "failure", account(OTHER), "the role is in", "the key is in")
case("aws_account", "not_seen", account(None, WHY), "aws_credentials")


def region(set_: str | None, *, accepted: bool | None = True, named: Any = GIVEN) -> Made:
    """The line of the Region."""
    return lambda: check_aws.check_region(set_, accepted, WHY, named)


case("aws_region", "ok", region(REGION), REGION)
case("aws_region", "warning", region(None), f"AWS_REGION={REGION}")
case("aws_region", "warning", region("us-west-2"), "us-west-2", REGION)
case("aws_region", "failure", region(None, named=NOTHING), "AWS_REGION")
case("aws_region", "failure", region(REGION, accepted=False), "has not enabled")
case("aws_region", "not_seen", region(REGION, accepted=None), REGION, "aws_credentials")


def management(found: Any, caller: Any = CALLER) -> Made:
    """The line of the management account."""
    return lambda: check_aws.check_management_account(found, caller, WHY)


case("aws_management_account", "ok", management(Organization(None)), "no organization")
case("aws_management_account", "ok", management(ORGANIZATION), "member")
case("aws_management_account", "warning", management(Organization(ACCOUNT)), "no RCP")
case("aws_management_account", "not_seen", management(Organization(refused_by_aws())), "Allow")
case("aws_management_account", "not_seen", management(None, None), "aws_credentials")
clock = check_aws.check_clock
case("clock", "ok", lambda: clock({"AWS": 0.0, "OpenAI": 0.2}), "time of AWS and OpenAI")
case("clock", "ok", lambda: clock({"AWS": 2.0, "OpenAI": -1.0}), "2 s ahead of AWS")
case("clock", "warning", lambda: clock({"AWS": 0.0, "OpenAI": -61.0}), "61 s behind OpenAI", "NTP")
case("clock", "failure", lambda: clock({"AWS": 301.0}), "refuses requests")
case("clock", "not_seen", lambda: clock({}), "No answer")


def network(why: str | None = None, **changes: Any) -> Callable[[], list[Line]]:
    """The lines of a network."""
    return lambda: check_network(replace(facts.NETWORK, **changes), why)


HTTP = Proxy("OpenAI", "http://proxy:8080")
SOCKS = Proxy("AWS", "socks5h://proxy:1080", usable=False)
case("network_proxies", "ok", network(), "Neither")
case("network_proxies", "ok", network(proxies=(HTTP,)), "OpenAI through http://proxy:8080")
case("network_proxies", "failure", network(proxies=(SOCKS,)), "SOCKS", "NO_PROXY")
case("network_proxies", "failure", network(proxy_error=broken("No proxy")), "No proxy")
for _state, _lists, *_words in (
    ("ok", Authorities(), "usual"),
    ("ok", Authorities("REQUESTS_CA_BUNDLE=a", "REQUESTS_CA_BUNDLE=a"), "AWS by"),
    ("warning", Authorities(None, "AWS_CA_BUNDLE=a"), "to OpenAI", "REQUESTS_CA_BUNDLE"),
    ("warning", Authorities("CURL_CA_BUNDLE=a", None), "to AWS", "AWS_CA_BUNDLE"),
    ("failure", Authorities(None, "AWS_CA_BUNDLE=a", ("AWS_CA_BUNDLE=a",)), "no file"),
    ("failure", Authorities(unusable=broken("No list")), "No list"),
):
    case("network_authorities", _state, network(authorities=_lists), *_words)
case("network_aws", "ok", network(), "sts.amazonaws.com", "certificate is accepted")
case("network_aws", "failure", network(aws=unreached()), "Check the network")
case(
    "network_aws",
    "failure",
    network(aws=unreached("sts.x is not there"), unresolved=("sts.x",)),
    "no address",
    "DNS",
)
case("network_aws", "not_seen", network(WHY, aws=None), "aws_credentials")
case("network_openai", "ok", network(openai="http://127.0.0.1:8180"), "8180 answers.")
case("network_openai", "failure", network(openai=unreached("OpenAI is away")), "away")
case("network_openai", "not_seen", network(openai=None, proxy_error=broken()), "network_proxies")
LISTLESS = Authorities(unusable=broken())
case("network_openai", "not_seen", network(openai=None, authorities=LISTLESS), "_authorities")
case("network_openai", "not_seen", network(openai=None), "openai_certificate")


def openai(answer: Any = facts.OPENAI, named: Any = GIVEN, **changes: Any) -> Made:
    """The lines of OpenAI's answers."""
    made = replace(answer, **changes) if changes else answer
    return lambda: check_openai(made, None, None, named)  # type: ignore[return-value]


def unasked(key: Any = None, named: Any = GIVEN, why: str | None = None) -> Made:
    """The lines when OpenAI was not asked."""
    return lambda: check_openai(None, key, why, named)  # type: ignore[return-value]


KEYED = given(admin_key=AdminKey(SECRET, origin="OPENAI_ADMIN_KEY"))
AWAY = "OpenAI is not reached (network_openai)."
INVALID = refused_by_openai(401, "Incorrect API key provided.", "invalid_api_key")
ADDRESS = refused_by_openai(401, "Your IP is not authorized.", "ip_not_authorized")
CERTIFICATE = refused_by_openai(401, "mTLS is required.")
ALERT = unreached("alert certificate required")
ALERT.remedy = CERTIFICATE_REMEDY
OFF = refused_by_openai(404, "Unsupported endpoint")
SCOPE = refused_by_openai(403, "Missing scopes: api.external_keys.read")
SHOWN = given(certificate=ClientCertificate("c.pem", "c.key"))
case("openai_admin_key", "ok", openai(), "accepts")
case("openai_admin_key", "warning", unasked(), "OPENAI_ADMIN_KEY", "Enterprise")
case("openai_admin_key", "failure", openai(keys=INVALID, projects=INVALID), "Incorrect API key")
case("openai_admin_key", "failure", unasked(broken("A bad key")), "A bad key")
case("openai_admin_key", "not_seen", unasked(None, KEYED, AWAY), "network_openai")
case("openai_certificate", "ok", openai(), "no client certificate")
case("openai_certificate", "ok", openai(named=SHOWN), "shows the client certificate")
case("openai_certificate", "failure", openai(keys=CERTIFICATE, projects=CERTIFICATE), "mtls")
case("openai_certificate", "failure", openai(keys=ALERT, projects=ALERT), "MTLS_CERT_PATH")
case("openai_certificate", "failure", unasked(named=given(certificate=broken("No PEM"))), "No PEM")
case("openai_certificate", "not_seen", openai(keys=INVALID), "openai_admin_key")
case("openai_address", "ok", openai(), "from this address")
case("openai_address", "failure", openai(keys=ADDRESS, projects=ADDRESS), "allowlist", "15 min")
case("openai_address", "not_seen", openai(keys=CERTIFICATE), "openai_certificate")
case("openai_organization", "ok", openai(), "org-abc")
PROJECT = given(external_id="proj_1")
case("openai_organization", "ok", openai(named=PROJECT, project=True), "proj_1")
case("openai_organization", "failure", openai(organization="org-b"), "org-b", "org-abc")
case("openai_organization", "failure", openai(named=PROJECT, project=False), "no project proj_1")
case("openai_organization", "not_seen", openai(named=PROJECT), "proj_1")
case("openai_organization", "not_seen", openai(organization="acme"), "acme", "settings")
case("openai_organization", "not_seen", openai(organization=None), "not name")
case("openai_organization", "not_seen", openai(named=NOTHING), "--external-id")
case("openai_organization", "not_seen", openai(keys=ADDRESS), "openai_address")
case("openai_feature", "ok", openai(), "enabled")
case("openai_feature", "failure", openai(keys=OFF), "account representative")
case("openai_feature", "not_seen", openai(keys=SCOPE), "openai_read_scopes")
case("openai_read_scopes", "ok", openai(), "external keys and projects")
case("openai_read_scopes", "failure", openai(keys=SCOPE), "api.external_keys.read")
case("openai_read_scopes", "failure", openai(projects=SCOPE), "Missing scopes")
case("openai_read_scopes", "not_seen", openai(keys=OFF), "openai_feature")
case("openai_write_scopes", "not_seen", openai(), "api.management.write", "four scopes")
case("openai_write_scopes", "not_seen", unasked(), "openai_admin_key")


def permissions(
    *statements: dict[str, Any], named: Any = GIVEN, scps: Any = (), **changes: Any
) -> Callable[[], list[Line]]:
    """The lines of a caller whose one policy has these statements."""
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    permitted = facts.PERMITTED
    if statements:
        permitted = replace(permitted, identity=(document,))
    permitted = replace(permitted, **changes)
    return lambda: check_permissions(
        CALLER,
        permitted,
        Organization("999900001111", scps),
        named,
        region=REGION,
        time="2026-11-29T12:00:00Z",
        blocked=None,
    )


EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}
NO_SSM = {"Effect": "Deny", "Action": "ssm:PutParameter", "Resource": "*"}
NO_ROLE = {"Effect": "Deny", "Action": ["iam:CreateRole", "kms:PutKeyPolicy"], "Resource": "*"}
UNLESS_MFA = {"Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}}
KEY_POLICY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
                "Action": "kms:DescribeKey",
                "Resource": "*",
            }
        ],
    }
)
for _task in ("apply", "register", "drill"):
    _id = f"permissions_{_task}"
    case(_id, "ok", permissions(), "a session policy cannot be seen")
    case(_id, "not_seen", permissions(named=given(tasks=frozenset())), f"--for {_task}")
    case(_id, "not_seen", permissions(identity=refused_by_aws("iam:GetRole")), "iam:GetRole")
    case(_id, "not_seen", permissions(identity=({"Statement": 1},)), "cannot be read")
    case(_id, "warning", permissions(EVERYTHING, NO_SSM | UNLESS_MFA | {"Action": "*"}), "Multi")
    case(_id, "failure", permissions(EVERYTHING, {**NO_SSM, "Action": "*"}), "are denied")
case("permissions_apply", "failure", permissions(EVERYTHING, NO_ROLE), "iam:CreateRole")
case("permissions_apply", "warning", permissions(key_policy=KEY_POLICY), "did not make")
case("permissions_register", "ok", permissions(EVERYTHING, NO_ROLE), "all 16 actions")
case("permissions_register", "failure", permissions(EVERYTHING, NO_SSM), "2 of 16", "PutParameter")
case("permissions_drill", "failure", permissions(EVERYTHING, NO_ROLE), "kms:PutKeyPolicy")
DENY = {"Version": "2012-10-17", "Statement": [{**NO_SSM, "Action": "ssm:*"}]}
case("permissions_register", "failure", permissions(scps=((ALLOW_ALL,), (ALLOW_ALL, DENY))), "6 of")
case("permissions_register", "ok", permissions(scps="denied"), "SCPs were not seen")


def organization(**levels: Any) -> Callable[[], list[Line]]:
    """The lines of an organization."""
    found = Organization("999900001111", **levels)
    return lambda: check_organization(found, CALLER, GIVEN, region=REGION, blocked=None)


def guardrail(action: str) -> tuple[tuple[Any, ...], ...]:
    """A level that allows everything, and one that denies an action too."""
    statement = {"Effect": "Deny", "Action": action, "Resource": "*"}
    return ((ALLOW_ALL,), (ALLOW_ALL, {"Version": "2012-10-17", "Statement": [statement]}))


def perimeter() -> tuple[tuple[Any, ...], ...]:
    """RCPs of a data perimeter: principals of the organization alone."""
    full = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
    foreign = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sts:AssumeRole",
        "Resource": "*",
        "Condition": {"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-mine"}},
    }
    return (
        ({"Version": "2012-10-17", "Statement": [full]},),
        ({"Version": "2012-10-17", "Statement": [full, foreign]},),
    )


case("organization_scps", "ok", organization(), "No SCP")
case("organization_scps", "ok", organization(scps=guardrail("s3:*")), "3 SCPs")
case("organization_scps", "failure", organization(scps=guardrail("kms:Decrypt")), "kms:Decrypt")
case("organization_scps", "not_seen", organization(scps="ListRoots: AccessDenied"), "ListRoots")
case("organization_rcps", "ok", organization(), "No RCP")
case("organization_rcps", "failure", organization(rcps=perimeter()), "PrincipalOrgID")
case("organization_rcps", "not_seen", organization(rcps="ListRoots: AccessDenied"), "ListRoots")


def trails(*changes: dict[str, Any]) -> Callable[[], list[Line]]:
    """The lines of trails, each the sound one with changes."""
    made = tuple(replace(TRAIL, **each) for each in changes)
    return lambda: check_trails(made, REGION, None)


WITHOUT_KMS = {"basic": ({"ExcludeManagementEventSources": ["kms.amazonaws.com"]},)}
WRITES = {"basic": ({"ReadWriteType": "WriteOnly", "IncludeManagementEvents": True},)}
UNSEEN = {"basic": None, "advanced": None}
REFUSED_TRAILS = partial(check_trails, refused_by_aws("cloudtrail:DescribeTrails"), REGION, None)
for _id in ("trail_key_changes", "trail_key_use", "trail_role_changes", "trail_role_use"):
    case(_id, "ok", trails({}), "The trail all logs")
    case(_id, "warning", trails(), "no trail for it")
    case(_id, "warning", trails({"logging": False}), "does not log now", "not public")
    case(_id, "not_seen", trails(UNSEEN), "were not seen")
    case(_id, "not_seen", trails({"logging": None}), "were not seen")
    case(_id, "not_seen", partial(check_trails, None, None, WHY), "aws_credentials")
case("trail_key_changes", "not_seen", REFUSED_TRAILS, "DescribeTrails", "Allow")
case("trail_role_use", "not_seen", REFUSED_TRAILS, "trail_key_changes")
case("trail_key_changes", "warning", trails(WITHOUT_KMS), "selectors", "not public")
case("trail_key_use", "warning", trails(WRITES), "leave it out")
case("trail_key_use", "ok", trails(WRITES, {}), "The trail all logs")
case("trail_role_changes", "ok", trails(WITHOUT_KMS), "in us-east-1")
HERE_ALONE = {"home": REGION, "multi_region": False}
case("trail_key_use", "ok", trails(HERE_ALONE), f"in {REGION}")
case("trail_role_use", "warning", trails(HERE_ALONE), "in us-east-1", "no trail for it")


def alarms(*rules: Rule, key: str | None = KEY) -> Made:
    """The line of rules."""
    return lambda: check_alarms(rules, key, None)


OTHER_KEY = KEY.replace("1111", "2222")
case("alarms", "ok", alarms(facts.RULE), "watch")
case("alarms", "ok", alarms(replace(facts.RULE, pattern={"source": ["aws.kms"], "r": [KEY]})), "w")
case("alarms", "warning", alarms(), "none tells anybody")
case("alarms", "warning", alarms(replace(facts.RULE, state="DISABLED")), "switched on")
case("alarms", "warning", alarms(replace(facts.RULE, pattern={"source": ["aws.s3"]})), "key")
ONE = {"source": ["aws.kms"], "resources": [OTHER_KEY]}
case("alarms", "warning", alarms(replace(facts.RULE, pattern=ONE)), "key")
case("alarms", "not_seen", lambda: check_alarms(refused_by_aws("events"), KEY, None), "ListRules")
CHANGES = ("DisableKey", "ScheduleKeyDeletion", "PutKeyPolicy")


def named(*calls: str, **changes: Any) -> Rule:
    """The rule, on these calls alone."""
    pattern = {"source": ["aws.kms"], "detail": {"eventName": list(calls)}}
    return replace(facts.RULE, **{"pattern": pattern, **changes})


def topic(found: Any) -> dict[str, Any]:
    """The one target of a rule: a topic."""
    return {"targets": (Target(facts.TOPIC.arn, found),)}


FUNCTION = {"targets": (Target(f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:f"),)}
SNS_REFUSED = refused_by_aws("sns:ListSubscriptionsByTopic")
FINE = f"takes DisableKey and sends it to {facts.TOPIC.arn}; confirmed subscriptions: 1"
ALL_EVENTS = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
case("alarms", "ok", alarms(named(*CHANGES)), FINE)
case("alarms", "ok", alarms(*(named(each, name=each) for each in CHANGES)), "rule DisableKey")
case("alarms", "ok", alarms(named(*CHANGES, **FUNCTION)), "function:f", "was not looked at")
case("alarms", "ok", alarms(named(*CHANGES), named(*CHANGES, **topic(SNS_REFUSED))), FINE)
case("alarms", "ok", alarms(named(*CHANGES, targets=()), named(*CHANGES)), FINE)
case("alarms", "ok", alarms(named(*CHANGES), named("Decrypt", state=ALL_EVENTS, targets=())), FINE)
case("alarms", "warning", alarms(named("DisableKey")), "No rule takes ScheduleKeyDeletion", "Call")
case("alarms", "warning", alarms(named(*CHANGES, targets=())), "has no target", "Apply")
case("alarms", "warning", alarms(named(*CHANGES, **topic(Topic()))), "no confirmed", "subscribe")


def narrow(**members: Any) -> Rule:
    """A rule that somebody hears, on the changes by these people, or refused in this way, alone."""
    detail = {"eventName": list(CHANGES), **members}
    return replace(facts.RULE, name="narrow", pattern={"source": ["aws.kms"], "detail": detail})


UNHEARD = named(*CHANGES, **topic(Topic()))
REFUSED = narrow(errorCode=[{"exists": True}])
SOMEBODY = narrow(userIdentity={"$or": [{"arn": [f"arn:aws:iam::{ACCOUNT}:user/a"]}]})
BUT_SOMEBODY = narrow(userIdentity={"$or": [{"arn": [{"anything-but": ["x"]}]}]})
SUCCEEDED = narrow(errorCode=[{"exists": False}])
ALL_BUT = narrow(eventName=[{"anything-but": ["DisableKey"]}])
BEGINNING = narrow(eventName=[{"prefix": "Schedule"}, "DisableKey", "PutKeyPolicy"])
case("alarms", "warning", alarms(UNHEARD, REFUSED), "no confirmed", "subscribe")
case("alarms", "warning", alarms(UNHEARD, SOMEBODY), "no confirmed", "subscribe")
case("alarms", "ok", alarms(UNHEARD, BUT_SOMEBODY), "rule narrow takes")
case("alarms", "ok", alarms(UNHEARD, SUCCEEDED), "rule narrow takes")
case("alarms", "warning", alarms(ALL_BUT), "No rule takes DisableKey", "Call")
case("alarms", "ok", alarms(BEGINNING), "rule narrow takes")
case("alarms", "warning", alarms(named(*CHANGES, **topic(Topic(pending=2)))), "2 wait", "Open")
case("alarms", "warning", alarms(named(*CHANGES, **topic(Topic(exists=False)))), "is not there")
case(
    "alarms",
    "warning",
    alarms(named("DisableKey", state="DISABLED"), named(*CHANGES[1:])),
    "watch is switched off",
    "enable-rule",
)
case(
    "alarms",
    "warning",
    alarms(named(*CHANGES), named("Decrypt", name="reads", targets=())),
    "Decrypt is one",
    ALL_EVENTS,
)
case("alarms", "not_seen", alarms(named(*CHANGES, **topic(SNS_REFUSED))), "sns:", "Allow")
case("alarms", "not_seen", alarms(named(*CHANGES, targets=refused_by_aws("events:L"))), "events:L")


def record(found: Any = facts.RECORD, **changes: Any) -> Callable[[], list[Line]]:
    """The lines of a record."""
    made = replace(found, **changes) if changes else found
    return lambda: check_record(made, None)


case("record", "ok", record(), "is registered")
case("record", "ok", record(state="none"), "not there yet")
case("record", "ok", record(state="retired"), "retired")
case("record", "warning", record(state="registering"), "ekm register")
case("record", "warning", record(differs=("kms_arn",)), "kms_arn")
case("record", "failure", record(refused_by_aws("ssm")), "ssm")
case("record", "failure", record(broken("No folder")), "No folder")
case("record", "not_seen", record(None), "--record")
case("record", "not_seen", lambda: check_record(None, WHY), "aws_credentials")
case("record_lease", "ok", record(), "No run")
case(
    "record_lease", "warning", record(holder="host a, process 1", expires_in=42.0), "42 s", "host a"
)
case("record_lease", "not_seen", record(holder=None), "in a file")
case("record_lease", "not_seen", record(broken()), "(record)")
