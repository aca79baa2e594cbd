"""docs/permissions.md: the policies that readers paste are policies, and give nobody the data."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from openai_ekm.evaluation import Policies, Request, decide
from openai_ekm.policy import DocumentKind, parse_document

PAGE = Path(__file__).resolve().parents[2] / "docs" / "permissions.md"
SECTION = re.compile(r"^## (?P<title>.+?)$(?P<text>.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
BLOCK = re.compile(r"^```json\n(.*?)^```$", re.MULTILINE | re.DOTALL)
KEY = "arn:aws:kms:REGION:ACCOUNT:key/11111111-2222-3333-4444-555555555555"
REPLACED = {"REGION": "eu-west-1", "ACCOUNT": "111122223333", "NAME": "openai-ekm"}


def filled(text: str) -> str:
    """The text with the words that a reader replaces replaced."""
    for word, value in REPLACED.items():
        text = re.sub(rf"\b{word}\b", value, text)
    return text


def policies() -> list[tuple[str, dict[str, Any]]]:
    """Every policy on the page with the section that it stands in."""
    page = PAGE.read_text(encoding="utf-8")
    return [
        (section["title"], json.loads(filled(block)))
        for section in SECTION.finditer(page)
        for block in BLOCK.findall(section["text"])
    ]


def identity_policies() -> dict[str, dict[str, Any]]:
    """The policies of whoever applies and of the registrar."""
    return {title: policy for title, policy in policies() if not title.startswith("OpenAI")}


@pytest.mark.parametrize(("title", "policy"), policies())
def test_each_policy_is_one_that_aws_would_save(title: str, policy: dict[str, Any]) -> None:
    """Guards against: a policy of the page that AWS refuses to save."""
    kind = DocumentKind.TRUST if "Principal" in json.dumps(policy) else DocumentKind.IDENTITY
    assert parse_document(policy, kind).statements, title


@pytest.mark.parametrize(("title", "policy"), identity_policies().items())
@pytest.mark.parametrize(
    "action", ["kms:Encrypt", "kms:Decrypt", "kms:CreateGrant", "kms:ReplicateKey"]
)
def test_neither_who_applies_nor_the_registrar_is_given_the_data(
    title: str, policy: dict[str, Any], action: str
) -> None:
    """Guards against: a deployer's policy that reads the data where the key policy lets it."""
    key_policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
                "Action": "kms:*",
                "Resource": "*",
            }
        ],
    }
    request = Request("arn:aws:iam::111122223333:role/deployer", action, filled(KEY))
    decision = decide(request, Policies(identity=(policy,), resource=key_policy))
    assert not decision.allowed, f"{title}: {action}"


def test_the_page_has_a_policy_for_each_identity() -> None:
    """Guards against: a section without a policy, which the tests above would pass."""
    titles = {title for title, _ in policies()}
    assert {"Who applies", "The registrar", "Who rehearses"} <= titles
