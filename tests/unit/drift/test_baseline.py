"""The baseline: exactly what was seen is accepted, for a reason, until a day."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest

from openai_ekm.drift import acceptance, baseline
from openai_ekm.drift.difference import State, Subject
from openai_ekm.drift.report import as_json
from openai_ekm.errors import BadInput
from tests.support.schemas import faults_of, open_validator
from tests.unit.drift.sample import drift_of, found, intended, told
from tests.unit.drift.test_compare_aws import GRANT, grants
from tests.unit.drift.test_compare_policies import by_hand, key_policy

if TYPE_CHECKING:
    from collections.abc import Callable

    from openai_ekm.drift.baseline import Entry
    from openai_ekm.drift.compare import Drift

Json = Any
TODAY = date(2026, 11, 29)


def report(drift: Drift) -> bytes:
    """What `ekm drift --json` prints; it is of its schema."""
    body = as_json(drift)
    assert faults_of("ekm-drift", body) == []
    return json.dumps(body).encode()


def accepted(
    drift: Drift, *ids: str, expires: str = "2026-12-31", **given: Any
) -> tuple[Entry, ...]:
    """The entries that accept a report's differences: those that are named, or all drift."""
    subject, differences = acceptance.read_report(report(drift), "drift.json")
    return acceptance.accept(
        subject,
        differences,
        ids,
        **{
            "every": not ids,
            "reason": "OPS-17",
            "by": "jane@example.com",
            "today": TODAY,
            "expires": expires,
            **given,
        },
    )


def written(entries: tuple[Entry, ...]) -> Json:
    """The file's JSON; the reader takes it, and it is of its schema."""
    text = baseline.serialise(entries)
    body = json.loads(text)
    assert faults_of("ekm-drift-baseline", body) == []
    assert baseline.parse(text.encode(), "accepted.json") == entries
    return body


def test_an_accepted_difference_is_quiet_and_told_with_its_reason() -> None:
    """Guards against: an accepted difference that still alarms, or that nobody sees any more."""
    entries = accepted(drift_of(grants(GRANT)))
    written(entries)
    again = drift_of(grants(GRANT), entries=entries)
    (difference,) = again.differences
    assert difference.state is State.ACCEPTED
    assert as_json(again)["answer"] == "same"
    told_of_it = as_json(again)["differences"][0]["accepted"]
    assert told_of_it == {"reason": "OPS-17", "by": "jane@example.com", "expires": "2026-12-31"}


def test_it_comes_back_when_it_changes() -> None:
    """Guards against: a grant that is accepted once, and may then do anything."""
    entries = accepted(drift_of(grants(GRANT)))
    more = {**GRANT, "operations": ["CreateGrant", "Decrypt", "Encrypt"]}
    again = drift_of(grants(more), entries=entries)
    assert told(again) == ["grants"]
    assert [each.id for each in again.unused] == [entries[0].id]
    unseen = drift_of(lambda body: body.pop("grants"), entries=entries)
    assert unseen.unused == ()
    elsewhere = drift_of(
        grants(GRANT), entries=[replace(entries[0], role_arn=f"{entries[0].role_arn}-2")]
    )
    assert told(elsewhere) == ["grants"]


@pytest.mark.parametrize(
    ("now", "quiet"),
    [("2026-12-31T23:59:59", True), ("2027-01-01T00:00:00", False)],
)
def test_it_comes_back_after_its_last_day(now: str, quiet: bool) -> None:
    """Guards against: an acceptance that nobody looks at again."""
    entries = accepted(drift_of(grants(GRANT)))
    moment = datetime.fromisoformat(now).replace(tzinfo=UTC)
    again = drift_of(grants(GRANT), entries=entries, now=moment)
    assert told(again) == ([] if quiet else ["grants"])
    assert len(again.expired) == int(not quiet)


REWRITTEN: dict[str, tuple[Callable[[Json], object], bool]] = {
    "in another order": (lambda body: key_policy(body).reverse(), True),
    "another Sid": (lambda body: key_policy(body)[-1].update(Sid="Other"), True),
    "another principal": (
        lambda body: key_policy(body)[-1].update(
            Principal={"AWS": "arn:aws:iam::111122223333:role/other"}
        ),
        False,
    ),
    "another action": (lambda body: key_policy(body)[-1].update(Action="kms:*"), False),
}


@pytest.mark.parametrize("name", REWRITTEN)
def test_an_accepted_policy_may_be_rewritten_and_not_allow_more(name: str) -> None:
    """Guards against: an alarm for a Sid, and silence where an accepted policy grows."""
    rewrite, quiet = REWRITTEN[name]
    entries = accepted(drift_of(by_hand))

    def change(body: Json) -> None:
        by_hand(body)
        rewrite(body)

    assert told(drift_of(change, entries=entries)) == ([] if quiet else ["key_policy"])


