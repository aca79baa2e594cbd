"""The module uses no name that the AWS provider 6.x does not have, as far as a schema can tell.

No release 6.x runs here. tests/support/provider_6.json has the names of its bindings;
`python tools/provider_schema.py` writes it anew.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.support.provider_names import (
    FIXTURE,
    REQUIREMENTS,
    mocked_names,
    module_blocks,
    references,
)

ROOT = Path(__file__).resolve().parents[2]
PROVIDER: dict[str, Any] = json.loads(FIXTURE.read_text(encoding="utf-8"))


def readable(kind: str, type_: str) -> set[str]:
    """Every name that an expression may read of a resource or data source."""
    names = PROVIDER[kind][type_]
    return {*names["arguments"], *names["attributes"], *names["blocks"]}


def test_the_names_are_of_the_pinned_bindings_of_provider_6() -> None:
    """Guards against: names of another release than the one that is said to have been read."""
    assert PROVIDER["provider"].startswith("6.")
    requirement, *hashes = REQUIREMENTS.read_text(encoding="utf-8").replace("\\\n", "").split()
    assert [PROVIDER["from"], *PROVIDER["hashes"]] == [requirement, *hashes]


def test_the_names_are_of_what_the_module_uses() -> None:
    """Guards against: a resource or data source whose names were never compared."""
    used = {block.kind_and_type for block in module_blocks(ROOT)}
    assert {(kind, each) for kind in ("resource", "data") for each in PROVIDER[kind]} == used


def test_every_argument_is_one_of_provider_6() -> None:
    """Guards against: an argument that provider 6 refuses, or one that it wants and lacks."""
    unknown, lacking = [], []
    for block in module_blocks(ROOT):
        names = PROVIDER[block.kind][block.type]
        where = f"{block.file}: {block.kind} {block.type}"
        unknown += [
            f"{where}: {each}"
            for each in sorted(block.names - {*names["arguments"], *names["blocks"]})
        ]
        unknown += [f"{where}: {each}" for each in sorted(block.nested - set(names["nested"]))]
        lacking += [f"{where}: {each}" for each in sorted(set(names["required"]) - block.names)]
    assert unknown == []
    assert lacking == []


def test_the_arguments_of_blocks_are_read() -> None:
    """Guards against: a comparison that sees nothing of what stands in a block."""
    nested = {block.type: block.nested for block in module_blocks(ROOT) if block.nested}
    assert "input_template" in nested["aws_cloudwatch_event_target"]
    assert {"metric", "namespace"} <= nested["aws_cloudwatch_metric_alarm"]


def test_every_attribute_is_one_of_provider_6() -> None:
    """Guards against: an output or a policy that reads what provider 6 does not have.

    What is read as a whole would hide the attributes that are taken from it: nothing is.
    """
    reads = list(references(ROOT))
    reads += [
        (block.file, block.kind, block.type, each)
        for block in module_blocks(ROOT)
        for each in block.reads
    ]
    assert len(reads) > 20
    assert [
        f"{file}: {kind} {type_}.{attribute}"
        for file, kind, type_, attribute in reads
        if attribute not in readable(kind, type_)
    ] == []


def test_every_mocked_attribute_is_one_of_provider_6() -> None:
    """Guards against: mocks that provider 6 refuses, in the tests of those who call the module."""
    mocks = [*mocked_names(ROOT / "mocks" / "aws.tfmock.hcl")]
    mocks += mocked_names(ROOT / "tests" / "mocks" / "aws.tfmock.hcl")
    assert mocks
    assert [
        f"{kind} {type_}.{name}" for kind, type_, name in mocks if name not in readable(kind, type_)
    ] == []


def test_the_region_is_not_read_by_its_deprecated_name() -> None:
    """Guards against: a warning in each plan under provider 6, where `name` is deprecated."""
    read = {attribute for _, _, type_, attribute in references(ROOT) if type_ == "aws_region"}
    assert read == {"id"}
