"""`diagnose` and `prove` say the same of OpenAI's calls, and what they say is so.

What OpenAI's calls leave open (the time, the address) is generated in every form that AWS takes.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openai_ekm.diagnosis import judge
from openai_ekm.proof import prove
from openai_ekm.snapshot import Snapshot
from tests.support.healthy import healthy, put

EXAMPLES = int(os.environ.get("EKM_FUZZ_EXAMPLES", "0"))
Json = dict[str, Any]

DATE_OPERATORS = (
    *("DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals"),
    *("DateGreaterThan", "DateGreaterThanEquals"),
)
NUMERIC_OPERATORS = tuple(each.replace("Date", "Numeric") for each in DATE_OPERATORS)
TIME_KEYS = ("aws:CurrentTime", "aws:EpochTime", "aws:TokenIssueTime")
NETWORKS = (
    *("0.0.0.0/0", "10.0.0.0/8", "52.95.110.1", "203.0.113.0/24", "128.0.0.0/1", "::/0"),
    *("2600:1f00::/24", "2600:1f18:1::5", "2001:db8::/32", "::ffff:203.0.113.0/120"),
)
DOCUMENTS = ("role/trust_policy", "keys/0/policy", "role/permission_policies/0/document")


def written(instant: datetime, form: int) -> str:
    """An instant in one of the forms of W3C's note, or as seconds since 1970."""
    forms = (
        instant.strftime("%Y-%m-%dT%H:%M:%SZ"),
        instant.strftime("%Y-%m-%dT%H:%MZ"),
        instant.strftime("%Y-%m-%d"),
        instant.strftime("%Y-%m"),
        instant.strftime("%Y-%m-%dT%H:%M:%S+02:00"),
        instant.strftime("%Y-%m-%dT%H:%M:%S.250-05:30"),
        str(int(instant.timestamp())),
        f"{int(instant.timestamp())}.5",
    )
    return forms[form % len(forms)]


def condition(random: Random, now: datetime) -> Json:
    """A condition on the time, the address, or both."""
    found: Json = {}
    for _ in range(random.randint(1, 2)):
        kind = random.random()
        span = timedelta(days=random.choice((-400, -1, 1, 2, 30, 400, 3000)))
        instant = now + span + timedelta(seconds=random.randint(0, 90_000))
        if kind < 0.5:
            value = written(instant, random.randint(0, 7))
            found.setdefault(random.choice(DATE_OPERATORS), {})[random.choice(TIME_KEYS)] = value
        elif kind < 0.7:
            seconds = int(instant.timestamp())
            number: Any = random.choice((seconds, str(seconds), f"{seconds}.5"))
            found.setdefault(random.choice(NUMERIC_OPERATORS), {})["aws:EpochTime"] = number
        else:
            operator = random.choice(("IpAddress", "NotIpAddress"))
            values = random.sample(NETWORKS, random.randint(1, 3))
            found.setdefault(operator, {})["aws:SourceIp"] = values
    return found


def denied(random: Random, now: datetime) -> Json:
    """The module's documents and one to three Denies under conditions."""
    body = healthy()
    for _ in range(random.randint(1, 3)):
        path = random.choice(DOCUMENTS)
        statement: Json = {"Effect": "Deny", "Condition": condition(random, now)}
        statement["Action"] = random.choice(("*", "kms:*", "kms:Decrypt"))
        if "trust" in path:
            statement["Action"] = "sts:AssumeRole"
        else:
            statement["Resource"] = "*"
        if "permission" not in path:
            statement["Principal"] = random.choice(("*", {"AWS": "*"}))
        steps: Any = body
        for step in path.split("/"):
            steps = steps[int(step)] if step.isdigit() else steps[step]
        body = put(body, f"{path}/Statement", [*steps["Statement"], statement])
    return body


def instants(body: Json, now: datetime) -> list[datetime]:
    """Now, the end of time, and a little before, at and after each instant that stands there."""
    near = {now, datetime(9000, 1, 1, tzinfo=UTC)}
    for literal in literals(body):
        for seconds in (-1, 0, 0.25, 0.5, 1):
            near.add(literal + timedelta(seconds=seconds))
    return sorted(each for each in near if each >= now)


def literals(body: Json) -> list[datetime]:
    """Every instant that stands in a snapshot, read by Python alone."""
    found = []
    for text in texts(body):
        try:
            found.append(datetime.fromtimestamp(float(text), UTC))
            continue
        except (ValueError, OverflowError):
            pass
        try:
            plain = f"{text}-01" if len(text) == len("2026-01") else text
            read = datetime.fromisoformat(plain)
        except ValueError:
            continue
        found.append(read if read.tzinfo else read.replace(tzinfo=UTC))
    return found


