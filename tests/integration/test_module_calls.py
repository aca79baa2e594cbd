"""How a root may call the module without Terraform taking a key for another one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ekm.harness.plugin import WorkspaceFactory

pytestmark = pytest.mark.terraform


def test_what_is_looked_up_late_replaces_nothing(ekm_workspace: WorkspaceFactory) -> None:
    """A tag on the given key, or a change of what is called before, is taken for a lost key."""
    workspace = ekm_workspace("tests/terraform/called-after")
    workspace.apply()
    plan = workspace.plan(revision="2")
    assert {"aws_kms_key.given", "terraform_data.before"} < plan.actions.keys()
    assert set(plan.actions.values()) == {("update",)}
    workspace.apply(plan)
    assert workspace.plan(revision="2").empty
