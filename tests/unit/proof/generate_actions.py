"""Write proof/actions.json anew from botocore's models: run it after an upgrade."""

from __future__ import annotations

import json
from pathlib import Path

import openai_ekm.proof

# An operation that is no permission, and permissions without an operation.
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_awskeymanagementservice.html
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecuritytokenservice.html
NOT_PERMISSIONS = {"kms:ReEncrypt"}
NOT_OPERATIONS = {
    "kms": ["kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:SynchronizeMultiRegionKey"],
    "sts": ["sts:SetContext", "sts:SetSourceIdentity", "sts:TagSession"],
}


def actions() -> dict[str, list[str]]:
    """Every action of KMS and STS, by service."""
    from botocore.session import Session  # noqa: PLC0415 - slow, and only needed here

    session = Session()
    return {
        service: sorted(
            {f"{service}:{name}" for name in session.get_service_model(service).operation_names}
            - NOT_PERMISSIONS
            | set(added)
        )
        for service, added in NOT_OPERATIONS.items()
    }


if __name__ == "__main__":
    target = Path(openai_ekm.proof.__file__).with_name("actions.json")
    target.write_text(json.dumps(actions(), indent=2) + "\n", encoding="utf-8")
