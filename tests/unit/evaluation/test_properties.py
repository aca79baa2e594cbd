"""Laws that hold for every request and every set of documents."""

from __future__ import annotations

import copy
import json
from contextlib import suppress
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openai_ekm.evaluation import Decision, Outcome, Policies, Request, decide
from openai_ekm.evaluation.case import BadCase, case_of, read_case
from openai_ekm.policy import DocumentKind, MalformedPolicy, parse_document
from tests.unit.evaluation import random_cases, sample_values

SEEDS = st.integers(0, 2**32 - 1)
FEWER = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "Version",
                    "Statement",
                    "Effect",
                    "Action",
                    "Resource",
                    "Principal",
                    "Condition",
                    "StringLike",
                    "aws:x",
                    "AWS",
                ]
            )
            | st.text(max_size=6),
            inner,
            max_size=4,
        )
    ),
    max_leaves=6,
)


def _decide(case: Any) -> Decision:
    read = case_of(case)
    return decide(read.request, read.policies)


def _documents(case: Any) -> list[tuple[Any, bool]]:
    """The documents that grant or limit, and whether each names principals."""
    policies = case["policies"]
    found = [(document, False) for document in policies["identity"]]
    found += [(policies[name], True) for name in ("resource",) if name in policies]
    names = ("permissions_boundary", "session")
    found += [(policies[name], False) for name in names if name in policies]
    found += [(document, False) for level in policies.get("scps", []) for document in level]
    return found


def _statements(document: Any) -> list[Any]:
    if isinstance(document["Statement"], dict):
        document["Statement"] = [document["Statement"]]
    statements: list[Any] = document["Statement"]
    return statements


@pytest.mark.exhaustive
@FEWER
@given(SEEDS)
def test_a_further_deny_never_allows_more(seed: int) -> None:
    """A Deny statement made something possible."""
    random = Random(seed)
    case = random_cases.case(random)
    before = _decide(case)
    for document, principals in _documents(case):
        changed = copy.deepcopy(case)
        twin = next(
            each
            for (each, _), (old, _) in zip(_documents(changed), _documents(case), strict=True)
            if old is document
        )
        _statements(twin).append(
            random_cases.statement(random, case["request"], principals=principals, effect="Deny")
        )
        assert before.allowed or not _decide(changed).allowed


@FEWER
@given(SEEDS)
def test_a_further_allow_never_denies_more(seed: int) -> None:
    """An Allow statement took something away."""
    random = Random(seed)
    case = random_cases.case(random)
    before = _decide(case)
    for position, (_, principals) in enumerate(_documents(case)):
        changed = copy.deepcopy(case)
        document = _documents(changed)[position][0]
        _statements(document).append(
            random_cases.statement(random, case["request"], principals=principals, effect="Allow")
        )
        after = _decide(changed)
        assert after.allowed or not before.allowed
        explicit = Outcome.EXPLICITLY_DENIED
        assert (before.outcome is explicit) == (after.outcome is explicit)


@FEWER
@given(SEEDS)
def test_a_condition_added_to_an_allow_never_allows_more(seed: int) -> None:
    """A condition on an Allow statement opened something."""
    random = Random(seed)
    case = random_cases.case(random)
    before = _decide(case)
    for position, (document, _) in enumerate(_documents(case)):
        for index, statement in enumerate(_statements(document)):
            if statement["Effect"] == "Deny":
                continue
            changed = copy.deepcopy(case)
            operator, block = random_cases.condition(random)
            twin = _statements(_documents(changed)[position][0])[index]
            conditions = twin.setdefault("Condition", {})
            if operator in conditions:
                continue
            conditions[operator] = block
            assert before.allowed or not _decide(changed).allowed


@FEWER
@given(SEEDS)
def test_the_order_of_statements_and_documents_is_irrelevant(seed: int) -> None:
    """The answer depends on where a statement stands."""
    random = Random(seed)
    case = random_cases.case(random)
    before = _decide(case)
    for document, _ in _documents(case):
        random.shuffle(_statements(document))
    random.shuffle(case["policies"]["identity"])
    random.shuffle(case["policies"].get("grants", []))
    after = _decide(case)
    assert after.outcome is before.outcome
    assert len(after.decided_by) == len(before.decided_by)


