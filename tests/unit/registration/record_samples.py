"""A record as a run leaves it."""

from __future__ import annotations

from types import MappingProxyType

from openai_ekm.registration.intent import Intent
from openai_ekm.registration.record import Record, State

RECORD = Record(
    state=State.REGISTERED,
    claim=3,
    intent=Intent(
        role_arn="arn:aws:iam::111122223333:role/openai-ekm",
        kms_arn="arn:aws:kms:eu-west-1:111122223333:alias/openai-ekm",
        external_id="org-abc123",
        name="prod",
    ),
    base_url="https://api.openai.com/v1",
    external_key_id="extkey_1",
    projects=MappingProxyType({"prod": "proj_1"}),
    registered_at="2026-11-24T06:00:00Z",
    validated_at="2026-11-24T06:00:01Z",
    updated_at="2026-11-24T06:00:02Z",
)
