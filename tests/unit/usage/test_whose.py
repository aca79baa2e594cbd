"""Whose a call is: sessions, two accounts, aliases, replicas, and times."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from openai_ekm.cli.usage_text import lines
from openai_ekm.openai import OPENAI_ACCOUNT
from openai_ekm.usage.answers import exit_code
from openai_ekm.usage.target import Target
from tests.support.cloudtrail_events import (
    ACCOUNT,
    ADMINISTRATOR,
    ALIAS,
    ALIAS_ARN,
    KEY_ARN,
    NAMESAKE,
    OTHER_KEY,
    REGION,
    ROLE_ARN,
    USER,
    of_key,
)
from tests.support.schemas import faults_of
from tests.support.trail_logs import ROLE_ID, assumed, changed_role, record, session, used
from tests.unit.usage.asking import about, counts, numbers

T = "2026-11-28T10:00:0{}Z"
ALIAS_TARGET = Target(ALIAS_ARN, ROLE_ARN)
OWNER = "444455556666"
MRK = "mrk-" + "0a" * 16
PRIMARY = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/{MRK}"
UPPER_ROLE = ROLE_ARN.replace("openai-ekm", "OPENAI-EKM")
REPLICA = f"arn:aws:kms:eu-north-1:{ACCOUNT}:key/{MRK}"


def whose(found: dict[str, Any]) -> tuple[int, ...]:
    """All calls, in total."""
    return tuple(map(sum, zip(*map(counts, found["by_region"]), strict=True)))


def test_openai_alone_holds() -> None:
    """Guards against: an alarm without a stranger."""
    found = about([assumed(1, T.format(0), "A"), used(2, T.format(1), "Encrypt", session("A"))])
    assert (found["holds"], exit_code(found), found["openai"]["state"]) == (True, 0, "using")


def test_no_records_are_no_use() -> None:
    """Guards against: an answer that takes nothing for a success of OpenAI's."""
    found = about([])
    assert (found["openai"]["state"], found["openai"]["side"]) == ("absent", "them")
    assert (found["covered"]["first"], exit_code(found)) == (None, 0)


def test_the_role_alone_is_theirs() -> None:
    """STS succeeds, and no call to the key follows."""
    found = about([assumed(1, T.format(0), "A")])
    assert (found["openai"]["state"], found["openai"]["side"]) == ("assumed", "them")


@pytest.mark.parametrize(
    ("code", "side"),
    [
        ("AccessDenied", "us"),
        ("DisabledException", "us"),
        ("KMSInvalidStateException", "us"),
        ("NotFoundException", "us"),
        ("ThrottlingException", "us"),
        ("InvalidCiphertextException", "them"),
        ("ExpiredTokenException", "them"),
        ("KMSInternalException", "aws"),
        ("SomethingNew", "unknown"),
    ],
)
def test_the_last_failure_says_whose_it_is(code: str, side: str) -> None:
    """Guards against: a code that sends the reader to the wrong party."""
    found = about(
        [
            assumed(1, T.format(0), "A"),
            used(2, T.format(1), "Encrypt", session("A")),
            used(3, T.format(2), "Decrypt", session("A"), errorCode=code, errorMessage="words"),
        ]
    )
    assert (found["openai"]["state"], found["openai"]["side"]) == ("refused", side)
    assert found["failures"][0]["side"] == side
    assert exit_code(found) == 0


def test_a_session_without_its_beginning_is_undecided() -> None:
    """Guards against: a stranger's session that passes for OpenAI's since its log is missing."""
    found = about([used(2, T.format(1), "Encrypt", session("A"))])
    assert (found["openai"]["state"], exit_code(found)) == ("undecided", 8)
    assert found["openai"]["unlinked_calls"] == 1
    refused = used(1, T.format(0), "Encrypt", session("A"), errorCode="AccessDenied")
    assert exit_code(about([refused])) == 8


def test_a_key_that_two_began_is_undecided() -> None:
    """Guards against: a record that gives a stranger OpenAI's access key id."""
    found = about(
        [
            assumed(1, T.format(0), "A"),
            assumed(2, T.format(0), "A", ADMINISTRATOR),
            used(3, T.format(1), "Encrypt", session("A")),
        ]
    )
    assert whose(found) == (1, 0, 0, 0, 1)
    assert exit_code(found) == 1  # somebody else assumed the role


