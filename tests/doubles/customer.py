"""A customer's AWS account in LocalStack: a role, a key, and the documented policies."""

from __future__ import annotations

import itertools
import json
import secrets
import time
from typing import TYPE_CHECKING, Any

import requests

from tests.constants import REGION

if TYPE_CHECKING:
    from openai_ekm.rehearsal import EmulatorProcess, LocalStack

__all__ = ["OPENAI_ROLE", "Customer", "Http", "document", "until_met"]

OPENAI_ROLE = "arn:aws:iam::790389265272:role/EnterpriseKeyManagement"
EXTERNAL_ID = "org-abc"
ROLE = "openai-ekm"
# Begins elsewhere in every process: a LocalStack that is kept running may be shared.
_ACCOUNTS = itertools.count(300_000_000_000 + 1000 * secrets.randbelow(10**8))


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    """A policy document."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


class Customer:
    """An account of its own, with a role and a key that OpenAI can use.

    Args:
        aws: Where the account is.
        key: Further arguments of CreateKey.
    """

    def __init__(self, aws: LocalStack, **key: Any) -> None:
        self.account = f"{next(_ACCOUNTS):012d}"
        self.iam = aws.client("iam", self.account, REGION)
        self.kms = aws.client("kms", self.account, REGION)
        self.role_arn = f"arn:aws:iam::{self.account}:role/{ROLE}"
        self.kms_arn: str = self.kms.create_key(Policy=json.dumps(self.key_policy()), **key)[
            "KeyMetadata"
        ]["Arn"]
        trust = json.dumps(self.trust_policy())
        self.iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=trust)
        self.permit("kms:Decrypt", "kms:Encrypt")

    def trust_policy(self, external_id: str = EXTERNAL_ID) -> dict[str, Any]:
        """The documented trust policy."""
        return document(
            {
                "Effect": "Allow",
                "Principal": {"AWS": OPENAI_ROLE},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"sts:ExternalId": [external_id]}},
            }
        )

    def key_policy(self, *actions: str) -> dict[str, Any]:
        """A key policy that delegates use to the account, for the role alone."""
        return document(
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{self.account}:root"},
                "Action": list(actions or ("kms:Encrypt", "kms:Decrypt")),
                "Resource": "*",
                "Condition": {"ArnEquals": {"aws:PrincipalArn": self.role_arn}},
            }
        )

    def trust(self, policy: dict[str, Any]) -> None:
        """Replace the trust policy."""
        self.iam.update_assume_role_policy(RoleName=ROLE, PolicyDocument=json.dumps(policy))

    def permit(self, *actions: str) -> None:
        """Replace the identity policy."""
        statement = {
            "Sid": "AllowEncryptDecrypt",
            "Effect": "Allow",
            "Action": list(actions),
            "Resource": self.kms_arn,
        }
        self.iam.put_role_policy(
            RoleName=ROLE, PolicyName="use", PolicyDocument=json.dumps(document(statement))
        )

    def key_policy_is(self, policy: dict[str, Any]) -> None:
        """Replace the key policy."""
        self.kms.put_key_policy(KeyId=self.kms_arn, PolicyName="default", Policy=json.dumps(policy))

    def delete_role(self) -> None:
        """Delete the role with its policy."""
        self.iam.delete_role_policy(RoleName=ROLE, PolicyName="use")
        self.iam.delete_role(RoleName=ROLE)

    def body(self, **changes: Any) -> dict[str, Any]:
        """The registration."""
        return {
            "type": "aws",
            "purpose": "ekm",
            "name": "prod",
            "role_arn": self.role_arn,
            "kms_arn": self.kms_arn,
            "external_id": EXTERNAL_ID,
            **changes,
        }


def until_met(openai: EmulatorProcess, fault: str) -> None:
    """Wait until a call has met a fault that happens once."""
    deadline = time.monotonic() + 240
    while any(each["name"] == fault for each in openai.control("GET", "faults")["faults"]):
        assert time.monotonic() < deadline
        time.sleep(0.02)


class Http:
    """The Admin API over real HTTP, as a client with its admin key.

    Args:
        openai: The emulator.
        key: The bearer token; the admin key unless given.
    """

    def __init__(self, openai: EmulatorProcess, key: str | None = None) -> None:
        self.base_url = openai.base_url
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["Authorization"] = f"Bearer {key or openai.admin_key}"

    def __call__(
        self, method: str, path: str, body: Any = None, *, timeout: float = 120
    ) -> requests.Response:
        """Call an endpoint below `/organization`."""
        url = f"{self.base_url}/organization/{path}"
        return self.session.request(method, url, json=body, timeout=timeout)

    def register(self, customer: Customer, **changes: Any) -> str:
        """Register the customer's key and return its id."""
        answer = self("POST", "external_keys", customer.body(**changes))
        assert answer.status_code == 200, answer.text
        return str(answer.json()["id"])

    def refusal(self, method: str, path: str, body: Any = None) -> str:
        """Return the message of a refusal."""
        answer = self(method, path, body)
        assert answer.status_code == 400, answer.text
        error = answer.json()["error"]
        assert (error["type"], error["param"], error["code"]) == (
            "invalid_request_error",
            None,
            None,
        )
        return str(error["message"])

    def validation(self, id: str) -> str:
        """Return `success`, or the message of the refusal."""
        answer = self("POST", f"external_keys/{id}/validate")
        body = answer.json()
        return str(body["status"] if answer.status_code == 200 else body["error"]["message"])
