"""Redaction: nothing that names somebody is left, and the same account has one stand-in."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from openai_ekm.errors import BadInput
from openai_ekm.evidence.identifiers import find_in_text
from openai_ekm.evidence.members import members_of
from openai_ekm.evidence.pack import NotSeen
from openai_ekm.evidence.redaction import StandIns, redact
from openai_ekm.openai import OPENAI_ACCOUNT, OPENAI_ROLE_ARN
from tests.support.evidence_pack import AT, filled, make_pack, member
from tests.support.healthy import healthy, put

ACCOUNT, OTHER = "111122223333", "444455556666"
ADMIN = "quokka-admin"
PLACE = f"s3://acme-bucket/AWSLogs/{OTHER}/CloudTrail/eu-west-1/2026/11/29/"
KEY_ID = "11111111-2222-3333-4444-555555555555"
# What names somebody, and stands somewhere in the pack below.
SECRETS = (
    ACCOUNT,
    OTHER,
    KEY_ID,
    "zebra-role",
    "quokka-admin",
    "narwhal.session",
    "alice.doe",
    "alice.doe@example.com",
    "payments-of-acme",
    "acme-bucket",
    "logs-of-acme",
    "tag-of-old",
    "tag-of-new",
    "ssm-of-acme",
    "203.0.113.7",
    "2001:db8:85a3::8a2e:370:7334",
    "org-zebra123",
    "o-abcd1234ef",
    "proj_zebra",
    "extkey_zebra",
    "AROAZEBRAZEBRA12345",
    "vpce-0123456789abcdef0",
    "AllowQuokka",
    "team-lemur",
    "owl-project",
    "laptop-of-bob",
    "user-zebra42",
    "weasel",
)


def hostile_pack() -> object:
    """A pack in which every secret stands somewhere: in a document, a sentence, a member's name."""
    text = json.dumps(healthy()).replace("role/openai-ekm", "role/zebra-role")
    body = json.loads(text.replace("org-abc", "org-zebra123"))
    statement = {
        "Sid": "AllowQuokka",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{OTHER}:role/path/quokka-admin"},
        "Action": "kms:DescribeKey",
        "Resource": "*",
        "Condition": {
            "IpAddress": {"aws:SourceIp": ["203.0.113.7/32", "2001:db8:85a3::8a2e:370:7334"]},
            "StringEquals": {
                "aws:PrincipalOrgID": "o-abcd1234ef",
                "aws:PrincipalTag/team": "team-lemur",
                "aws:SourceVpce": "vpce-0123456789abcdef0",
                "aws:userid": "AROAZEBRAZEBRA12345:narwhal.session",
            },
        },
    }
    policy = body["keys"][0]["policy"]
    policy["Statement"].append(statement)
    # As AWS gives it: text in text, in which any letter may be an escape.
    body["keys"][0]["policy"] = json.dumps(policy).replace(ADMIN, "quokk\\u0061-admin")
    body = put(body, "keys/0/tags", {"owner": "weasel"})
    return make_pack(
        body,
        usage=filled("usage")
        | {
            "sources": [{"kind": "s3", "place": PLACE}],
            "unread": {"files": [{"file": f"./logs-of-acme/{OTHER}_CloudTrail_eu-west-1.json.gz"}]},
            "by_region": [{"region": "eu-west-1", "first": "2026-11-29T10:00:00Z"}],
            "by_principal": [
                {"principal": f"arn:aws:iam::{ACCOUNT}:user/alice.doe", "account": ACCOUNT}
            ],
            "others": {
                "events": [
                    {
                        "session": f"arn:aws:sts::{OTHER}:assumed-role/{ADMIN}/narwhal.session",
                        "source_ip": "203.0.113.7",
                        "error_message": "User: arn:aws:iam::111122223333:user/alice.doe is not "
                        "authorized to perform: kms:Decrypt",
                        "who": "others",
                    }
                ]
            },
        },
        drift=filled("ekm-drift")
        | {
            "differences": [
                {
                    "subject": "quokka-admin",
                    "message": "quokka-admin, or alice.doe@example.com, may decrypt.",
                    "accepted": {"by": "alice.doe@example.com", "reason": "asked by alice.doe"},
                },
                {
                    "check": "tags",
                    "subject": "owner",
                    "meant": "tag-of-old",
                    "observed": "tag-of-new",
                },
            ]
        },
        drills=(
            filled("ekm-drill")
            | {
                "record_place": "ssm:/openai-ekm/ssm-of-acme",
                "host": "laptop-of-bob",
                "projects": [{"id": "proj_zebra", "name": "payments-of-acme"}],
            },
        ),
        audit_events={
            "events": [
                {
                    "id": "audit_log-1",
                    "actor": {"user": {"id": "user-zebra42", "email": "alice.doe@example.com"}},
                    "project": {"id": "proj_zebra", "name": "owl-project"},
                    "external_key.registered": {"id": "extkey_zebra", "zebra-role": {}},
                }
            ]
        },
        not_seen=(
            NotSeen("rotation", f"kms:X arn:aws:kms:eu-west-1:{ACCOUNT}:key/{KEY_ID}", "no"),
        ),
    )


