"""The sentences of drift itself: a name that stands in one alone is found there."""

from __future__ import annotations

from typing import Any

import pytest

from openai_ekm.drift.compare_openai import Exceptions
from openai_ekm.drift.report import as_json
from openai_ekm.evidence.members import members_of
from openai_ekm.evidence.redaction import redact
from openai_ekm.openai_api.objects import Project
from tests.constants import ROLE
from tests.support.evidence_pack import make_pack
from tests.unit.drift.sample import drift_of, key, record, registered

NAMES = ("qwertz", "Qwertz (of Bob)", "qwertz's", """qwertz's "x" \\ y""")


def cases(name: str) -> dict[str, dict[str, Any]]:
    """What OpenAI and the record have, with a name in one place."""
    return {
        "a project of the record": {
            "record": record(projects={name: "proj_1"}),
            "key": key(api_project_ids=()),
        },
        "a project of OpenAI": {
            "key": key(api_project_ids=("proj_1", "proj_2")),
            "projects": (Project("proj_2", name, "extkey_1"),),
        },
        "a registration": {"key": key(name=name)},
        "its external id": {"key": key(external_id=name)},
        "another registration": {"listed": (key(), key(id="extkey_2", name=name, role_arn=ROLE))},
        "a project under no key": {"projects": (Project("proj_9", name, None),)},
    }


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("case", cases(""))
def test_a_name_in_a_sentence_of_drift_is_replaced(case: str, name: str) -> None:
    """Guards against: a sentence of drift that changed, and a name that it quotes with escapes."""
    found = registered(**cases(name)[case])
    drift = as_json(drift_of(openai=found, exceptions=Exceptions(require_key=True)))
    assert "qwertz" in str(drift["differences"]).lower()
    for path, content in members_of(redact(make_pack(drift=drift))[0]).items():
        assert "qwertz" not in content.decode().lower(), path
