"""Measure what the module and the package cost, as ratios of one run on this machine.

    python bench/run.py [--rounds N]

Ours and the yardstick run by turns, so that a busy moment meets both; the table shows medians. No
figure fails the run: this reports, the tests judge.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess  # nosec B404 # each call says below why it is safe
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.support.module_policies import snapshot

from openai_ekm.errors import EkmError
from openai_ekm.rehearsal import OPENAI_ACCOUNT, REGION, EmulatorProcess, LocalStack, Workspace
from openai_ekm.rehearsal.terraform_environment import rehearsal_environment

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / "examples" / "api-project"
BY_HAND = ROOT / "bench" / "by-hand"
ORGANIZATION = "org-bench0123456789abcdef"
BIN = Path(sys.executable).parent

Action = Callable[[], object]


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        name: What is measured.
        ours: Seconds of each round.
        yardstick: Seconds of each round of what it is held against.
        against: What that is.
    """

    name: str
    ours: list[float]
    yardstick: list[float]
    against: str

    def cells(self) -> tuple[str, ...]:
        """The line's cells: medians in milliseconds, their ratio, rounds."""
        ours, yardstick = statistics.median(self.ours), statistics.median(self.yardstick)
        return (
            self.name,
            f"{ours * 1000:.0f} ms",
            f"{yardstick * 1000:.0f} ms",
            f"{ours / yardstick:.2f}",
            str(len(self.ours)),
            self.against,
        )


def seconds(action: Action) -> float:
    """Return how long an action takes."""
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def by_turns(name: str, against: str, ours: Action, yardstick: Action, rounds: int) -> Row:
    """Run both by turns, after one round of each that does not count."""
    ours()
    yardstick()
    pairs = [(seconds(ours), seconds(yardstick)) for _ in range(rounds)]
    return Row(name, [pair[0] for pair in pairs], [pair[1] for pair in pairs], against)


def command(*words: str | Path) -> Action:
    """Return an action that runs a command."""
    environment = {**os.environ, "NO_COLOR": "1"}

    def run() -> None:
        subprocess.run(words, check=True, capture_output=True, env=environment)  # nosec B603 # fixed words

    return run


def starts(rounds: int) -> list[Row]:
    """How long the command lines take to say what they do."""
    boto3 = command(sys.executable, "-c", "import boto3")
    against = 'python -c "import boto3" (target 0.50)'
    return [
        by_turns(f"{name} --help", against, command(BIN / name, "--help"), boto3, rounds)
        for name in ("ekm", "ekm-register")
    ]


def judgements(folder: Path, rounds: int) -> list[Row]:
    """How long a proof and a diagnosis of the module's documents take, from file to exit code."""
    file = folder / "snapshot.json"
    file.write_text(json.dumps(snapshot()), encoding="utf-8")
    boto3 = command(sys.executable, "-c", "import boto3")
    return [
        by_turns(
            f"ekm {verb} FILE",
            f'python -c "import boto3" (target {target})',
            command(BIN / "ekm", verb, file),
            boto3,
            rounds,
        )
        for verb, target in (("prove", "3.00"), ("diagnose", "1.00"))
    ]


def applies(aws: LocalStack, openai: EmulatorProcess, folder: Path, rounds: int) -> list[Row]:
    """A full apply in an account of its own each time, then plans that change nothing."""

    def workspace(root: Path, number: int) -> Workspace:
        environment = rehearsal_environment(
            aws, openai, account=f"{111122230000 + number:012d}", region=REGION
        )
        made = Workspace(
            root,
            folder / f"{root.name}-{number}",
            environment,
            variables={"organization_id": ORGANIZATION},
        )
        made.init()
        return made

    ours = [workspace(EXAMPLE, number) for number in range(rounds + 1)]
    hand = [workspace(BY_HAND, 100 + number) for number in range(rounds + 1)]
    left, right = iter(ours), iter(hand)
    apply = by_turns(
        "full apply, registration included",
        "the same AWS resources by hand, not registered",
        lambda: next(left).apply(),
        lambda: next(right).apply(),
        rounds,
    )
    plan = by_turns(
        "plan that changes nothing",
        "the same AWS resources by hand",
        ours[0].plan,
        hand[0].plan,
        rounds,
    )
    return [plan, apply]