def test_a_policy_that_the_module_does_not_write_is_compared_with_the_reviewed_one() -> None:
    """Guards against: an existing key whose policy nobody watches."""
    meant = intended(makes_key=False)
    first = drift_of(meant=meant)
    (undecided,) = as_json(first)["differences"]
    entries = accepted(first, undecided["id"])
    again = drift_of(meant=meant, entries=entries)
    assert (as_json(again)["answer"], again.unused) == ("same", ())
    assert told(again, State.ACCEPTED) == ["key_policy"]
    rewritten = drift_of(lambda body: key_policy(body).reverse(), meant=meant, entries=entries)
    assert told(rewritten, State.ACCEPTED) == ["key_policy"]
    changed = drift_of(by_hand, meant=meant, entries=entries)
    assert told(changed) == ["key_policy"]
    assert [each.request.action for each in changed.differences[0].more] == ["kms:Decrypt"]


def test_a_change_of_what_was_meant_ends_the_acceptance_of_a_policy() -> None:
    """Guards against: a difference that is another one, since the configuration changed."""
    entries = accepted(drift_of(by_hand))
    body = found()
    body["keys"][0]["policy"]["Statement"][0]["Action"].remove("kms:EnableKey")
    assert "key_policy" in told(drift_of(by_hand, meant=intended(body), entries=entries))


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("2026-11-29", True),
        ("2027-11-30", True),
        ("2026-11-28", False),
        ("2027-12-01", False),
        ("20261201", False),
        ("2026-02-30", False),
        ("tomorrow", False),
        ("", False),
    ],
)
def test_an_expiry_is_a_day_within_a_year(text: str, fits: bool) -> None:
    """Guards against: an acceptance for ever."""
    if fits:
        assert acceptance.check_expiry(text, TODAY) == text
        return
    with pytest.raises(BadInput) as error:
        acceptance.check_expiry(text, TODAY)
    assert error.value.id == "drift_expiry_malformed"


def test_only_what_was_seen_can_be_accepted() -> None:
    """Guards against: an acceptance of what nobody saw, or of a difference of another report."""

    def unseen(body: Json) -> None:
        body.pop("grants")
        body["role"]["trust_policy"]["Statement"][0]["Sid"] = "Other"

    drift = drift_of(unseen)
    ids = {each["check"]: each["id"] for each in as_json(drift)["differences"]}
    for check in ("grants", "trust_policy"):
        with pytest.raises(BadInput) as error:
            accepted(drift, ids[check])
        assert error.value.id == "drift_not_acceptable"
    with pytest.raises(BadInput) as error:
        accepted(drift)
    assert error.value.id == "drift_nothing_to_accept"
    with pytest.raises(BadInput) as error:
        accepted(drift, "grants-0123456789abcdef")
    assert error.value.id == "drift_difference_unknown"


def _set(path: str, value: Any) -> Callable[[Json], None]:
    def change(body: Json) -> None:
        *parts, last = path.split(".")
        for part in parts:
            body = body[int(part) if part.isdigit() else part]
        if value is KeyError:
            del body[last]
        else:
            body[last] = value

    return change


TAMPERED_BASELINE: dict[str, Callable[[Json], object]] = {
    "another schema": _set("schema", "ekm-drift-baseline/2"),
    "a member more": _set("also", 1),
    "no list": _set("accepted", {}),
    "too many": lambda body: body.update(accepted=body["accepted"] * 1001),
    "twice": lambda body: body.update(accepted=body["accepted"] * 2),
    "an entry that is none": lambda body: body["accepted"].append(7),
    "an entry without a reason": _set("accepted.0.reason", KeyError),
    "a blank reason": _set("accepted.0.reason", "  "),
    "a reason that is no text": _set("accepted.0.reason", 7),
    "a long reason": _set("accepted.0.reason", "x" * 2049),
    "a member more in an entry": _set("accepted.0.also", 1),
    "another value": _set("accepted.0.observed", {"operations": ["Encrypt"]}),
    "another check": _set("accepted.0.check", "key_policy"),
    "another key": _set("accepted.0.kms_arn", "arn:aws:kms:eu-west-1:1:key/x"),
    "another id": _set("accepted.0.id", "grants-0123456789abcdef"),
    "an id of another form": _set("accepted.0.id", "grants-1\u202e"),
    "no day": _set("accepted.0.expires", "never"),
    "a day of another form": _set("accepted.0.expires", "20261201"),
    "years": _set("accepted.0.expires", "2036-11-29"),
}


@pytest.mark.parametrize("name", TAMPERED_BASELINE)
def test_a_baseline_that_was_changed_is_refused(name: str) -> None:
    """Guards against: an entry that accepts what nobody accepted."""
    body = written(accepted(drift_of(grants(GRANT))))
    TAMPERED_BASELINE[name](body)
    with pytest.raises(BadInput) as error:
        baseline.parse(json.dumps(body).encode(), "accepted.json")
    assert error.value.id == "drift_baseline_malformed"


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'{"a": 1, "a": 2}', b"\xff\xfe\xfa"])
def test_a_file_that_is_no_baseline_is_refused(content: bytes) -> None:
    """Guards against: a traceback for a file of another kind."""
    with pytest.raises(BadInput) as error:
        baseline.parse(content, "accepted.json")
    assert error.value.id == "drift_baseline_malformed"