def texts(body: Any) -> list[str]:
    """Every text and number that stands in a snapshot."""
    if isinstance(body, dict):
        return [text for each in body.values() for text in texts(each)]
    if isinstance(body, list):
        return [text for each in body for text in texts(each)]
    return [str(body)]


def addresses() -> list[str]:
    """An address inside each network, and of each family one that is in none but the widest."""
    inside = [str(ip_network(each, strict=False).network_address) for each in NETWORKS]
    plain = [each for each in inside if not each.startswith("::ffff:")]
    return [*plain, "198.51.100.9", "9.9.9.9", "2a00:1450::1", "203.0.113.200"]


def refused_somewhere(body: Json, now: datetime) -> bool:
    """Whether a call at one of some times, from one of some addresses, is refused."""
    for instant in instants(body, now):
        for address in addresses():
            calls = {"time": instant.isoformat(timespec="microseconds"), "source_ip": address}
            if judge(Snapshot.from_json({**body, "calls": calls})).outcome != "ok":
                return True
    return False


@settings(
    max_examples=EXAMPLES or 25,
    deadline=None,
    derandomize=not EXAMPLES,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(st.integers(0, 2**32))
def test_diagnose_and_prove_agree_on_every_deny_with_a_time_or_an_address(seed: int) -> None:
    """`diagnose` says ok where OpenAI is denied at some time or address, or the other way."""
    now = datetime.now(UTC).replace(microsecond=0)
    body = denied(Random(seed), now)
    snapshot = Snapshot.from_json(body)
    ok = judge(snapshot).outcome == "ok"
    (claim,) = prove(snapshot, now=now, only="d").claims
    assert claim.holds is ok, (claim.message, body)
    assert ok is not refused_somewhere(body, now), body


@pytest.mark.parametrize(
    "found",
    [
        {"Null": {"aws:SourceIp": "false"}},
        {"StringLike": {"aws:UserAgent": "*boto*"}},
        {"StringNotLike": {"aws:UserAgent": "*OpenAI*"}},
        {"StringLike": {"aws:userid": "*:worker-*"}},
        {"DateGreaterThan": {"aws:EpochTime": "2100-01-01T00:00:00Z"}},
        {"NumericGreaterThan": {"aws:EpochTime": 4102444800}},
        {"IpAddress": {"aws:SourceIp": "2600:1f00::/24"}},
        {
            "DateGreaterThan": {"aws:CurrentTime": "2100-01-01T00:00:00Z"},
            "DateLessThan": {"aws:CurrentTime": "2100-01-01T00:00:01Z"},
        },
    ],
)
def test_what_nobody_knows_of_a_call_may_have_any_value(found: Json) -> None:
    """A Deny that hits some of OpenAI's calls is taken to hit none of them."""
    deny = {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*", "Condition": found}
    body = healthy()
    body = put(body, "keys/0/policy/Statement", [*body["keys"][0]["policy"]["Statement"], deny])
    snapshot = Snapshot.from_json(body)
    assert judge(snapshot).outcome == "encrypt_denied"
    (claim,) = prove(snapshot, only="d").claims
    assert claim.holds is False


def test_a_session_that_a_document_names_may_be_openais() -> None:
    """A Deny on one session of the role passes for harmless: nobody knows the session's name."""
    session = "arn:aws:sts::111122223333:assumed-role/openai-ekm/worker"
    body = healthy()
    session = session.replace("111122223333", body["customer"]["account"])
    deny = {"Effect": "Deny", "Principal": {"AWS": session}, "Action": "kms:*", "Resource": "*"}
    body = put(body, "keys/0/policy/Statement", [*body["keys"][0]["policy"]["Statement"], deny])
    snapshot = Snapshot.from_json(body)
    assert judge(snapshot).outcome == "encrypt_denied"
    (claim,) = prove(snapshot, only="d").claims
    assert claim.holds is False


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("registration/external_id", "org abc"),
        ("registration/kms_arn", "mrk-1"),
        ("keys/0/state", "Disabled"),
        ("keys/0/spec", "RSA_2048"),
        ("keys/0/policy/Id", "x" * 40_000),
        ("role/trust_policy/Statement/0/Sid", "x" * 5_000),
    ],
)
def test_what_aws_refuses_whatever_policies_say_is_one_answer(path: str, value: str) -> None:
    """`prove` lets OpenAI pass with an id that STS takes from nobody, or a policy of 40 kB."""
    body = put(healthy(), path, value)
    if path.endswith("external_id"):
        body = put(body, "role/trust_policy/Statement/0/Condition", {})
    snapshot = Snapshot.from_json(body)
    assert judge(snapshot).outcome != "ok"
    (claim,) = prove(snapshot, only="d").claims
    assert claim.holds is False