def test_a_refused_stranger_is_listed_and_does_not_fail() -> None:
    """Guards against: an alarm for policies that do what they are for."""
    found = about(
        [
            used(1, T.format(1), "Decrypt", USER, errorCode="AccessDenied", errorMessage="no"),
            assumed(2, T.format(2), "B", USER, responseElements=None, errorCode="AccessDenied"),
        ]
    )
    assert (found["others"]["calls"], found["others"]["succeeded"]) == (2, 0)
    assert exit_code(found) == 0


def test_a_success_is_listed_before_what_was_refused() -> None:
    """Guards against: refused calls that fill the list and hide the one that succeeded."""
    refused = [
        used(number, T.format(1), "Decrypt", USER, errorCode="AccessDenied", errorMessage="no")
        for number in range(1, 1002)
    ]
    found = about([*refused, used(2000, T.format(2), "Decrypt", USER)])
    assert (found["others"]["calls"], len(found["others"]["events"])) == (1002, 1000)
    assert numbers(found["others"]["events"])[0] == 2000


def test_what_a_session_does_otherwise_hides_no_change() -> None:
    """Guards against: calls of a session that fill the list and hide a change of the key."""
    otherwise = [
        record(number, T.format(1), "kms", "DescribeKey", session("A"), **of_key(KEY_ARN))
        for number in range(1, 1002)
    ]
    changed = record(2000, T.format(0), "kms", "PutKeyPolicy", USER, **of_key(KEY_ARN))
    later = {**changed, "eventID": "00003000-", "eventTime": T.format(2)}
    found = about([changed, *otherwise, later])
    assert (found["changes"]["calls"], len(found["changes"]["events"])) == (1003, 1000)
    assert numbers(found["changes"]["events"])[:2] == [2000, 3000]
    shown = [line for line in map(str, lines(found)) if "key-policy-changed" in line]
    assert len(shown) == 2
    many = [{**changed, "eventID": f"{number:08d}-"} for number in range(4000, 4012)]
    text = "\n".join(map(str, lines(about([*many, *otherwise[:3]]))))
    assert (text.count("key-policy-changed"), text.count("role-used-otherwise")) == (9, 1)


def test_the_role_is_the_role_in_any_letter_case() -> None:
    """Guards against: an ARN that is typed otherwise, whose sessions seem to be others'."""
    began = [
        assumed(1, T.format(0), "A"),
        used(2, T.format(1), "Encrypt", session("A")),
        used(3, T.format(2), "ListAliases", session("A")),
    ]
    found = about(began, Target(KEY_ARN, UPPER_ROLE))
    assert whose(found) == (1, 0, 1, 0, 0)
    assert numbers(found["changes"]["events"]) == [3]
    stranger = about([assumed(1, T.format(0), "A", USER), *began[1:]], Target(KEY_ARN, UPPER_ROLE))
    assert "somebody other than OpenAI began" in stranger["others"]["events"][1]["reason"]


def test_another_account_is_not_told_to_be_another_than_openais() -> None:
    """Guards against: a reason that is false of OpenAI's account, which uses the key directly."""
    directly = {"type": "AWSAccount", "accountId": OPENAI_ACCOUNT, "principalId": "AROAX:open"}
    (told,) = about([used(1, T.format(1), "Decrypt", directly)])["others"]["events"]
    assert told["reason"] == (
        "A principal of another account made it, and not in a session of the role."
    )


def test_a_role_with_a_longer_name_is_another() -> None:
    """Guards against: names that are compared by their beginning."""
    longer = {**session("A"), **NAMESAKE}
    found = about([assumed(1, T.format(0), "A"), used(2, T.format(1), "Encrypt", longer)])
    assert whose(found) == (1, 0, 0, 1, 0)
    other = [changed_role(3, T.format(2), "DeleteRole", USER)]
    other[0]["requestParameters"] = {"roleName": "openai-ekm-2"}
    assert about(other)["changes"]["calls"] == 0
    other[0]["requestParameters"] = {"roleName": "OPENAI-EKM"}  # IAM does not tell case apart
    assert numbers(about(other)["changes"]["events"]) == [3]