def registration(aws: LocalStack, openai: EmulatorProcess, rounds: int) -> Row:
    """Create and validate at the emulator, each with one check, against two bare checks."""
    account = "111122224444"
    iam, kms = aws.client("iam", account), aws.client("kms", account)
    key_arn = kms.create_key()["KeyMetadata"]["Arn"]
    role_arn = iam.create_role(RoleName="openai-ekm", AssumeRolePolicyDocument=trust_policy())[
        "Role"
    ]["Arn"]
    iam.put_role_policy(RoleName="openai-ekm", PolicyName="use", PolicyDocument=use_policy(key_arn))
    intent = {
        "type": "aws",
        "name": "bench",
        "role_arn": role_arn,
        "kms_arn": key_arn,
        "external_id": ORGANIZATION,
    }
    keys = "/organization/external_keys"

    def ours() -> None:
        made = openai.api("POST", keys, intent)["id"]
        openai.api("POST", f"{keys}/{made}/validate")

    session = aws.session(OPENAI_ACCOUNT)
    sts = session.client("sts")

    def check() -> None:
        credentials = sts.assume_role(
            RoleArn=role_arn, RoleSessionName="bench", ExternalId=ORGANIZATION
        )["Credentials"]
        assumed = session.client(
            "kms",
            aws_access_key_id=credentials["AccessKeyId"],
            aws_secret_access_key=credentials["SecretAccessKey"],
            aws_session_token=credentials["SessionToken"],
        )
        blob = assumed.encrypt(KeyId=key_arn, Plaintext=b"bench")["CiphertextBlob"]
        assumed.decrypt(KeyId=key_arn, CiphertextBlob=blob)

    def yardstick() -> None:
        check()
        check()

    name = "emulator: create + validate"
    return by_turns(name, "AssumeRole + Encrypt + Decrypt, twice", ours, yardstick, rounds)


def trust_policy() -> str:
    """The trust policy that OpenAI documents, as JSON."""
    return (
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", '
        f'"Principal": {{"AWS": "arn:aws:iam::{OPENAI_ACCOUNT}:role/EnterpriseKeyManagement"}}, '
        f'"Condition": {{"StringEquals": {{"sts:ExternalId": "{ORGANIZATION}"}}}}}}]}}'
    )


def use_policy(key_arn: str) -> str:
    """The identity policy that OpenAI documents, as JSON."""
    return (
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", '
        f'"Action": ["kms:Encrypt", "kms:Decrypt"], "Resource": "{key_arn}"}}]}}'
    )


def show(rows: list[Row]) -> None:
    """Print the table."""
    table = [("what", "ours", "yardstick", "ratio", "rounds", "yardstick is")]
    table += [row.cells() for row in rows]  # type: ignore[misc]
    widths = [max(len(line[column]) for line in table) for column in range(len(table[0]))]
    for line in table:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3, help="of Terraform; others have more")
    rounds = parser.parse_args().rounds
    print(f"Medians of runs by turns, Python {sys.version.split()[0]}, {os.cpu_count()} cores.")
    rows = starts(5 * rounds)
    with (
        tempfile.TemporaryDirectory(prefix="ekm-bench-") as folder,
        LocalStack.start() as aws,
        EmulatorProcess.start(aws) as openai,
    ):
        rows += judgements(Path(folder), 5 * rounds)
        rows.append(registration(aws, openai, 5 * rounds))
        rows += applies(aws, openai, Path(folder), rounds)
    show(rows)


if __name__ == "__main__":
    try:
        main()
    except EkmError as error:
        sys.exit(f"{error.message} {error.remedy or ''}")
