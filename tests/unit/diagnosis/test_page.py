"""docs/diagnosis.md: every cause with its id and its fix, as the diagnosis really gives them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.diagnosed import diagnosed, diagnosed_fault
from tests.support.faulty import FAULTS, WARNINGS
from tests.support.healthy import ALIAS, KEY, OPENAI, PATHED, ROLE, healthy, put

if TYPE_CHECKING:
    from openai_ekm.diagnosis import Fault

PAGE = Path(__file__).resolve().parents[3] / "docs" / "diagnosis.md"
SOURCE = Path(__file__).resolve().parents[3] / "scripts" / "openai_ekm" / "diagnosis"
NAMES = {OPENAI: "OpenAI's role", KEY: "the key's ARN", ALIAS: "the alias's ARN",
         PATHED: "the ARN with its path", ROLE: "the role's ARN", "org-abc": "the id"}  # fmt: skip

ID = re.compile(
    r'"((?:external_id|principal|condition|role|key|resource|action|identity_policy|boundary|scp|'
    r"rcp|policy|kms_arn|alias|trust_policy|trust_action|permissions|granted|organization|denied)_[a-z_]+|not_proven)\""
)
# Names of members and of functions.
NO_IDS = {"condition_text", "key_arn", "key_faults", "key_policy", "permissions_boundary",
          "role_arn", "role_faults", "role_session_arn"}  # fmt: skip

# What a diagnosis has to tell -> the examples of it in tests/support/faulty.py.
CAUSES: dict[str, tuple[str, ...]] = {
    "external id wrong": ("wrong", "pattern under StringEquals", "line break registered"),
    "external id in another case": ("other case",),
    "external id with white space": ("trailing space", "other case and a space"),
    "external id of another organization": ("another organization",),
    "external id by the wrong operator": (
        "wrong operator", "negated operator", "must be missing", "condition of no form",
    ),
    "external id by the wrong key": ("wrong key",),
    "external id missing": ("no external id",),
    "external id optional": ("if it exists", "for all values"),
    "external id too broad": ("prefix", "any case", "another id too"),
    "principal mistyped": ("principal mistyped", "principal of another account"),
    "principal an account": ("own account root", "OpenAI's whole account"),
    "principal a session": ("another session", "a session"),
    "principal a service": ("a service",),
    "principal the unique id of a deleted role": ("a deleted role", "an old id beside"),
    "principal too broad": ("anybody", "one more role"),
    "condition on the organization": ("organization",),
    "condition on the source IP": ("source ip", "source ip if it exists"),
    "condition on a VPC endpoint": ("vpc endpoint",),
    "condition on MFA": ("mfa", "another condition instead"),
    "condition on an encryption context": ("encryption context",),
    "condition on ViaService": ("via service", "key policy through a service"),
    "condition on tags": ("tag",),
    "condition on dates": ("date passed", "date to come"),
    "condition on the session's name": ("session name",),
    "role path left out": ("role path left out", "key policy leaves a path out"),
    "role missing": ("role missing",),
    "role ARN mistyped": ("role mistyped", "role arn of no form"),
    "alias ARN as Resource": ("alias as resource",),
    "alias registered": ("alias", "alias gone"),
    "wrong account": ("resource of another account", "key of another account"),
    "wrong Region": ("resource of another Region", "key of another Region"),
    "wrong key": ("another key", "key gone", "a bare key id"),
    "one action missing": ("Encrypt missing", "Decrypt missing", "no AssumeRole"),
    "no identity policy": ("no identity policy",),
    "identity policy denies": ("denied by identity",),
    "identity policy too broad": ("every KMS action", "every key"),
    "key policy without delegation": (
        "key policy without delegation", "key policy names another role",
        "denied by the key policy", "key policy condition of no form",
    ),
    "key policy too broad": ("root delegation", "granted"),
    "permissions boundary": ("boundary", "boundary denies"),
    "service control policy": ("scp denies", "scp lists"),
    "resource control policy (identity perimeter)": ("identity perimeter",),
    "key disabled": ("disabled",),
    "key pending deletion": ("pending deletion",),
    "key pending import": ("pending import",),
    "key unavailable": ("unavailable",),
    "key of the wrong spec": ("wrong spec",),
    "key of the wrong usage": ("wrong usage",),
    "policy too large": ("too large",),
    "policy malformed": ("misspelt element", "misspelt operator"),
    "deleted and recreated role behind the key policy's unique id": ("recreated role",),
}  # fmt: skip


def told(name: str) -> Fault:
    """What is told first of an example."""
    if name in FAULTS:
        found = diagnosed_fault(name)[1]
    else:
        path, value, *_ = WARNINGS[name]
        found = diagnosed(put(healthy(), path, value))
    first: Fault = (found.faults or found.warnings)[0]
    return first


def in_words(text: str) -> str:
    """A text in which the example's values stand by their names."""
    for value, name in NAMES.items():
        text = text.replace(repr(value), name).replace(value, name)
    return text.replace("|", "\\|")


def rows() -> list[str]:
    """The table's rows."""
    made = ["| cause | id | fix |", "|---|---|---|"]
    for cause, names in CAUSES.items():
        faults = [told(name) for name in names]
        ids = ", ".join(dict.fromkeys(f"`{each.id}`" for each in faults))
        fixes = dict.fromkeys(in_words(each.remedy) for each in faults)
        made.append(f"| {cause} | {ids} | {' · '.join(fixes)} |")
    return made


@pytest.mark.exhaustive
def test_the_page_has_every_cause_with_its_id_and_fix() -> None:
    """A reader would look up an id that is no longer given, or be told another fix."""
    page = PAGE.read_text(encoding="utf-8")
    table = page.partition("<!-- causes -->\n")[2].partition("<!-- /causes -->")[0]
    assert table.strip().splitlines() == rows(), "\n".join(rows())


def test_every_example_is_of_a_cause() -> None:
    """A fault would be tried and stand nowhere on the page."""
    named = [name for names in CAUSES.values() for name in names]
    assert sorted(named) == sorted([*FAULTS, *WARNINGS])


def test_the_page_has_every_id_that_the_code_gives() -> None:
    """A user would be given an id that is explained nowhere."""
    page = PAGE.read_text(encoding="utf-8")
    code = "".join(path.read_text(encoding="utf-8") for path in sorted(SOURCE.rglob("*.py")))
    missing = {each for each in ID.findall(code) if f"`{each}`" not in page}
    assert not missing - NO_IDS