def in_the_owners_account(number: int, when: str, shared: str, **more: Any) -> dict[str, Any]:
    """What the key's account has of a call by a session of the role's account."""
    key = KEY_ARN.replace(ACCOUNT, OWNER)
    who = {
        "type": "AWSAccount",
        "accountId": ACCOUNT,
        "principalId": f"{ROLE_ID}:session",
    }
    given = {"recipientAccountId": OWNER, "sharedEventID": shared, **of_key(key), **more}
    return record(number, when, "kms", "Decrypt", who, **given)


def test_two_accounts_tell_of_one_call() -> None:
    """One call with two records counts once, as the caller's account has it."""
    key = KEY_ARN.replace(ACCOUNT, OWNER)
    target = Target(key, ROLE_ARN)
    called = used(2, T.format(1), "Decrypt", session("A"), sharedEventID="s", **of_key(key))
    owners = in_the_owners_account(3, T.format(1), "s")
    found = about([assumed(1, T.format(0), "A"), called, owners], target)
    assert whose(found) == (1, 0, 1, 0, 0)
    assert found["by_principal"][0]["principal"] == ROLE_ARN
    assert found["changes"]["calls"] == 0
    # The owner's account alone: the session is known by its id, if an AssumeRole says whose it is.
    assert whose(about([assumed(1, T.format(0), "A"), owners], target)) == (1, 0, 1, 0, 0)
    assert whose(about([owners], target)) == (1, 0, 0, 0, 1)
    began = [assumed(1, T.format(0), "A"), assumed(4, T.format(0), "B", USER)]
    assert whose(about([*began, owners], target)) == (1, 0, 0, 0, 1)
    another = {**owners, "userIdentity": {**owners["userIdentity"], "principalId": "AROAX:session"}}
    assert whose(about([*began, another], target)) == (1, 0, 0, 1, 0)


def test_a_sessions_name_says_whose_it_is_on_its_own_day() -> None:
    """Guards against: a session of another month that passes for OpenAI's by its name alone."""
    target = Target(KEY_ARN.replace(ACCOUNT, OWNER), ROLE_ARN)
    began = [assumed(1, T.format(0), "A"), assumed(2, "2026-11-28T11:00:00Z", "C")]
    same = in_the_owners_account(3, "2026-11-28T23:59:59Z", "s")
    later = in_the_owners_account(4, "2027-06-01T00:00:00Z", "t")
    assert whose(about([*began, same], target)) == (1, 0, 1, 0, 0)
    found = about([*began, same, later], target)
    assert whose(found) == (2, 0, 1, 0, 1)
    assert numbers(found["undecided"]["events"]) == [4]


def test_an_alias_stands_for_the_keys_that_it_meant() -> None:
    """The key that OpenAI reached by the alias is the key, for everybody's calls."""
    by_alias = {**of_key(KEY_ARN), "requestParameters": {"keyId": ALIAS_ARN}}
    records = [
        assumed(1, T.format(0), "A"),
        used(2, T.format(1), "Encrypt", session("A"), **by_alias),
        used(3, T.format(2), "Decrypt", USER),
        used(4, T.format(3), "Decrypt", USER, **of_key(OTHER_KEY)),
        record(5, T.format(4), "kms", "DeleteAlias", USER, requestParameters={"aliasName": ALIAS}),
    ]
    found = about(records, ALIAS_TARGET)
    assert found["key_arns"] == [KEY_ARN]
    assert whose(found) == (2, 0, 1, 1, 0)
    assert numbers(found["others"]["events"]) == [3]
    assert numbers(found["changes"]["events"]) == [5]
    gone = {"resources": None, "requestParameters": {"keyId": ALIAS_ARN}}
    missing = used(6, T.format(5), "Encrypt", session("A"), errorCode="NotFoundException", **gone)
    found = about([records[0], missing], ALIAS_TARGET)
    assert (found["openai"]["state"], found["key_arns"]) == ("refused", [])


def test_an_alias_that_nothing_explains_is_undecided() -> None:
    """Guards against: calls by the key's ARN, which nobody can tell to be the alias's."""
    found = about([used(1, T.format(1), "Decrypt", USER)], ALIAS_TARGET)
    (told,) = found["unread"]["files"]
    assert (told["file"], found["complete"], exit_code(found)) == (ALIAS_ARN, False, 8)
    assert "no record says which key the alias means: give the key's ARN" in told["reason"]
    assert not faults_of("usage", found)


