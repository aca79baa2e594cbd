"""SSM and a file as the places of a record: every call to them is a point."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from openai_ekm import files
from openai_ekm.registration.file_store import FileStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from openai_ekm.registration.record import Record
    from tests.doubles.fault_points import Run

PREFIX = "/openai-ekm/prod"


@dataclass
class Parameters:
    """SSM's parameters; one client of it is one process's."""

    now: Callable[[], float]
    values: dict[str, tuple[str, float]] = field(default_factory=dict)


class SsmClient:
    """The three calls that the store makes, each a point."""

    def __init__(self, shared: Parameters, run: Run) -> None:
        self._shared = shared
        self._run = run

    def get_parameters_by_path(self, Path: str) -> dict[str, Any]:  # noqa: N803 - boto3's name
        """Return what is under the path, and the server's Date."""
        return self._called("read", lambda: self._read(Path))

    def put_parameter(self, **given: Any) -> dict[str, Any]:
        """Write, or refuse what is there already."""
        name = given["Name"].removeprefix(f"{PREFIX}/")
        what = "claim" if name.startswith("claim") else "write record"
        return self._called(what, lambda: self._put(given))

    def delete_parameter(self, Name: str) -> dict[str, Any]:  # noqa: N803 - boto3's name
        """Delete, or refuse what is not there."""
        what = "give claim back" if "claim-" in Name else "delete record"
        return self._called(what, lambda: self._delete(Name))

    def _called(self, label: str, commit: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = self._run.at("ssm", label, commit)
        return found

    def _read(self, path: str) -> dict[str, Any]:
        now = datetime.fromtimestamp(int(self._shared.now()), UTC)
        return {
            "Parameters": [
                {
                    "Name": name,
                    "Value": value,
                    "LastModifiedDate": datetime.fromtimestamp(modified, UTC),
                }
                for name, (value, modified) in self._shared.values.items()
                if name.startswith(f"{path}/")
            ],
            "ResponseMetadata": {"HTTPHeaders": {"date": format_datetime(now, usegmt=True)}},
        }

    def _put(self, given: dict[str, Any]) -> dict[str, Any]:
        if not given["Overwrite"] and given["Name"] in self._shared.values:
            raise aws_error("ParameterAlreadyExists", 400)
        self._shared.values[given["Name"]] = (given["Value"], self._shared.now())
        return {}

    def _delete(self, name: str) -> dict[str, Any]:
        if name not in self._shared.values:
            raise aws_error("ParameterNotFound", 400)
        del self._shared.values[name]
        return {}


def aws_error(code: str, status: int) -> ClientError:
    """A refusal as botocore raises it."""
    answer: Any = {
        "Error": {"Code": code, "Message": f"{code}."},
        "ResponseMetadata": {"HTTPStatusCode": status, "RequestId": "aws-1"},
    }
    return ClientError(answer, "Parameter")


class PointedFile(FileStore):
    """A file record whose reads and writes are points."""

    def __init__(self, path: Path, run: Run) -> None:
        super().__init__(path)
        self._run = run
        self.held = False

    def read(self) -> Record | None:
        """Read the file."""
        found: Record | None = self._run.at("file", "read", super().read)
        return found

    def write(self, record: Record) -> None:
        """Write the file."""
        self._run.at("file", "write record", lambda: FileStore.write(self, record))

    def delete(self) -> None:
        """Delete the file."""
        self._run.at("file", "delete record", super().delete)


@contextmanager
def flushed(run: Run) -> Iterator[None]:
    """Make flushing to disk a point, in the middle of a write; no disk is waited for."""
    module: Any = files
    before = module.os

    class System:
        def __getattr__(self, name: str) -> Any:
            return getattr(os, name)

        def fsync(self, _descriptor: int) -> None:
            run.at("file", "flush record", lambda: None)

    module.os = System()
    try:
        yield
    finally:
        module.os = before
