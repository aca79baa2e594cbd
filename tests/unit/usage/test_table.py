"""A table that cannot be written, told from a source that cannot be read."""

from __future__ import annotations

import resource
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from openai_ekm.cli.main import main
from openai_ekm.errors import BadInput
from openai_ekm.usage import s3_logs
from openai_ekm.usage.loading import Loader
from openai_ekm.usage.table import EventTable
from tests.support.cloudtrail_events import ACCOUNT, KEY_ARN, ROLE_ARN
from tests.support.trail_logs import GOLDEN, log_file, write_log
from tests.unit.usage.asking import TARGET
from tests.unit.usage.test_s3_logs import DAY, Bucket

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LOG = f"{ACCOUNT}_CloudTrail_eu-west-1_20261128T1000Z_AAAAAAAAAAAAAAAA.json.gz"


@contextmanager
def full_disk() -> Iterator[None]:
    """Let no file of this process grow: Python and DuckDB fail to write, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def from_bucket(loader: Loader, _folder: Path) -> None:
    """Read a log from S3."""
    bucket = Bucket({f"{DAY}{LOG}": log_file(GOLDEN[:3])})
    s3_logs.read_bucket(bucket, "s3://my-trail", datetime(2026, 11, 29, tzinfo=UTC), loader)


def from_folder(loader: Loader, folder: Path) -> None:
    """Read a log from a folder."""
    loader.read_place(str(folder))


def define(loader: Loader, _folder: Path) -> None:
    """Make the tables that the answers use."""
    loader.table.define(TARGET)


@pytest.mark.parametrize("act", [from_bucket, from_folder, define])
def test_a_full_disk_is_not_the_fault_of_the_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, act: Callable[[Loader, Path], None]
) -> None:
    """Guards against: a full disk that is told as refused credentials, or as a broken log."""
    monkeypatch.setattr("openai_ekm.usage.table.BATCH", 1)
    write_log(tmp_path, GOLDEN[:3])
    with EventTable() as table:
        loader = Loader(table, TARGET)
        with full_disk(), pytest.raises(BadInput) as raised:
            act(loader, tmp_path)
        assert loader.unread == []
    assert (raised.value.id, raised.value.at_fault) == ("usage_table_not_written", "TMPDIR")


def test_a_table_that_cannot_be_made_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Guards against: a traceback on a disk that is full already, and a folder that stays."""
    write_log(tmp_path / "trail", GOLDEN[:3])
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    named = ["--kms-arn", KEY_ARN, "--role-arn", ROLE_ARN]
    with full_disk(), pytest.raises(SystemExit) as ended:
        main(["usage", str(tmp_path / "trail"), *named])
    shown = capsys.readouterr()
    assert (ended.value.code, shown.out) == (2, "")
    assert "error[usage_table_not_written]" in shown.err
    assert "TMPDIR" in shown.err
    assert [each.name for each in tmp_path.iterdir()] == ["trail"]
