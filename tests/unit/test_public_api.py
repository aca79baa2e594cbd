"""The public Python API: which names there are, and how they are called."""

from __future__ import annotations

import inspect
import subprocess
import sys
from dataclasses import fields, is_dataclass
from typing import Any

import pytest

import openai_ekm

NAMES = (
    *("decide", "diagnose", "prove"),
    *("Snapshot", "Request", "Policies", "Intent"),
    *("Decision", "Proof", "Claim", "Counterexample", "Diagnosis", "Fault"),
    *("EkmError", "CheckFailed", "BadInput", "AwsRefused", "OpenAIRefused", "NotReachable"),
    *("Conflict", "RecordUnreadable", "Defect", "__version__"),
)

# Names of parameters, with defaults. `*` begins those that are given by name only.
SIGNATURES = {
    "decide": "request, policies",
    "prove": "snapshot, *, now=None, assume=(), only=()",
    "diagnose": "snapshot, *, session_name=None, now=None",
    "Intent": "role_arn, kms_arn, external_id, name",
    "Policies": "identity=(), resource=None, permissions_boundary=None, session=None, scps=(), "
    "rcps=(), grants=()",
    "Request": "principal, action, resource, resource_account=None, context=<factory>",
    "Snapshot.from_json": "source, *, strict=True",
    "EkmError": "id, message, *, at_fault=None, remedy=None, request_id=None",
}

ATTRIBUTES = {
    "Claim": "answer as_json classes counterexample holds id message title undecided_by",
    "Counterexample": "as_json request statements",
    "Decision": "allowed as_json decided_by message missing outcome",
    "Diagnosis": "allows as_json curable_by_waiting deciding decisions error faults message "
    "missing open_point outcome reasons unseen warnings",
    "EkmError": "add_note args as_json exit_code with_traceback",
    "Fault": "as_json document element fix found id location message near_misses needed remedy sid "
    "statement",
    "Intent": "account external_id kms_arn name role_arn",
    "Policies": "grants identity permissions_boundary prepare rcps resource scps session",
    "Proof": "answer as_json assumed claims holds reported unseen",
    "Request": "action context principal resource resource_account",
}

FAMILIES = {
    "CheckFailed": 1,
    "BadInput": 2,
    "AwsRefused": 3,
    "OpenAIRefused": 4,
    "NotReachable": 5,
    "Conflict": 6,
    "RecordUnreadable": 7,
    "Defect": 70,
}


def public(path: str) -> Any:
    """A public name, or a member of one."""
    found: Any = openai_ekm
    for part in path.split("."):
        found = getattr(found, part)
    return found


def signature(path: str) -> str:
    """The parameters of a callable without their types."""
    given = inspect.signature(public(path))
    bare = [each.replace(annotation=each.empty) for each in given.parameters.values()]
    return str(inspect.Signature(bare))[1:-1]


def attributes(name: str) -> str:
    """The public attributes of a class."""
    found = public(name)
    names = {each for each in dir(found) if not each.startswith("_")}
    if is_dataclass(found):
        names |= {each.name for each in fields(found) if not each.name.startswith("_")}
    return " ".join(sorted(names))


def test_the_public_names_are_these() -> None:
    """Guards against: a name that is published, or withdrawn, without a decision."""
    assert sorted(openai_ekm.__all__) == sorted(NAMES)
    assert set(openai_ekm.__all__) == {*openai_ekm._MODULES, "__version__"}
    assert set(openai_ekm.__all__) <= set(dir(openai_ekm))


@pytest.mark.parametrize("name", NAMES)
def test_each_public_name_is_found_in_its_module(name: str) -> None:
    """Guards against: a name in the list that its module does not have, or has by chance alone."""
    assert getattr(openai_ekm, name) is not None
    if name != "__version__":
        module = __import__(f"openai_ekm.{openai_ekm._MODULES[name]}", fromlist=["__all__"])
        assert name in module.__all__


def test_a_name_that_is_not_public_is_refused() -> None:
    """Guards against: a misspelt name that gives something else than AttributeError."""
    with pytest.raises(AttributeError, match="'openai_ekm' has no attribute 'nothing'"):
        openai_ekm.__getattr__("nothing")


@pytest.mark.parametrize("path", SIGNATURES)
def test_the_parameters_are_these(path: str) -> None:
    """Guards against: a parameter that is renamed, moved, or gets another default."""
    assert signature(path) == SIGNATURES[path]


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_the_attributes_are_these(name: str) -> None:
    """Guards against: an attribute of an answer that is renamed or withdrawn."""
    assert attributes(name) == ATTRIBUTES[name]


def test_every_family_of_errors_is_public() -> None:
    """Guards against: an error that a caller cannot catch by a public name, and another code."""
    families = {each.__name__: each.exit_code for each in openai_ekm.EkmError.__subclasses__()}
    assert families == FAMILIES
    assert set(FAMILIES) <= set(openai_ekm.__all__)


@pytest.mark.parametrize("name", ["decide", "prove", "diagnose", "Intent", "Snapshot"])
def test_no_public_name_imports_a_client(name: str) -> None:
    """Guards against: a function that calls nobody, and yet imports what calls AWS or OpenAI."""
    code = f"import sys; from openai_ekm import {name}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    clients = {"boto3", "botocore", "click", "filelock", "requests", "urllib3", "yaml"}
    assert not clients & set(done.stdout.split())