@FEWER
@given(SEEDS)
def test_a_scalar_equals_a_list_of_one(seed: int) -> None:
    """A scalar is read otherwise than the list that holds it alone."""
    case = random_cases.case(Random(seed))
    before = _decide(case)
    for document, _ in _documents(case):
        for statement in _statements(document):
            _lists(statement)
    assert _decide(case) == before


def _lists(statement: Any) -> None:
    for element in ("Action", "NotAction", "Resource", "NotResource"):
        if isinstance(statement.get(element), str):
            statement[element] = [statement[element]]
    for block in statement.get("Condition", {}).values():
        for key, value in block.items():
            block[key] = value if isinstance(value, list) else [value]
    for element in ("Principal", "NotPrincipal"):
        if isinstance(statement.get(element), dict):
            for kind, value in statement[element].items():
                statement[element][kind] = value if isinstance(value, list) else [value]


@FEWER
@given(SEEDS)
def test_read_once_or_each_time_is_the_same(seed: int) -> None:
    """Documents that are prepared once are judged otherwise, or a document as text is."""
    case = case_of(random_cases.case(Random(seed)))
    before = decide(case.request, case.policies)
    assert decide(case.request, case.policies.prepare(case.request.action)) == before
    identity = [json.dumps(each) for each in case.policies.identity]
    resource = json.dumps(case.policies.resource) if case.policies.resource else None
    texts = Policies(
        identity,
        resource,
        case.policies.permissions_boundary,
        case.policies.session,
        case.policies.scps,
        case.policies.rcps,
        case.policies.grants,
    )
    assert decide(case.request, texts) == before


@FEWER
@given(SEEDS)
def test_a_denial_says_what_was_missing_and_an_allowance_what_it_rests_on(seed: int) -> None:
    """A decision gives no reason."""
    case = random_cases.case(Random(seed))
    decision = _decide(case)
    if decision.outcome is Outcome.IMPLICITLY_DENIED:
        assert decision.missing
        assert not decision.decided_by
    else:
        effect = "Allow" if decision.allowed else "Deny"
        assert {ref.effect for ref in decision.decided_by} <= {effect}
        # An account's root user needs no statement for what has no policy of its own.
        root = case["request"]["principal"].endswith(":root")
        assert decision.decided_by or root or not decision.allowed


@settings(max_examples=80, deadline=None, database=None)
@given(JSON, st.sampled_from(list(DocumentKind)))
def test_any_json_is_read_or_refused(value: Any, kind: DocumentKind) -> None:
    """A document raises something other than MalformedPolicy."""
    with suppress(MalformedPolicy):
        parse_document(value, kind)


@pytest.mark.exhaustive
@settings(max_examples=80, deadline=None, database=None)
@given(st.data())
def test_decide_never_raises(data: st.DataObject) -> None:
    """Some JSON-like request or document makes decide raise, or allows."""
    anything: st.SearchStrategy[Any] = JSON
    request = Request(
        data.draw(anything | st.sampled_from(sample_values.CALLERS)),
        data.draw(anything | st.sampled_from(sample_values.ACTION_PATTERNS)),
        data.draw(anything | st.sampled_from([*sample_values.KEYS, "*"])),
        data.draw(anything | st.none()),
        data.draw(anything | st.just({})),
    )
    members: list[Any] = [data.draw(anything) for _ in range(7)]
    policies = Policies(*members)
    decision = decide(request, policies)
    assert not decision.allowed
    json.dumps(decision.as_json())


@settings(max_examples=60, deadline=None, database=None)
@given(SEEDS, JSON, st.data())
def test_a_case_with_any_json_anywhere_is_decided_or_refused(
    seed: int, value: Any, data: st.DataObject
) -> None:
    """Some JSON in the place of a part of a case makes it raise something else."""
    case = random_cases.case(Random(seed))
    holder: Any = case
    while True:
        key = data.draw(
            st.sampled_from(sorted(holder) if isinstance(holder, dict) else range(len(holder)))
        )
        inner = holder[key]
        if not isinstance(inner, dict | list) or not inner or data.draw(st.booleans()):
            holder[key] = value
            break
        holder = inner
    with suppress(BadCase):
        _decide(case)


@settings(max_examples=60, deadline=None, database=None)
@given(st.text() | st.sampled_from(["[" * 100_000, '{"a":' * 100_000, "1" * 5000, "NaN", "\ud800"]))
def test_any_text_is_a_case_or_is_refused(text: str) -> None:
    """Some text makes the reader of cases raise something else."""
    with suppress(BadCase):
        read_case(text)
