"""Objects of a trail's bucket: what is read, and what is told to be unread."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

from openai_ekm.usage import s3_logs
from openai_ekm.usage.loading import Loader
from openai_ekm.usage.table import EventTable
from tests.support.cloudtrail_events import ACCOUNT
from tests.support.trail_logs import GOLDEN, log_file
from tests.unit.usage.asking import TARGET

FOLDER = f"AWSLogs/{ACCOUNT}/CloudTrail/eu-west-1/"
DAY = f"{FOLDER}2026/11/28/"


class Bucket:
    """A bucket with objects, in one page."""

    def __init__(self, objects: dict[str, bytes]) -> None:
        self.objects = objects

    def list_objects_v2(self, Prefix: str, Delimiter: str = "", **_: Any) -> dict[str, Any]:  # noqa: N803 - of boto3
        """Return keys, or the folders right below a prefix."""
        keys = [key for key in sorted(self.objects) if key.startswith(Prefix)]
        if not Delimiter:
            return {"Contents": [{"Key": key} for key in keys]}
        below = {key[len(Prefix) :].partition("/")[0] for key in keys if "/" in key[len(Prefix) :]}
        return {"CommonPrefixes": [{"Prefix": f"{Prefix}{name}/"} for name in sorted(below)]}

    def get_object(self, Key: str, **_: Any) -> dict[str, Any]:  # noqa: N803 - of boto3
        """Return an object."""
        content = self.objects[Key]
        return {"ContentLength": len(content), "Body": io.BytesIO(content)}


def test_an_object_that_is_not_named_as_a_log_is_told() -> None:
    """Guards against: a log under another name, which is passed over in silence."""
    log = log_file(GOLDEN[:3])
    bucket = Bucket(
        {
            f"{DAY}{ACCOUNT}_CloudTrail_eu-west-1_20261128T1000Z_AAAAAAAAAAAAAAAA.json.gz": log,
            f"{DAY}999988887777_CloudTrail_eu-west-1_20261128T1000Z_AAAA.json.gz": log,
            f"{DAY}renamed.json.gz": log,
            DAY: b"",
        }
    )
    with EventTable() as table:
        loader = Loader(table, TARGET)
        s3_logs.read_bucket(bucket, "s3://my-trail", datetime(2026, 11, 29, tzinfo=UTC), loader)
        assert loader.sources[0].files == 1
        (told,) = loader.unread
    assert (told.file, told.state) == (f"s3://my-trail/{DAY}renamed.json.gz", "broken")
