"""A plan whose root gives the key away beside the module: `ekm prove` sees the root's resources."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from openai_ekm.rehearsal.plugin import WorkspaceFactory

pytestmark = pytest.mark.terraform

HOLDS: Final = dict.fromkeys("abcdef", "holds")
POLICIES_UNSEEN: Final = HOLDS | dict.fromkeys("bcdf", "undecided")
# By instance: what the root adds to its role or key, and what then does not hold.
ADDED: Final[dict[str, tuple[str, dict[str, str]]]] = {
    "nothing": ("", HOLDS),
    "inline": (
        """
resource "aws_iam_role_policy" "inline" {
  role   = module.ekm["inline"].role_name
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "s3:*", Resource = "*" }]
  })
}
""",
        HOLDS | {"b": "fails"},
    ),
    "attached": (
        """
resource "aws_iam_role_policy_attachment" "attached" {
  role       = module.ekm["attached"].role_name
  policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
}
""",
        POLICIES_UNSEEN,
    ),
    "exclusive": (
        """
resource "aws_iam_role_policies_exclusive" "exclusive" {
  role_name    = module.ekm["exclusive"].role_name
  policy_names = []
}
""",
        POLICIES_UNSEEN,
    ),
    "granted": (
        """
resource "aws_kms_grant" "granted" {
  key_id            = module.ekm["granted"].key_id
  grantee_principal = aws_iam_role.other.arn
  operations        = ["Decrypt"]
}
""",
        HOLDS | {"c": "fails"},
    ),
    "opened": (
        """
resource "aws_kms_key_policy" "opened" {
  key_id = module.ekm["opened"].key_arn
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = "*", Action = "kms:*", Resource = "*" }]
  })
}
""",
        HOLDS | dict.fromkeys("bcdef", "undecided"),
    ),
    "granted_elsewhere": (
        """
resource "aws_kms_grant" "granted_elsewhere" {
  key_id            = aws_kms_key.other.key_id
  grantee_principal = module.ekm["granted_elsewhere"].role_arn
  operations        = ["Decrypt"]
}
""",
        HOLDS | {"b": "fails"},
    ),
    "named_elsewhere": (
        """
resource "aws_kms_key" "named_elsewhere" {
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "kms:*"
      Resource  = "*"
      Principal = { AWS = module.ekm["named_elsewhere"].role_arn }
    }]
  })
}
""",
        HOLDS | {"b": "fails"},
    ),
    "through_a_description": (
        """
resource "aws_kms_key" "through_a_description" {
  description = module.ekm["through_a_description"].key_id
}

resource "aws_kms_grant" "through_a_description" {
  key_id            = aws_kms_key.through_a_description.description
  grantee_principal = aws_iam_role.other.arn
  operations        = ["Decrypt"]
}
""",
        HOLDS | {"c": "fails"},
    ),
    "stacked": (
        """
resource "aws_cloudformation_stack" "stacked" {
  name          = "stacked"
  parameters    = { Role = module.ekm["stacked"].role_name }
  template_body = "{}"
}
""",
        dict.fromkeys("abcdef", "undecided"),
    ),
    "described": (
        """
resource "aws_kms_grant" "described" {
  key_id            = module.ekm["described"].key_id
  grantee_principal = aws_iam_role.other.arn
  operations        = ["DescribeKey"]
}
""",
        HOLDS,
    ),
}
# A role and a key that are not the module's, whose id and ARN are not known before the apply.
OTHERS: Final = """
resource "aws_iam_role" "other" {
  name_prefix        = "other"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "lambda.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy" "other" {
  role   = aws_iam_role.other.id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "s3:*", Resource = "*" }]
  })
}

resource "aws_kms_key" "other" {}

data "aws_iam_policy_document" "other" {
  statement {
    actions   = ["kms:*"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = [aws_iam_role.other.arn]
    }
  }
}

resource "aws_kms_key" "of_others" {
  policy = data.aws_iam_policy_document.other.json
}

resource "aws_kms_alias" "other" {
  name          = "alias/other"
  target_key_id = aws_kms_key.other.key_id
}

resource "aws_kms_grant" "other" {
  key_id            = aws_kms_key.other.key_id
  grantee_principal = aws_iam_role.other.arn
  operations        = ["Decrypt"]
}
"""


@pytest.fixture(scope="module")
def claims(
    ekm_workspace: WorkspaceFactory, repository: Path, tmp_path_factory: Any
) -> dict[str, dict[str, str]]:
    """The answer to each claim about each instance of one plan."""
    folder = tmp_path_factory.mktemp("root")
    names, source = json.dumps(list(ADDED)), json.dumps(os.path.relpath(repository, folder))
    call = f"""
module "ekm" {{
  source       = {source}
  for_each     = toset({names})
  name         = each.key
  external_ids = ["org-abc123"]
}}
"""
    text = call + OTHERS + "".join(added for added, _ in ADDED.values())
    (folder / "main.tf").write_text(text, encoding="utf-8")
    plan = ekm_workspace(folder).plan()
    done = subprocess.run(
        [sys.executable, "-c", "from openai_ekm.cli.main import main; main()", "prove", "--json",
         "--from-plan", "-", "--assume-none", "scps,rcps,grants"],
        env=plan.workspace.environment,
        input=json.dumps(plan.json),
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    return {
        instance.partition('"')[2].rstrip('"]'): {
            claim["id"]: claim["answer"] for claim in proof["claims"]
        }
        for instance, proof in json.loads(done.stdout)["instances"].items()
    }


@pytest.mark.parametrize("name", ADDED)
def test_what_the_root_adds_to_role_or_key_is_judged(
    claims: dict[str, dict[str, str]], name: str
) -> None:
    """Guards against: a gate that lets a change through which gives the key away."""
    assert claims[name] == ADDED[name][1]