def test_reason_person_and_last_day_may_be_changed_by_hand() -> None:
    """Guards against: a typo in a reason that takes a new acceptance."""
    body = written(accepted(drift_of(grants(GRANT))))
    body["accepted"][0] |= {"reason": "OPS-18", "by": "joe", "expires": "2027-01-31"}
    (entry,) = baseline.parse(json.dumps(body).encode(), "accepted.json")
    assert (entry.reason, entry.by, entry.expires) == ("OPS-18", "joe", "2027-01-31")


TAMPERED_REPORT: dict[str, Callable[[Json], object]] = {
    "another schema": _set("schema", "ekm-snapshot/1"),
    "no differences": _set("differences", KeyError),
    "no role": _set("of.role_arn", 7),
    "another role": _set("of.role_arn", "arn:aws:iam::111122223333:role/other"),
    "another value": _set("differences.0.observed", {}),
    "another subject": _set("differences.0.subject", "x"),
    "a subject that is no text": _set("differences.0.subject", []),
    "a check that is not known": _set("differences.0.check", "everything"),
    "a check that is no text": _set("differences.0.check", ["grants"]),
    "an id that is no text": _set("differences.0.id", 7),
    "a member less": _set("differences.0.state", KeyError),
    "a difference that is none": lambda body: body["differences"].append(None),
}


@pytest.mark.parametrize("name", TAMPERED_REPORT)
def test_a_report_that_was_changed_is_refused(name: str) -> None:
    """Guards against: an acceptance of a value that no run of ekm drift saw."""
    body = json.loads(report(drift_of(grants(GRANT))))
    TAMPERED_REPORT[name](body)
    with pytest.raises(BadInput) as error:
        acceptance.read_report(json.dumps(body).encode(), "drift.json")
    assert error.value.id == "drift_report_malformed"


def test_a_new_acceptance_replaces_the_one_of_its_place() -> None:
    """Guards against: a baseline that grows with every change, and one that loses a grant."""
    first = accepted(drift_of(by_hand))
    other = drift_of(lambda body: body["keys"][0]["policy"]["Statement"].pop())
    assert len(acceptance.merge(first, accepted(drift_of(by_hand), expires="2026-12-01"))) == 1
    assert len(acceptance.merge(first, accepted(other))) == 2
    two = drift_of(grants(GRANT, {**GRANT, "operations": ["Sign"]}))
    assert len(acceptance.merge((), accepted(two))) == 2
    ids = [replace(first[0], subject=str(number)) for number in range(baseline.MOST)]
    with pytest.raises(BadInput) as error:
        acceptance.merge(ids, accepted(drift_of(grants(GRANT))))
    assert error.value.id == "drift_baseline_full"


def test_the_schema_refuses_what_the_reader_refuses_by_form() -> None:
    """Guards against: an editor that takes a baseline which ekm refuses."""
    body = written(accepted(drift_of(grants(GRANT))))
    by_form = [
        "another schema",
        "a member more",
        "no list",
        "too many",
        "an entry that is none",
        "an entry without a reason",
        "a reason that is no text",
        "a long reason",
        "a member more in an entry",
        "an id of another form",
        "no day",
        "a day of another form",
    ]
    for name in by_form:
        changed = copy.deepcopy(body)
        TAMPERED_BASELINE[name](changed)
        assert list(open_validator("ekm-drift-baseline").iter_errors(changed)), name


def test_entries_are_of_one_role_and_key() -> None:
    """Guards against: one file for several instances, whose entries accept each other's drift."""
    entries = accepted(drift_of(grants(GRANT)))
    found_by = baseline.Baseline.of(entries, Subject("x", "y"), TODAY)
    assert found_by.entries == ()


def test_an_acceptance_of_a_day_to_come_is_not_in_force() -> None:
    """Guards against: a first day that is written later, so that the year lasts longer."""
    (entry,) = accepted(drift_of(grants(GRANT)))
    later = replace(entry, accepted_on="2035-01-01", expires="2035-12-31")
    written((later,))
    drift = drift_of(grants(GRANT), entries=(later,))
    assert told(drift) == ["grants"]
    assert drift.expired == (later,)
    today = replace(entry, accepted_on=TODAY.isoformat(), expires=TODAY.isoformat())
    assert told(drift_of(grants(GRANT), entries=(today,))) == []


@pytest.mark.parametrize("state", [[], {}, None, "other", 1])
def test_a_report_with_another_state_is_refused(state: Json) -> None:
    """Guards against: a report whose state is a list, which ends the program."""
    body = json.loads(report(drift_of(grants(GRANT))))
    body["differences"][0]["state"] = state
    with pytest.raises(BadInput) as caught:
        acceptance.read_report(json.dumps(body).encode(), "drift.json")
    assert caught.value.id == "drift_report_malformed"
