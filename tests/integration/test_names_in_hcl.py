"""The plan and the registrar take names of the same length."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from openai_ekm.errors import BadInput
from openai_ekm.openai import LONGEST_NAME
from openai_ekm.registration.intent import Intent, check_project
from tests.support.emulated import BODY
from tests.support.hcl_patterns import accepted_by

if TYPE_CHECKING:
    from pathlib import Path

ACCEPTED = ["a", "Production key", "a" * LONGEST_NAME, "ä" * LONGEST_NAME]
REFUSED = ["", " ", "a" * (LONGEST_NAME + 1), " a", "a ", "a\nb", "a\tb"]


def by_registrar(name: str) -> bool:
    """What `ekm register` says of a registration and of a project of this name."""
    accepted = []
    for check in (
        lambda: Intent(BODY["role_arn"], BODY["kms_arn"], BODY["external_id"], name),
        lambda: check_project(name),
    ):
        try:
            check()
        except BadInput:
            accepted.append(False)
        else:
            accepted.append(True)
    assert len(set(accepted)) == 1
    return accepted[0]


@pytest.mark.terraform
def test_plan_and_registrar_agree_on_names(repository: Path, tmp_path: Path) -> None:
    """Guards against: a name that one way of registering takes and the other refuses."""
    text = (repository / "variables.registration.tf").read_text(encoding="utf-8")
    locals_block = re.search(r"^locals \{.*?^\}", text, re.DOTALL | re.MULTILINE)
    assert locals_block
    assert f"1 to {LONGEST_NAME} characters" in text
    names = [*ACCEPTED, *REFUSED]
    by_plan = accepted_by(tmp_path, locals_block[0], "visible_name", names)
    answers = {
        name: (accepted, by_registrar(name)) for name, accepted in zip(names, by_plan, strict=True)
    }
    assert answers == {name: (name in ACCEPTED,) * 2 for name in names}
