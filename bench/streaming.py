"""Measure the memory of `ekm decide` over a long stream of cases, no two alike.

    python bench/streaming.py [--cases N]

Every case has an id, an action list, a resource, a Sid and a context value that no other has, so
that whatever is kept between cases would grow. Prints the resident memory early and late, and
their ratio: 1.0 is constant memory.
"""

from __future__ import annotations

import argparse
import json
import subprocess  # nosec B404 # each call says below why it is safe
import sys
import threading
import time
from pathlib import Path
from typing import IO, Any

import psutil

EKM = [str(Path(sys.executable).with_name("ekm")), "decide", "-"]
ACCOUNT = "111122223333"


def case(number: int) -> dict[str, Any]:
    """A case that has no text in common with another where texts are kept."""
    key = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/{number:08d}-0000-4000-8000-000000000000"
    role = f"arn:aws:iam::{ACCOUNT}:role/ekm-{number}"
    return {
        "id": str(number),
        "request": {
            "principal": f"arn:aws:sts::{ACCOUNT}:assumed-role/ekm-{number}/s",
            "action": "kms:Encrypt",
            "resource": key,
            "context": {"aws:PrincipalArn": role, f"kms:EncryptionContext:k{number}": str(number)},
        },
        "policies": {
            "identity": [
                {
                    "Version": "2012-10-17",
                    "Statement": {
                        "Sid": f"Use{number}",
                        "Effect": "Allow",
                        "Action": ["kms:Encrypt", f"kms:X{number}*"],
                        "Resource": [key, f"{key}*"],
                        "Condition": {
                            "StringLike": {f"kms:EncryptionContext:k{number}": f"{number}*"}
                        },
                    },
                }
            ],
            "resource": {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Sid": f"Account {number}",
                        "Effect": "Allow",
                        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
                        "Action": "kms:*",
                        "Resource": "*",
                        "Condition": {"ArnEquals": {"aws:PrincipalArn": role}},
                    }
                ],
            },
        },
    }


def feed(stream: IO[str], cases: int) -> None:
    """Write every case, then end the stream."""
    with stream:
        for number in range(cases):
            stream.write(json.dumps(case(number)) + "\n")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--cases", type=int, default=100_000)
    cases: int = parser.parse_args().cases
    began = time.perf_counter()
    marks = {max(cases * part // 100, 1): 0 for part in (10, 25, 50, 75, 99)}
    with subprocess.Popen(EKM, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as run:  # nosec B603 # fixed words
        assert run.stdin is not None  # nosec B101 # narrows the type
        assert run.stdout is not None  # nosec B101 # narrows the type
        threading.Thread(target=feed, args=(run.stdin, cases), daemon=True).start()
        process = psutil.Process(run.pid)
        allowed = 0
        for number, line in enumerate(run.stdout, 1):
            allowed += json.loads(line)["decision"] == "Allowed"
            if number in marks:
                marks[number] = process.memory_info().rss
    if run.returncode or allowed != cases:
        sys.exit(f"ekm decide ended with {run.returncode}, {allowed} of {cases} allowed")
    first, *_, last = marks.values()
    shown = ", ".join(f"{rss / 2**20:.1f} MB after {number:,}" for number, rss in marks.items())
    print(f"ekm decide, {cases:,} cases in {time.perf_counter() - began:.0f} s: {shown}")
    print(f"  last to first {last / first:.2f} (1 is constant memory)")


if __name__ == "__main__":
    main()
