"""The answers about two days at one key, worked out by hand from the records."""

from __future__ import annotations

from typing import Any

import pytest

from openai_ekm.usage.answers import exit_code
from tests.support.schemas import faults_of
from tests.support.trail_logs import GOLDEN, write_log
from tests.unit.usage.asking import about_places, counts, numbers


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The document about the golden records."""
    folder = tmp_path_factory.mktemp("trail")
    write_log(folder, GOLDEN)
    return about_places(folder)


def test_openai_uses_the_key(found: dict[str, Any]) -> None:
    """Calls 2, 3, 5, 6, 8 are OpenAI's: the copy of 2 counts once, 5 and 6 were refused."""
    openai = found["openai"]
    assert openai["state"] == "using"
    assert openai["side"] is None
    assert (openai["calls"], openai["failed"]) == (5, 2)
    assert openai["first_use"] == "2026-11-28T08:00:01Z"
    assert openai["last_use"] == "2026-11-29T10:00:05Z"
    assert openai["assumptions"]["calls"] == 2
    assert [each["region"] for each in openai["assumptions"]["regions"]] == [
        "eu-west-1",
        "us-east-1",
    ]
    assert openai["unlinked_calls"] == 1


def test_each_table_has_the_calls_of_the_key_alone(found: dict[str, Any]) -> None:
    """Guards against: a call of another key, DescribeKey, or a copy that counts."""
    assert {row["day"]: counts(row) for row in found["by_day"]} == {
        "2026-11-28": (4, 2, 4, 0, 0),
        "2026-11-29": (8, 1, 1, 6, 1),
    }
    assert {row["operation"]: counts(row) for row in found["by_operation"]} == {
        "Decrypt": (9, 2, 4, 4, 1),
        "Encrypt": (2, 0, 1, 1, 0),
        "GenerateDataKeyWithoutPlaintext": (1, 1, 0, 1, 0),
    }
    assert {row["region"]: counts(row) for row in found["by_region"]} == {
        "eu-west-1": (12, 3, 5, 6, 1)
    }
    assert sorted((row["kind"], row["who"], row["calls"]) for row in found["by_principal"]) == [
        ("account", "others", 1),
        ("role", "openai", 5),
        ("role", "others", 1),
        ("role", "undecided", 1),
        ("root", "others", 1),
        ("service", "others", 1),
        ("user", "others", 2),
    ]
    assert sum(row["calls"] for row in found["by_session"]) == 12


def test_everybody_else_is_named(found: dict[str, Any]) -> None:
    """Guards against: a user, root, service, account, or a session that another began, unseen."""
    others = found["others"]
    assert (others["calls"], others["succeeded"]) == (7, 6)
    assert numbers(others["events"]) == [9, 11, 12, 17, 18, 19, 10]  # 10 was refused
    assert numbers(found["undecided"]["events"]) == [13]
    assert exit_code(found) == 1
    assert not found["holds"]


def test_failures_say_whose_they_are(found: dict[str, Any]) -> None:
    """STS succeeds and KMS refuses: ours. A stranger who is refused: theirs."""
    told = [(row["who"], row["code"], row["calls"], row["side"]) for row in found["failures"]]
    assert told == [("openai", "AccessDenied", 2, "us"), ("others", "AccessDenied", 1, "them")]


def test_changes_are_those_that_the_monitoring_watches(found: dict[str, Any]) -> None:
    """Guards against: a change of key, role or trail that is not told, or has another watch."""
    told = [(int(row["event_id"][:8]), row["watch"]) for row in found["changes"]["events"]]
    assert told == [
        (4, "key-policy-changed"),
        (20, "key-change-refused"),
        (21, "role-trust-changed"),
        (22, "trail-changed"),
        (16, "role-used-otherwise"),
    ]


def test_the_document_is_of_its_schema(found: dict[str, Any]) -> None:
    """Guards against: a member that the published schema does not name."""
    assert not faults_of("usage", found)
    (source,) = found["sources"]
    assert (source["files"], source["records"], source["kept"], source["duplicates"]) == (
        1,
        23,
        22,
        1,
    )
    assert found["covered"] == {"first": "2026-11-28T08:00:00Z", "last": "2026-11-29T11:13:00Z"}
