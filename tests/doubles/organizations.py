"""AWS Organizations over real HTTP: a root, a unit, an account, and policies on each."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from tests.constants import ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Organizations", "served"]

MANAGEMENT = "999900001111"
FULL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


class Organizations:
    """What the service knows; a test changes it, and may put errors in place of answers.

    Args:
        url: Where it listens.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.errors: dict[str, str] = {}
        self.described = {"Id": "o-mine", "MasterAccountId": MANAGEMENT, "FeatureSet": "ALL"}
        self.enabled = ["SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"]
        self.parents = {
            ACCOUNT: {"Id": "ou-ab12-unit", "Type": "ORGANIZATIONAL_UNIT"},
            "ou-ab12-unit": {"Id": "r-ab12", "Type": "ROOT"},
        }
        self.attached: dict[tuple[str, str], list[str]] = {
            (target, kind): [f"p-{kind[:1]}-{target}", "p-FullAWSAccess"]
            for target in ("r-ab12", "ou-ab12-unit", ACCOUNT)
            for kind in self.enabled
        }
        self.asked: list[str] = []

    def answer(self, operation: str, body: dict[str, Any]) -> dict[str, Any]:
        """Answer one operation; lists come a page of one at a time."""
        if operation == "DescribeOrganization":
            return {"Organization": self.described}
        if operation == "DescribePolicy":
            content = json.dumps({**FULL, "Id": body["PolicyId"]})
            return {"Policy": {"PolicySummary": {"Id": body["PolicyId"]}, "Content": content}}
        types = [{"Type": kind, "Status": "ENABLED"} for kind in self.enabled]
        members: dict[str, tuple[str, list[Any]]] = {
            "ListRoots": ("Roots", [{"Id": "r-ab12", "PolicyTypes": types}]),
            "ListParents": ("Parents", [self.parents.get(body.get("ChildId", ""))]),
            "ListPoliciesForTarget": (
                "Policies",
                [
                    {"Id": each}
                    for each in self.attached.get(
                        (body.get("TargetId", ""), body.get("Filter", "")), []
                    )
                ],
            ),
        }
        name, whole = members[operation]
        at = int(body.get("NextToken", "0"))
        page = {name: whole[at : at + 1]}
        return {**page, "NextToken": str(at + 1)} if at + 1 < len(whole) else page

    def client(self) -> Any:
        """A client, as `collect` asks for one."""
        return boto3.client(
            "organizations",
            region_name="us-east-1",
            endpoint_url=self.url,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(retries={"total_max_attempts": 1}, connect_timeout=2),
        )


def served() -> Iterator[Organizations]:
    """Serve an organization until the generator is closed."""
    there: list[Organizations] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            operation = self.headers["X-Amz-Target"].rpartition(".")[2]
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            there[0].asked.append(operation)
            code = there[0].errors.get(operation)
            answer = {"__type": code, "Message": "m"} if code else there[0].answer(operation, body)
            content = json.dumps(answer).encode()
            self.send_response(400 if code else 200)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    there.append(Organizations(f"http://127.0.0.1:{server.server_port}"))
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield there[0]
    server.shutdown()
    server.server_close()