def test_nothing_that_names_somebody_is_left_in_any_file() -> None:
    """Guards against: an id, a name or an address in a sentence, a text in a text, or a key."""
    pack = hostile_pack()
    before = b"\n".join(members_of(pack).values()).decode()  # type: ignore[arg-type]
    assert [each for each in SECRETS if each not in before] == []
    files = members_of(redact(pack)[0])  # type: ignore[arg-type]
    for path, content in files.items():
        text = content.decode()
        assert [each for each in SECRETS if each.lower() in text.lower()] == [], path
        assert [each for each in SECRETS if each.lower() in path.lower()] == []
        assert "u0061" not in text, path


def test_the_same_account_has_the_same_stand_in_in_every_file() -> None:
    """Guards against: two stand-ins for one account, so that nothing can be followed."""
    pack, stand_ins = redact(hostile_pack())  # type: ignore[arg-type]
    files = members_of(pack)
    own, other = stand_ins.rewrite(ACCOUNT), stand_ins.rewrite(OTHER)
    assert own != other
    role = f"arn:aws:iam::{own}:role/{stand_ins.rewrite('zebra-role', is_name=True)}"
    assert member(files, "snapshot.json")["role"]["arn"] == role
    assert role in files["proof.json"].decode() + files["decisions.json"].decode()
    assert member(files, "usage.json")["by_principal"][0]["account"] == own
    assert f"::{other}:" in files["usage.json"].decode()


def test_what_is_public_or_ours_stays() -> None:
    """Guards against: a pack that says nothing any more."""
    files = members_of(redact(hostile_pack())[0])  # type: ignore[arg-type]
    assert OPENAI_ROLE_ARN in files["decisions.json"].decode()
    assert OPENAI_ACCOUNT in files["snapshot.json"].decode()
    assert AT in files["validation.json"].decode()
    usage = member(files, "usage.json")
    assert usage["others"]["events"][0]["who"] == "others"
    assert usage["by_region"] == [{"region": "eu-west-1", "first": "2026-11-29T10:00:00Z"}]
    assert usage["sources"][0]["kind"] == "s3"
    assert {row["as_expected"] for row in member(files, "decisions.json")} == {True}
    assert [row["answer"] for row in member(files, "proof.json")["claims"]] == [
        claim["answer"]
        for claim in hostile_pack().proof["claims"]  # type: ignore[attr-defined]
    ]


def test_redaction_gives_the_same_bytes_each_time() -> None:
    """Guards against: an order of sets in the numbers of the stand-ins."""
    first, second = (members_of(redact(hostile_pack())[0]) for _ in range(2))  # type: ignore[arg-type]
    assert first == second


