"""Log files of a trail in S3: listed by account, Region and day, so that others are not listed.

Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from openai_ekm.aws_session import translated
from openai_ekm.errors import BadInput
from openai_ekm.usage.loading import days, name_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from openai_ekm.usage.loading import Counted, Loader
    from openai_ekm.usage.target import Target

__all__ = ["SCHEME", "Place", "parse_place", "read_bucket"]

SCHEME: Final = "s3://"
_ROOT: Final = "AWSLogs/"
_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_ORGANIZATION: Final = re.compile(r"o-[a-z0-9]{10,32}")
_REGION_PARTS: Final = 3  # ACCOUNT/CloudTrail/REGION


@dataclass(frozen=True, slots=True)
class Place:
    """A prefix in a bucket.

    Args:
        bucket: Its name.
        prefix: Without the slash before; with one at the end, or empty.
    """

    bucket: str
    prefix: str


def parse_place(text: str) -> Place:
    """Read `s3://BUCKET/PREFIX`.

    Raises:
        BadInput: It is malformed.
    """
    bucket, _, prefix = text.removeprefix(SCHEME).partition("/")
    if not text.startswith(SCHEME) or not _BUCKET.fullmatch(bucket):
        raise BadInput(
            "trail_place_malformed",
            f"{text!r} is not s3://BUCKET/PREFIX.",
            at_fault="SOURCE",
            remedy="Give the bucket and the prefix of the trail: s3://my-trail, or "
            "s3://my-trail/PREFIX where its logs are in PREFIX/AWSLogs.",
        )
    prefix = prefix.strip("/")
    return Place(bucket, f"{prefix}/" if prefix else "")


def read_bucket(client: Any, text: str, now: datetime, loader: Loader) -> None:
    """Read the log files that can hold what is asked for.

    Args:
        client: Of boto3, for S3.
        text: The place as it was named.
        now: The time of this run.
        loader: Takes the files, and says what is asked for.

    Raises:
        BadInput: The place is malformed.
        AwsRefused: AWS does not let the bucket be listed or a file be read.
    """
    place = parse_place(text)
    counted = loader.add_source("s3", text)
    for prefix in _prefixes(client, place, loader.target, now, counted):
        for key in _keys(client, place.bucket, prefix, counted):
            file = key.rpartition("/")[2]
            name = name_of(file)
            if name is None and file:
                words = "is not named as a log file, and was not read"
                loader.note(f"{SCHEME}{place.bucket}/{key}", "broken", words, 0)
            if name is None or not name.may_concern(loader.target):
                continue
            counted.aws_calls += 1
            with translated("s3:GetObject"):
                answer = client.get_object(Bucket=place.bucket, Key=key)
                counted.bytes += int(answer["ContentLength"])
                loader.read_log(counted, f"{SCHEME}{place.bucket}/{key}", answer["Body"])


def _prefixes(
    client: Any, place: Place, target: Target, now: datetime, counted: Counted
) -> Iterator[str]:
    """Yield the prefixes below which the log files are: of a day, or of a Region."""
    root, parts = _parts(place.prefix)
    organizations = [""]
    if parts and _ORGANIZATION.fullmatch(parts[0]):
        organizations = [f"{parts.pop(0)}/"]
    elif not parts:
        below = _folders(client, place.bucket, root, counted)
        organizations += [f"{name}/" for name in below if _ORGANIZATION.fullmatch(name)]
    if len(parts) > _REGION_PARTS:  # a day, or a part of one, is named: nothing is left to find
        yield place.prefix
        return
    accounts = parts[:1] or sorted({target.key_account, target.role_account})
    listed = days(target, now)
    for base in (
        f"{root}{each}{account}/CloudTrail/" for each in organizations for account in accounts
    ):
        for region in parts[2:] or _folders(client, place.bucket, base, counted):
            if target.regions and region not in target.regions:
                continue
            yield from (f"{base}{region}/{day:%Y/%m/%d}/" for day in listed)
            if not listed:
                yield f"{base}{region}/"


def _parts(prefix: str) -> tuple[str, list[str]]:
    """Return the prefix up to AWSLogs, which may be missing in it, and the parts behind."""
    head, found, rest = f"/{prefix}".rpartition(f"/{_ROOT}")
    if not found:
        return prefix + _ROOT, []
    return f"{head}/{_ROOT}".removeprefix("/"), [part for part in rest.split("/") if part]


def _folders(client: Any, bucket: str, prefix: str, counted: Counted) -> list[str]:
    """Return the names of the folders right below a prefix."""
    found: list[str] = []
    for page in _pages(client, counted, Bucket=bucket, Prefix=prefix, Delimiter="/"):
        found += [
            str(each["Prefix"])[len(prefix) :].rstrip("/")
            for each in page.get("CommonPrefixes") or ()
        ]
    return found


def _keys(client: Any, bucket: str, prefix: str, counted: Counted) -> Iterator[str]:
    for page in _pages(client, counted, Bucket=bucket, Prefix=prefix):
        yield from (str(each["Key"]) for each in page.get("Contents") or ())


def _pages(client: Any, counted: Counted, **arguments: str) -> Iterator[dict[str, Any]]:
    """Yield the pages of a list, each a call that is counted."""
    token: dict[str, str] = {}
    while True:
        counted.aws_calls += 1
        with translated("s3:ListBucket"):
            page = client.list_objects_v2(**arguments, **token)
            more = bool(page.get("IsTruncated"))
            token = {"ContinuationToken": page["NextContinuationToken"]} if more else {}
        yield page
        if not more:
            return
