"""The walk of a policy document from a plan to a counterexample, module by module."""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import openai_ekm
from openai_ekm.policy import Document, Statement
from openai_ekm.proof import prove
from openai_ekm.proof.result import Claim, Counterexample
from openai_ekm.proof.witnesses import Witness
from openai_ekm.snapshot import Snapshot
from openai_ekm.snapshot.plan import snapshot_of
from tests.support.plans import a_plan, write_documents

if TYPE_CHECKING:
    from types import FrameType

PACKAGE: Final = Path(openai_ekm.__file__).parent
PAGE: Final = PACKAGE.parents[1] / "docs" / "concepts" / "proof.md"
# Read once, a reader can keep so many in mind.
MOST: Final = 20
HOLE: Final = "Hole"
STRANGER: Final = "444455556666"


def spoilt_plan() -> dict[str, Any]:
    """Return a plan whose key policy also lets another account decrypt."""
    body = a_plan()
    note = next(each for each in body["resource_changes"] if each["type"] == "terraform_data")
    statements = note["change"]["after"]["input"]["key_policy"]["Statement"]
    statements.append(
        {
            "Sid": HOLE,
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{STRANGER}:root"},
            "Action": "kms:Decrypt",
            "Resource": "*",
        }
    )
    return write_documents(body)


def _is_followed(value: object) -> bool:
    """Return whether it is the plan, the snapshot, a document, the hole, or what it leads to."""
    if isinstance(value, dict):
        return value.get("Sid") == HOLE or "resource_changes" in value or "Statement" in value
    if isinstance(value, Statement):
        return value.sid == HOLE
    followed = (Snapshot, Document, Witness, Claim, Counterexample)
    return isinstance(value, followed) or isinstance(getattr(value, "document", None), Document)


def walk(plan: dict[str, Any]) -> dict[str, set[str]]:
    """Return the functions that are handed the document on its way, by module of the package."""
    met: dict[str, set[str]] = defaultdict(set)

    def follow(frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        file = Path(code.co_filename)
        if event != "call" or PACKAGE not in file.parents:
            return
        for name in code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]:
            value = frame.f_locals.get(name)
            if any(map(_is_followed, value if isinstance(value, list | tuple) else [value])):
                met[file.relative_to(PACKAGE).as_posix()].add(code.co_name)

    sys.setprofile(follow)
    try:
        (claim,) = prove(snapshot_of(plan), only=("c",)).claims
    finally:
        sys.setprofile(None)
    assert claim.counterexample is not None
    assert HOLE in json.dumps(claim.as_json())
    return dict(met)


def test_a_document_passes_few_modules_on_its_way_to_a_counterexample() -> None:
    """Guards against a way that nobody follows to its end: it passed 23 modules before."""
    met = walk(spoilt_plan())
    assert len(met) <= MOST, sorted(met)


def test_the_page_names_the_modules_that_a_document_passes() -> None:
    """Guards against a drawing of the walk from which the code has moved away."""
    page = PAGE.read_text(encoding="utf-8")
    assert [module for module in sorted(walk(spoilt_plan())) if module not in page] == []
