"""Measure `ekm usage` over trails of 200,000 and 1,000,000 events, in time and in peak memory.

    python bench/usage.py [--events N]

The yardstick of time is the reading alone: each file unpacked and decoded by `json.loads`, as a
whole. Both read the same files, by turns, in processes of their own. The target of memory: the peak
at all events is within 20 % of that at a fifth of them.

Calls of S3 are counted against the least that docs/operate/usage.md lists, for three days of a
bucket that is a folder here.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import random
import subprocess  # nosec B404 # each call says below why it is safe
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.support.cloudtrail_events import KEY_ARN, OTHER_KEY, ROLE_ARN, USER, of_key
from tests.support.trail_logs import assumed, record, session, used, write_log

from openai_ekm.usage.loading import Loader
from openai_ekm.usage.s3_logs import read_bucket
from openai_ekm.usage.table import EventTable
from openai_ekm.usage.target import Target

EKM = str(Path(sys.executable).with_name("ekm"))
PER_FILE = 10_000
PER_SESSION = 50  # calls
FIFTH = 5
READ_ALONE = """
import gzip, json, sys
from pathlib import Path
print(sum(
    len(json.loads(gzip.decompress(file.read_bytes()))["Records"])
    for file in sorted(Path(sys.argv[1]).rglob("*.json.gz"))
))
"""


def events(first: int, count: int, seed: random.Random) -> list[dict[str, Any]]:
    """Return events of an organization's trail: half are OpenAI's, the rest is of no concern."""
    found = []
    for number in range(first, first + count):
        when = f"2026-11-{1 + number % 28:02d}T{number % 24:02d}:{number % 60:02d}:00Z"
        key_id = f"ASIA{number // PER_SESSION:016d}"
        noise = {
            "requestParameters": {"bucketName": f"b-{seed.random()}", "key": f"{seed.random()}"},
            "requestID": f"{seed.getrandbits(128):032x}",
            "additionalEventData": {"bytesTransferredIn": number, "x-amz-id-2": f"{number:064d}"},
        }
        if number % PER_SESSION == 0:
            found.append(assumed(number, when, key_id))
        elif number % 2:
            found.append(used(number, when, "Decrypt", session(key_id)))
        elif number % 10 == 0:
            found.append(used(number, when, "Decrypt", USER, **of_key(OTHER_KEY)))
        else:
            found.append(record(number, when, "s3", "GetObject", USER, **noise))
    return found


def write(folder: Path, first: int, count: int) -> None:
    """Write log files with so many events."""
    seed = random.Random(first)  # nosec B311 # test data
    for number in range(first, first + count, PER_FILE):
        day = f"2026/11/{1 + number // PER_FILE % 28:02d}"
        write_log(folder, events(number, PER_FILE, seed), day=day, unique=f"{number:016d}")


def measured(words: list[str]) -> tuple[float, float, bytes]:
    """Run a command; return its seconds, its peak memory in MB, and what it printed."""
    began = time.perf_counter()
    with subprocess.Popen(words, stdout=subprocess.PIPE) as run:  # nosec B603 # fixed words
        assert run.stdout is not None  # nosec B101 # narrows the type
        printed = run.stdout.read()
        _, status, used_by_run = os.wait4(run.pid, 0)
        run.returncode = os.waitstatus_to_exitcode(status)
    if run.returncode not in {0, 1, 8}:
        sys.exit(f"{words[0]} ended with {run.returncode}")
    return time.perf_counter() - began, used_by_run.ru_maxrss / 1024, printed


class Bucket:
    """A bucket that is a folder, and counts what is asked of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.calls = 0

    def list_objects_v2(self, **asked: str) -> dict[str, Any]:
        """List what begins with a prefix, or the folders right below it."""
        self.calls += 1
        prefix = asked["Prefix"]
        place = self.folder / prefix
        if "Delimiter" in asked:
            below = sorted(each for each in place.glob("*") if each.is_dir())
            return {"CommonPrefixes": [{"Prefix": f"{prefix}{each.name}/"} for each in below]}
        keys = sorted(str(each.relative_to(self.folder)) for each in place.rglob("*.json.gz"))
        return {"Contents": [{"Key": key} for key in keys]}

    def get_object(self, **asked: str) -> dict[str, Any]:
        """Open a file."""
        self.calls += 1
        file = self.folder / asked["Key"]
        return {"ContentLength": file.stat().st_size, "Body": file.open("rb")}


def calls_of_s3(folder: Path) -> str:
    """Return how many calls three days take, and the least."""
    since, until = datetime(2026, 11, 3, 2, tzinfo=UTC), datetime(2026, 11, 4, 22, tzinfo=UTC)
    bucket = Bucket(folder)
    with EventTable() as table:
        loader = Loader(table, Target(KEY_ARN, ROLE_ARN, since, until))
        read_bucket(bucket, "s3://trail", datetime(2026, 12, 1, tzinfo=UTC), loader)
    (source,) = loader.sources
    days = 3  # those of the time, and the next one, for what is delivered late
    least = 1 + 1 + days + source.files
    if source.aws_calls != bucket.calls:
        sys.exit(f"{bucket.calls} calls were made, and {source.aws_calls} counted")
    return f"{bucket.calls} for {source.files} files of {days} days (least {least})"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--events", type=int, default=1_000_000)
    total: int = parser.parse_args().events
    few = total // FIFTH
    with tempfile.TemporaryDirectory(prefix="ekm-bench-") as place:
        folder = Path(place)
        write(folder, 0, few)
        usage = [EKM, "usage", str(folder), "--json", "--kms-arn", KEY_ARN, "--role-arn", ROLE_ARN]
        alone = [sys.executable, "-c", READ_ALONE, str(folder)]
        small_time, small, printed = measured(usage)
        write(folder, few, total - few)
        all_time, whole, printed = measured(usage)
        read_time, _, counted = measured(alone)
        found = json.loads(printed)
        s3 = calls_of_s3(folder)
        size = sum(file.stat().st_size for file in folder.rglob("*.json.gz"))
        first = next(folder.rglob("*.json.gz"))
        unpacked = len(gzip.decompress(first.read_bytes())) * total // PER_FILE
    records = found["sources"][0]["records"]
    if records != total or int(counted) != total:
        sys.exit(f"{records} of {total} events were read")
    print(
        f"ekm usage, {total:,} events ({unpacked / 2**20:.0f} MB, {size / 2**20:.0f} MB packed), "
        f"{found['openai']['calls']:,} calls of OpenAI: {all_time:.0f} s; {few:,} in "
        f"{small_time:.0f} s"
    )
    print(f"  to json.loads of the same files {all_time / read_time:.2f} ({read_time:.0f} s)")
    print(f"  peak memory {whole:.0f} MB to {small:.0f} MB: {whole / small:.2f} (target 1.20)")
    print(f"  calls of S3: {s3}")


if __name__ == "__main__":
    main()