def test_a_name_that_is_a_word_of_ours_leaves_our_words_alone() -> None:
    """Guards against: `openai`, the name of a role, replaced in what a member is called."""
    text = json.dumps(healthy()).replace("role/openai-ekm", "role/openai")
    usage = {"by_day": [{"openai": 3, "who": "openai"}], "session": "openai"}
    files = members_of(redact(make_pack(json.loads(text), usage=usage))[0])
    day = member(files, "usage.json")["by_day"][0]
    assert day == {"openai": 3, "who": "openai"}
    assert member(files, "usage.json")["session"] != "openai"
    assert "role/openai" not in files["snapshot.json"].decode()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("arn:aws:iam::111122223333:role/a/b-c", {"111122223333", "b-c"}),
        ("arn:aws:kms:eu-west-1:111122223333:alias/x/yy", {"111122223333", "yy"}),
        ("User: arn:aws:iam::111122223333:user/ann.", {"111122223333", "ann"}),
        ("at 2026-11-29T10:00:00Z, 10:00:00, 1.2.3, 1234567890123", set()),
        ("12345678-1234-1234-1234-123456789012", set()),
        ("Account 111122223333. logs-111122223333-x, 111122223333_x", {"111122223333"}),
        ("ssm:/openai-ekm/my-key", {"/openai-ekm/my-key", "openai-ekm", "my-key"}),
        ("file:./trail/2026/11", {"./trail/2026/11"}),
        ("from 203.0.113.7, ::1, 999.1.1.1, 0.0.0.0/0 and fe80::1", {"203.0.113.7", "fe80::1"}),
        ("arn:aws:iam::aws:policy/ReadOnlyAccess", {"ReadOnlyAccess"}),
        (OPENAI_ROLE_ARN, set()),
    ],
)
def test_identifiers_are_found_by_their_form(text: str, found: set[str]) -> None:
    """Guards against: a time taken for an address, or an account inside a UUID."""
    assert {each.text for each in find_in_text(text)} == found


def test_many_names_are_replaced_in_one_pass() -> None:
    """Guards against: a pattern that grows with the number of names, and hours of redaction."""
    names = [f"name-of-{number}-in-the-trail" for number in range(5000)]
    stand_ins = StandIns(found for name in names for found in find_in_text(f"ssm:{name}"))
    text = stand_ins.rewrite(", ".join(names))
    assert "in-the-trail" not in text
    assert len(set(re.findall(r"[a-z]+-\d+", text))) == len(names)


TOKEN = "qwertz-token"
QUOTED = """ of 'Bob' and "Ann" \\\\ x"""


def in_policy(**statement: Any) -> dict[str, Any]:
    """A pack's members with a statement in the key policy."""
    body = healthy()
    body["keys"][0]["policy"]["Statement"].append(
        {"Effect": "Allow", "Principal": "*", "Action": "kms:DescribeKey", "Resource": "*"}
        | statement
    )
    return {"snapshot": body}


def in_condition(key: str, value: Any) -> dict[str, Any]:
    """With a condition in the key policy."""
    return in_policy(Condition={"StringEquals": {key: value}})


def in_events(**event: Any) -> dict[str, Any]:
    """With an audit event."""
    first = {"id": "audit_log-1", "type": "external_key.registered", "effective_at": 1}
    return {"audit_events": {"asked_at": AT, "events": [first | event]}}


def in_drift(check: str, message: str, **members: Any) -> dict[str, Any]:
    """With a difference of drift."""
    found = {"check": check, "subject": "proj", "message": message} | members
    return {"drift": filled("ekm-drift") | {"differences": [found]}}


def in_snapshot(path: str, value: Any) -> dict[str, Any]:
    """With a value in the snapshot."""
    return {"snapshot": put(healthy(), path, value)}


def in_grant(**members: Any) -> dict[str, Any]:
    """With a grant."""
    grant = {"grantee_principal": f"arn:aws:iam::{ACCOUNT}:role/x-y", "operations": ["Decrypt"]}
    return in_snapshot("grants", [grant | members])