def re_encrypted(number: int, source: str, *arns: str, **sent: str) -> dict[str, Any]:
    """A ReEncrypt by a user, away from a key."""
    return used(
        number,
        T.format(1),
        "ReEncrypt",
        USER,
        resources=[{"ARN": arn} for arn in arns],
        requestParameters={"sourceKeyId": source, "destinationKeyId": OTHER_KEY, **sent},
    )


@pytest.mark.parametrize(
    ("source", "key", "target"),
    [
        (ALIAS_ARN, KEY_ARN, ALIAS_TARGET),
        (ALIAS, KEY_ARN, ALIAS_TARGET),
        (REPLICA, REPLICA, Target(PRIMARY, ROLE_ARN)),
    ],
)
def test_a_re_encryption_away_is_a_use(source: str, key: str, target: Target) -> None:
    """Guards against: data that leave the key by its alias or a replica, beside another key."""
    found = about([re_encrypted(1, source, key, OTHER_KEY)], target)
    assert numbers(found["others"]["events"]) == [1]
    assert exit_code(found) == 1


def test_a_change_of_a_replica_is_a_change() -> None:
    """Guards against: a policy of a replica that changes, and nobody is told."""
    made = used(1, T.format(1), "PutKeyPolicy", USER, **of_key(REPLICA))
    made["resources"] = None
    two = [{"ARN": REPLICA}, {"ARN": OTHER_KEY}]
    both = used(2, T.format(1), "PutKeyPolicy", USER, resources=two, requestParameters=None)
    other = used(3, T.format(1), "PutKeyPolicy", USER, **of_key(OTHER_KEY))
    found = about([made, both, other], Target(PRIMARY, ROLE_ARN))
    assert numbers(found["changes"]["events"]) == [1, 2]


def test_a_replica_is_the_key() -> None:
    """Guards against: the same material, used in another Region and not seen."""
    target = Target(PRIMARY, ROLE_ARN)
    records = [
        used(1, T.format(1), "Decrypt", USER, awsRegion="eu-north-1", **of_key(REPLICA)),
        used(2, T.format(2), "Decrypt", USER, **of_key(OTHER_KEY)),
    ]
    found = about(records, target)
    assert found["key_arns"] == [REPLICA, PRIMARY]
    assert numbers(found["others"]["events"]) == [1]


def test_a_re_encryption_counts_once() -> None:
    """ReEncrypt names two keys, and may name the same one twice."""
    both = [{"ARN": OTHER_KEY}, {"ARN": KEY_ARN}, {"ARN": KEY_ARN}, {"ARN": 3}, None]
    found = about([used(1, T.format(1), "ReEncrypt", USER, resources=both)])
    assert whose(found) == (1, 0, 0, 1, 0)


def test_times_leave_out_what_is_around() -> None:
    """--since counts from its moment on, --until ends before its own; a session may be older."""
    since, until = datetime(2026, 11, 28, 10, tzinfo=UTC), datetime(2026, 11, 28, 11, tzinfo=UTC)
    records = [
        assumed(1, "2026-11-28T09:30:00Z", "A"),
        assumed(2, "2026-11-28T08:59:59Z", "B"),
        used(3, "2026-11-28T09:59:59Z", "Encrypt", session("A")),
        used(4, "2026-11-28T10:00:00Z", "Encrypt", session("A")),
        used(5, "2026-11-28T10:00:01Z", "Encrypt", session("B")),  # longer than a session lasts
        used(6, "2026-11-28T11:00:00Z", "Encrypt", session("A")),
        used(7, "2026-11-28T09:59:00Z", "PutKeyPolicy", USER),
    ]
    found = about(records, Target(KEY_ARN, ROLE_ARN, since, until))
    assert whose(found) == (2, 0, 1, 0, 1)
    assert found["openai"]["assumptions"]["calls"] == 0
    assert found["changes"]["calls"] == 0
    assert found["covered"] == {"first": "2026-11-28T10:00:00Z", "last": "2026-11-28T10:00:01Z"}


def test_services_and_other_regions_keep_their_place() -> None:
    """Guards against: a Region that is lost, and a service whose name nobody sees."""
    service = {"type": "AWSService", "invokedBy": "backup.amazonaws.com"}
    found = about([used(1, T.format(1), "GenerateDataKeyPair", service, awsRegion=REGION)])
    (row,) = found["by_principal"]
    assert (row["principal"], row["kind"], row["account"]) == (
        "backup.amazonaws.com",
        "service",
        "",
    )
