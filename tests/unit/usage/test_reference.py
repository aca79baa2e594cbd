"""The queries against a plain reading in Python, on small sets of events that nobody chose."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from openai_ekm.openai import OPENAI_ACCOUNT
from tests.support.cloudtrail_events import (
    ADMINISTRATOR,
    FOREIGN,
    KEY_ARN,
    OPENAI_CALLER,
    OTHER_KEY,
    ROLE_ARN,
    ROOT,
    USER,
    of_key,
)
from tests.support.trail_logs import assumed, session, used
from tests.unit.usage.asking import about, counts

EXAMPLES = 12  # each fills a base of its own, which takes a quarter of a second
KEY_IDS = ("ASIA-A", "ASIA-B", "ASIA-C")
NAMED = "User: x is not authorized to perform: kms:Decrypt on resource: {} because no"
Record = dict[str, Any]

times = st.builds("2026-11-{:02d}T{:02d}:00:00Z".format, st.integers(27, 29), st.integers(0, 23))
callers = st.sampled_from([*map(session, KEY_IDS), USER, ROOT, FOREIGN, ADMINISTRATOR])
ways = st.sampled_from(
    [
        *(
            {**of_key(key), **error}
            for key in (KEY_ARN, OTHER_KEY)
            for error in ({}, {"errorCode": "Disabled"})
        ),
        *(
            {
                "resources": None,
                "requestParameters": None,
                "errorCode": "AccessDenied",
                "errorMessage": NAMED.format(key),
            }
            for key in (KEY_ARN, OTHER_KEY, "*")
        ),
    ]
)
uses = st.builds(
    lambda when, name, who, way: used(0, when, name, who, **way),
    times,
    st.sampled_from(["Encrypt", "Decrypt", "GenerateDataKey", "DescribeKey"]),
    callers,
    ways,
)
assumptions = st.builds(
    lambda when, key_id, who, error: assumed(0, when, key_id, who, **error),
    times,
    st.sampled_from(KEY_IDS),
    st.sampled_from([OPENAI_CALLER, ADMINISTRATOR, USER]),
    st.sampled_from([{}, {}, {"errorCode": "AccessDenied", "responseElements": None}]),
)


@st.composite
def trails(draw: st.DrawFn) -> list[Record]:
    """Records with ids of their own, some of them twice, in any order."""
    made = draw(st.lists(st.one_of(uses, assumptions), max_size=80))
    records = [{**each, "eventID": f"{number:08d}-"} for number, each in enumerate(made)]
    copies = draw(st.lists(st.sampled_from(records), max_size=8)) if records else []
    return draw(st.permutations(records + copies))


def read_plainly(records: list[Record]) -> dict[str, Any]:
    """The same answers, as a person would work them out."""
    unique = list({each["eventID"]: each for each in records}.values())
    began: dict[str, set[str]] = {}
    strangers = 0
    for each in unique:
        if each["eventSource"] == "sts.amazonaws.com":
            theirs = each["userIdentity"]["accountId"] == OPENAI_ACCOUNT
            strangers += not theirs and "errorCode" not in each
            if "errorCode" not in each:
                key_id = each["responseElements"]["credentials"]["accessKeyId"]
                began.setdefault(key_id, set()).add("openai" if theirs else "others")
    rows: Counter[tuple[str, str, str, bool]] = Counter()
    for each in unique:
        identity = each["userIdentity"]
        issuer = identity.get("sessionContext", {}).get("sessionIssuer", {}).get("arn")
        of_role = issuer == ROLE_ARN
        if each["eventSource"] != "kms.amazonaws.com" or each["eventName"] == "DescribeKey":
            continue
        message = each.get("errorMessage", "")
        arns = [resource["ARN"] for resource in each["resources"] or []]
        unnamed = of_role and "errorCode" in each and not arns and "arn:aws:kms:" not in message
        if KEY_ARN not in arns and f"{KEY_ARN} " not in message and not unnamed:
            continue
        who = "others"
        if of_role:
            known = began.get(identity["accessKeyId"], set())
            who = next(iter(known)) if len(known) == 1 else "undecided"
        rows[each["eventTime"][:10], each["eventName"], who, "errorCode" in each] += 1
    return {"rows": rows, "strangers": strangers}


def added(rows: Counter[tuple[str, str, str, bool]], member: int) -> dict[str, tuple[int, ...]]:
    """Counts of the plain reading by the day (0) or the operation (1)."""
    found = {}
    for name in {str(row[member]) for row in rows}:
        part = {row: count for row, count in rows.items() if row[member] == name}
        found[name] = (
            sum(part.values()),
            sum(count for row, count in part.items() if row[3]),
            *(
                sum(count for row, count in part.items() if row[2] == who)
                for who in ("openai", "others", "undecided")
            ),
        )
    return found


@settings(max_examples=EXAMPLES, deadline=None)
@given(trails())
def test_the_queries_answer_as_a_plain_reading(records: list[Record]) -> None:
    """Guards against: a join that multiplies, a condition that forgets NULL, a copy that counts."""
    found = about(records)
    plain = read_plainly(records)
    rows = plain["rows"]
    assert {row["day"]: counts(row) for row in found["by_day"]} == added(rows, 0)
    assert {row["operation"]: counts(row) for row in found["by_operation"]} == added(rows, 1)
    for table in ("by_principal", "by_session", "by_region"):
        assert sum(row["calls"] for row in found[table]) == sum(rows.values())
    others = sum(count for row, count in rows.items() if row[2:] == ("others", False))
    assert found["others"]["succeeded"] == others + plain["strangers"]
    undecided = sum(count for row, count in rows.items() if row[2] == "undecided")
    assert found["undecided"]["calls"] == undecided == len(found["undecided"]["events"])
    assert found["sources"][0]["duplicates"] == len(kept(records)) - len(
        {each["eventID"] for each in kept(records)}
    )


def kept(records: list[Record]) -> list[Record]:
    """Records that the queries need: a session's other calls of KMS among them."""
    return [
        each
        for each in records
        if each["eventName"] != "DescribeKey"
        or each["userIdentity"].get("sessionContext", {}).get("sessionIssuer", {}).get("arn")
        == ROLE_ARN
    ]