SUBJECT = "token.actions.githubusercontent.com:sub"
HOSTILE = {
    "an account id as a number": (
        in_condition("kms:CallerAccount", [222233334444]),
        "222233334444",
    ),
    "and as one with a point": (in_condition("kms:CallerAccount", 222233334444.0), "222233334444"),
    "and as one without its zero": (in_condition("kms:CallerAccount", 12345678901), "12345678901"),
    "a list in a text": (in_snapshot("scps", [[r'[{"Sid":"qw\u0065rtz"}]']]), "0065rtz"),
    "a name with a space": (in_policy(Resource="arn:aws:s3:::x-y/a qwertz"), "qwertz"),
    "an issuer that signs people in": (
        in_policy(Principal={"Federated": "qwertz.example"}),
        "qwertz",
    ),
    "tags in an event": (in_events(x={"tags": {"k": "qwertz"}}), "qwertz"),
    "a subject of GitHub": (in_condition(SUBJECT, "repo:acme-x/qwertz:ref:*"), "qwertz"),
    "an issuer of its own": (in_condition("id.qwertz.example:sub", "x-y"), "qwertz"),
    "a subject of SAML": (in_condition("saml:sub", TOKEN), TOKEN),
    "a qualifier of SAML": (in_condition("saml:namequalifier", TOKEN), TOKEN),
    "a user of Identity Center": (in_condition("identitystore:UserId", TOKEN), TOKEN),
    "a referer": (in_condition("aws:Referer", TOKEN), TOKEN),
    "a word that a fault compares": (
        in_snapshot(
            "role/trust_policy/Statement/0/Condition",
            {"StringEquals": {"sts:ExternalId": ["qwertz"]}},
        ),
        "qwertz",
    ),
    "the Id of a policy": (in_snapshot("keys/0/policy/Id", TOKEN), TOKEN),
    "an external id": (in_snapshot("registration/external_ids", [TOKEN]), TOKEN),
    "an organization": (in_snapshot("calls", {"openai_organization": TOKEN}), TOKEN),
    "a canonical user": (in_policy(Principal={"CanonicalUser": TOKEN}), TOKEN),
    "the id of a grant": (in_grant(grant_id=TOKEN), TOKEN),
    "a context that a grant wants": (
        in_grant(constraints={"EncryptionContextEquals": {"k": TOKEN}}),
        TOKEN,
    ),
    "a part of one": (in_grant(constraints={"EncryptionContextSubset": {"k": TOKEN}}), TOKEN),
    "a context of calls": (in_snapshot("calls", {"encryption_context": {"k": TOKEN}}), TOKEN),
    "the account is a variable": (
        in_policy(Resource="arn:aws:iam::${aws:PrincipalAccount}:role/qwertz-token"),
        TOKEN,
    ),
    "a variable in the path": (
        in_policy(Resource="arn:aws:iam::111122223333:user/${aws:username}/qwertz-token"),
        TOKEN,
    ),
    "a variable in the name": (
        in_policy(Resource="arn:aws:iam::111122223333:user/qwertz-${aws:username}"),
        "qwertz",
    ),
    "what stands for a variable": (
        in_policy(Resource="arn:aws:s3:::x-y/${aws:PrincipalTag/team, 'qwertz-token'}/*"),
        TOKEN,
    ),
    "a pattern of an account": (
        in_policy(Resource="arn:aws:iam::4444?5556666:role/x-y"),
        "4444?5556666",
    ),
    "a pattern of partitions": (in_policy(Resource="arn:*:s3:::qwertz-token/*"), TOKEN),
    "a pattern of all accounts": (in_policy(Resource="arn:*:iam::*:role/qwertz-token"), TOKEN),
    "the end of an ARN": (in_condition("aws:PrincipalArn", "*:role/qwertz-token"), TOKEN),
    "the end of a resource": (in_policy(Resource="*:role/qwertz-token"), TOKEN),
    "a shorter end": (in_condition("aws:PrincipalArn", "*/qwertz-token"), TOKEN),
    "the id of an event": (in_events(id="audit_log-qwertz"), "qwertz"),
    "a service account": (in_events(actor={"api_key": {"id": "svc_acct_qwertz"}}), "qwertz"),
    "an invitation": (in_events(**{"invite.sent": {"id": "invite-qwertz"}}), "qwertz"),
    "a group": (in_events(**{"group.created": {"data": {"group_name": "Qwertz 1"}}}), "Qwertz"),
    "the title of a project": (in_events(x={"data": {"title": "qwertz"}}), "qwertz"),
    "the name of a role": (in_events(x={"role_name": "qwertz"}), "qwertz"),
    "a program": (in_events(actor={"session": {"user_agent": "qwertz/1"}}), "qwertz"),
    "a city": (in_events(actor={"ip_address_details": {"city": "Qwertz"}}), "Qwertz"),
    "a part of a country": (
        in_events(actor={"ip_address_details": {"region": "Qwertz"}}),
        "Qwertz",
    ),
    "a project of the record": (
        in_drift(
            "projects", "The project 'qwertz x' (proj_1) of the record is not active on extkey_1."
        ),
        "qwertz",
    ),
    "a project of OpenAI": (
        in_drift("projects", "The project qwertz (x) (proj_1) is active on extkey_1 and not."),
        "qwertz",
    ),
    "a project under no key": (
        in_drift("project_keys", f"The project {'qwertz'!r} (proj_1) is active and under no key."),
        "qwertz",
    ),
    "another registration": (
        in_drift("duplicates", f"extkey_1 ({'qwertz'!r}, 2 projects) is another registration."),
        "qwertz",
    ),
    "the name of the registration": (
        in_drift(
            "registration",
            f"name: the record has {'qwertz'!r}, OpenAI has {'other'!r}.",
            subject="name",
            meant="qwertz",
        ),
        "qwertz",
    ),
    "the external id of the record": (
        in_drift(
            "record",
            f"external_id: the record has {'qwertz'!r}, and {'other'!r} was meant.",
            subject="external_id",
            observed="qwertz",
        ),
        "qwertz",
    ),
    "a name with quotes": (
        in_drift(
            "registration",
            f"name: the record has {TOKEN + QUOTED!r}, OpenAI has {'other'!r}.",
            subject="name",
            meant=TOKEN + QUOTED,
        ),
        TOKEN,
    ),
    "an address with its sign escaped": (in_events(x={"u": "a?for=qwertz%40acme.com"}), "qwertz"),
    "an address with a space": (in_events(x={"u": 'to "qwertz b"@acme.com'}), "qwertz"),
    "an account id in groups": (in_policy(Sid="x", Resource="1111-2222-3333"), "2222-3333"),
    "a name in other letters": (
        in_drift("tags", "Not QWERTZ-tOKEN.", meant="Qwertz-Token"),
        TOKEN,
    ),
}


