"""The emulator in this process, with a cloud, a clock and connections that a test controls."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from starlette.testclient import TestClient

from openai_ekm.emulator.app import create_app
from openai_ekm.emulator.auth import ALL_SCOPES, AdminKeys
from openai_ekm.emulator.state import Emulator
from openai_ekm.emulator.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable

    from openai_ekm.emulator.errors import ApiError
    from openai_ekm.emulator.settings import Settings
    from openai_ekm.emulator.store import ExternalKeyRow

ADMIN_KEY = "sk-admin-everything"
READER_KEY = "sk-admin-reader"
BODY = {
    "type": "aws",
    "purpose": "ekm",
    "name": "prod",
    "role_arn": "arn:aws:iam::111122223333:role/openai-ekm",
    "kms_arn": "arn:aws:kms:eu-west-1:111122223333:key/11111111-2222-3333-4444-555555555555",
    "external_id": "org-abc",
}


@dataclass
class ScriptedCloud:
    """A cloud that refuses when told to, remembers what it was asked, and takes its time."""

    refusal: ApiError | None = None
    asked: list[ExternalKeyRow] = field(default_factory=list)
    meanwhile: Callable[[], object] = lambda: None

    def check(self, row: ExternalKeyRow, settings: Settings) -> None:  # noqa: ARG002 - CloudCheck has it
        """Refuse, or let it be."""
        self.asked.append(row)
        meanwhile, self.meanwhile = self.meanwhile, lambda: None
        meanwhile()
        if self.refusal is not None:
            raise self.refusal


@dataclass
class Clock:
    """Time that passes when told to."""

    now: float = 1_795_000_000.0

    def __call__(self) -> float:
        """Unix seconds."""
        return self.now


class Api:
    """OpenAI's API as a client sees it, and the parts behind it."""

    def __init__(self) -> None:
        self.cloud = ScriptedCloud()
        self.clock = Clock()
        self.store = Store()
        self.broken: list[Any] = []
        keys = AdminKeys.of(
            {
                ADMIN_KEY: ALL_SCOPES,
                READER_KEY: frozenset({"api.external_keys.read", "api.management.read"}),
            }
        )
        self.emulator = Emulator(store=self.store, keys=keys, cloud=self.cloud, clock=self.clock)
        app = create_app(self.emulator, hang_up=self.broken.append)
        self.client = TestClient(
            app, base_url="http://127.0.0.1:8180", raise_server_exceptions=False
        )

    def set(self, **settings: Any) -> None:
        """Change settings."""
        self.emulator.change_settings(settings)

    def fault(self, *texts: str) -> None:
        """Switch on faults."""
        answer = self.client.put("/_emulator/faults", json=list(texts))
        assert answer.status_code == 200, answer.text

    def call(
        self, method: str, path: str, body: Any = None, *, key: str | None = ADMIN_KEY, **kw: Any
    ) -> Any:
        """Call an endpoint below `/v1/organization`."""
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        return self.client.request(
            method, f"/v1/organization/{path}", json=body, headers=headers, **kw
        )

    def refused(self, method: str, path: str, body: Any = None, **kw: Any) -> tuple[int, Any]:
        """Return status and `error` of a call that is refused."""
        answer = self.call(method, path, body, **kw)
        return answer.status_code, answer.json()["error"]

    def register(self, **changes: Any) -> dict[str, Any]:
        """Register a key."""
        answer = self.call("POST", "external_keys", {**BODY, **changes})
        assert answer.status_code == 200, answer.text
        registered: dict[str, Any] = answer.json()
        return registered

    def make_project(self, **members: Any) -> dict[str, Any]:
        """Create a project."""
        answer = self.call("POST", "projects", {"name": "p", **members})
        assert answer.status_code == 200, answer.text
        created: dict[str, Any] = answer.json()
        return created
