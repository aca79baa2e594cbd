"""OpenAI's account and role in AWS, and the forms of its ids and names.

Sources: docs/reference/openai-api.md#calls-in-aws (account, role, session, external id),
docs/reference/openai-api.md#external-keys (ids, names).
"""

from __future__ import annotations

import re
from typing import Final

__all__ = [
    "EXTERNAL_ID",
    "EXTERNAL_ID_PATTERN",
    "EXTERNAL_KEY_PREFIX",
    "LONGEST_NAME",
    "OPENAI_ACCOUNT",
    "OPENAI_ID",
    "OPENAI_ROLE_ARN",
    "OPENAI_ROLE_NAME",
    "OPENAI_SESSION_ARN",
    "OPENAI_SESSION_NAME",
    "ORGANIZATION_PREFIX",
    "PROJECT_PREFIX",
]

OPENAI_ACCOUNT: Final = "790389265272"
OPENAI_ROLE_NAME: Final = "EnterpriseKeyManagement"
OPENAI_ROLE_ARN: Final = f"arn:aws:iam::{OPENAI_ACCOUNT}:role/{OPENAI_ROLE_NAME}"
OPENAI_SESSION_NAME: Final = "OpenAI-EKM-Service"
OPENAI_SESSION_ARN: Final = (
    f"arn:aws:sts::{OPENAI_ACCOUNT}:assumed-role/{OPENAI_ROLE_NAME}/{OPENAI_SESSION_NAME}"
)

# OpenAI's ids are opaque, but for this: they stand in paths, in records, in Terraform files and on
# terminals, and nothing else is known to be safe in all of them.
OPENAI_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,200}")
EXTERNAL_KEY_PREFIX: Final = "extkey_"
ORGANIZATION_PREFIX: Final = "org-"
PROJECT_PREFIX: Final = "proj_"

# OpenAI publishes no pattern of external_id: this is what STS takes.
EXTERNAL_ID_PATTERN: Final = r"^[A-Za-z0-9_+=,.@:/-]{2,1224}$"
EXTERNAL_ID: Final = re.compile(EXTERNAL_ID_PATTERN)

# Of a registration and of a project, in characters. OpenAI publishes no longest name; SSM and
# screens set one. variables.registration.tf has it too: tests/integration/test_names_in_hcl.py.
LONGEST_NAME: Final = 256