def nested(levels: int, name: str) -> str:
    """A text of JSON, so many levels deep, with a name in it."""
    return f'{{"session":"{name}","x":{"[" * (levels - 1)}{"]" * (levels - 1)}}}'


def texts_in_texts(levels: int, name: str) -> str:
    """A text of JSON in a text of JSON, and so on: each has many levels, and the last a name."""
    found = nested(levels, name)
    for _ in range(10):
        found = "[" * levels + json.dumps(found) + "]" * levels
    return found


TOO_DEEP = {
    "by a level": in_drift("tags", nested(129, "qwertz")),
    "for what writes JSON": in_snapshot("scps", [[nested(1000, "qwertz")]]),
    "for what reads JSON": in_drift("tags", nested(100_000, "qwertz")),
    "in texts in texts": in_drift("tags", texts_in_texts(100, "qwertz")),
}


@pytest.mark.parametrize("name", TOO_DEEP)
def test_no_pack_is_made_of_a_text_that_is_nested_too_deep(name: str) -> None:
    """Guards against: a defect, or a name that stays where nobody looks for it."""
    with pytest.raises(BadInput) as refused:
        redact(make_pack(**TOO_DEEP[name]))
    assert refused.value.id == "evidence_nested_too_deep"


def test_a_text_that_is_nested_as_deep_as_may_be_is_searched() -> None:
    """Guards against: the refusal of a text whose names can be found."""
    files = members_of(redact(make_pack(**in_drift("tags", nested(128, "qwertz"))))[0])
    assert b"[" * 127 in files["drift.json"]
    assert b"qwertz" not in files["drift.json"]


@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_that_an_attacker_looked_for_is_left(name: str) -> None:
    """Guards against: a member or a form of text in which a name is not looked for."""
    members, token = HOSTILE[name]
    pack = make_pack(**members)
    before = b"\n".join(members_of(pack).values()).decode()
    assert token.lower() in before.lower()
    for path, content in members_of(redact(pack)[0]).items():
        assert token.lower() not in content.decode().lower(), path
