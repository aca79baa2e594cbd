"""The story itself: from nothing to an encrypted project, a revocation, and back to nothing."""

from __future__ import annotations

import shutil
import signal
import tempfile
from collections import Counter
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from openai_ekm.errors import BadInput
from openai_ekm.rehearsal.demo.cut import (
    Monitoring,
    await_monitoring,
    revoke_and_restore,
    start_monitoring,
)
from openai_ekm.rehearsal.demo.decisions import Answer, ask
from openai_ekm.rehearsal.demo.end import destroy, leave_running
from openai_ekm.rehearsal.demo.person import Person, open_trail
from openai_ekm.rehearsal.demo.state import DemoState, documents
from openai_ekm.rehearsal.demo.stranger import find_stranger, let_stranger_in
from openai_ekm.rehearsal.emulator import EmulatorProcess
from openai_ekm.rehearsal.localstack import CUSTOMER_ACCOUNT, REGION, LocalStack
from openai_ekm.rehearsal.module_copy import packaged_module, unpack_module
from openai_ekm.rehearsal.sockets import beyond_loopback, ended, family, listening
from openai_ekm.rehearsal.terraform import Workspace
from openai_ekm.rehearsal.terraform_environment import find_terraform, rehearsal_environment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai_ekm.rehearsal.demo.report import Report

__all__ = ["find_module", "rehearse"]

EXAMPLE = Path("examples", "api-project")
ORGANIZATION = "org-rehearsal0123456789abcdef"
FRESH_CALLS = 4  # list, create, validate, create project (docs: the registration protocol)


def find_module(named: Path | None = None, *, unpack_into: Path) -> Path:
    """Return the folder of the module: named, this checkout's, the package's, or the current one.

    Args:
        named: A folder to use instead of looking.
        unpack_into: An absent folder, for the one of the package.

    Raises:
        BadInput: The example is not there.
    """
    if named is None and (packaged := packaged_module()) is not None:
        return unpack_module(packaged, unpack_into)
    folders = [named] if named else [Path(__file__).resolve().parents[4], Path.cwd()]
    for folder in folders:
        if (folder / EXAMPLE / "main.tf").is_file():
            return folder
    raise BadInput(
        "module_not_found",
        f"There is no {EXAMPLE} in {folders[-1]}.",
        at_fault="--module",
        remedy="Run it in a checkout of the module, or name one with --module DIR.",
    )


def rehearse(
    report: Report, *, module: Path | None = None, keep: bool = False
) -> tuple[Answer, ...]:
    """Tell the whole story; stop what it started, however it ends.

    Args:
        report: Takes every line, fact and check.
        module: The Terraform module's folder; looked for when absent.
        keep: Stop before the destruction and leave everything running.

    Returns:
        The table of decisions.

    Raises:
        EkmError: A step failed; the message says which one.
        KeyboardInterrupt: Ctrl-C, SIGTERM or SIGHUP came; everything has been stopped by then.
    """
    find_terraform()
    folder = Path(tempfile.mkdtemp(prefix="ekm-demo-"))
    with ExitStack() as resources:
        resources.enter_context(_ended_by_signals())
        resources.callback(shutil.rmtree, folder, ignore_errors=True)
        whole = find_module(module, unpack_into=folder / "module")
        stage = _start(report, resources, whole / EXAMPLE, folder, keep=keep)
        monitoring = _apply(stage, whole, folder / "monitoring", resources)
        _validate(stage)
        answers = _decide(stage)
        administrator = Person(stage.aws, stage.trail, "administrator")
        policy = let_stranger_in(stage, administrator)
        find_stranger(stage, administrator, policy)
        alarms = await_monitoring(stage, monitoring)
        revoke_and_restore(stage, alarms, administrator)
        if keep:
            leave_running(stage, folder)
            resources.pop_all()
            return answers
        destroy(stage)
        with report.step("Stop what was started"):
            started = family(stage.aws.pid, stage.openai.pid)
            resources.close()
            report.check(
                "LocalStack, the emulator and their processes are gone, and so are their files.",
                holds=bool(started) and ended(started) and not folder.exists(),
            )
    return answers


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Make SIGTERM and SIGHUP end the story as Ctrl-C does, and let nothing disturb the end."""

    def end(*_: object) -> None:
        for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(name, signal.SIG_IGN)
        raise KeyboardInterrupt

    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {name: signal.signal(name, end) for name in signals}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)


def _start(
    report: Report, resources: ExitStack, root: Path, folder: Path, *, keep: bool
) -> DemoState:
    with report.step("Start AWS and OpenAI on this machine"):
        aws = resources.enter_context(LocalStack.start(folder=folder / "aws" if keep else None))
        report.fact("AWS", f"{aws.endpoint_url} (LocalStack)")
        openai = resources.enter_context(
            EmulatorProcess.start(
                aws, events=True, trail=folder / "trail", folder=folder / "openai" if keep else None
            )
        )
        report.fact("OpenAI", f"{openai.base_url} (ekm emulate)")
        outside = beyond_loopback(aws.pid) | beyond_loopback(openai.pid)
        report.check(
            "Both listen on loopback only.",
            holds=bool(listening(aws.pid) and listening(openai.pid)) and not outside,
            found=f"listening on {outside}",
        )
        environment = rehearsal_environment(aws, openai, account=CUSTOMER_ACCOUNT, region=REGION)
        workspace = Workspace(
            root, folder / "terraform", environment, variables={"organization_id": ORGANIZATION}
        )
        trail = open_trail(aws, folder / "trail")
        stage = DemoState(report, aws, openai, workspace, folder, trail, {})
        _look_first(stage)
    return stage


def _look_first(stage: DemoState) -> None:
    """Let the doctor look before anything is made."""
    # The first call makes LocalStack's catalogue where its cache is new: a doctor waits less long.
    stage.aws.client("sts").get_caller_identity()
    said = stage.ekm("doctor")
    counts = Counter(each["state"] for each in said["checks"])
    stage.report.check(
        f"Nothing that the doctor sees stands in the way: {counts['ok']} checks are ok, "
        f"{counts['warning']} warn, {counts['not_seen']} see nothing yet.",
        holds=said["holds"],
    )
    stage.openai.forget_requests()


def _apply(stage: DemoState, module: Path, folder: Path, resources: ExitStack) -> Monitoring:
    """Make everything, and start to make the monitoring."""
    report, workspace = stage.report, stage.workspace
    with report.step(f"Create key, policy and role, and register them: {EXAMPLE}"):
        report.command("terraform apply")
        workspace.apply()
        stage.outputs = workspace.outputs()
        told = stage.outputs["ekm"]
        report.fact("key", told["key_arn"])
        report.fact("alias", told["alias_arn"])
        report.fact("role", told["role_arn"])
        report.fact("external id", told["external_id"])
        report.fact("external key id", str(stage.outputs["external_key_id"]))
        for name, project in (stage.outputs["project_ids"] or {}).items():
            report.fact("project id", f"{project} ({name})")
        report.fact("record", told["record"])
        calls = stage.openai.calls()
        report.check(
            f"One apply registered the key and made the project, with {FRESH_CALLS} calls.",
            holds=bool(stage.outputs["external_key_id"]) and len(calls) == FRESH_CALLS,
            found="; ".join(calls),
        )
        environment = rehearsal_environment(
            stage.aws, stage.openai, account=CUSTOMER_ACCOUNT, region=REGION
        )
        monitoring = start_monitoring(module, folder, environment, resources, told)
        plan = workspace.plan()
        report.check("A second plan is empty.", holds=plan.empty, found=plan.run.said[-500:])
    return monitoring


def _validate(stage: DemoState) -> None:
    report = stage.report
    with report.step("Ask OpenAI whether it can use the key"):
        report.text("OpenAI assumes the role with the external id, encrypts and decrypts.")
        said = stage.ekm("validate", "--from-terraform", ".")
        report.check("OpenAI can use the key.", holds=said["status"] == "success", found=str(said))


def _decide(stage: DemoState) -> tuple[Answer, ...]:
    report = stage.report
    with report.step("Who may use the key, and who may not"):
        report.text(
            "These are the decisions that AWS would make on the three policies in force now. Every "
            "principal but OpenAI in the role counts as allowed everything by its own policies."
        )
        answers = ask(documents(stage))
        report.table(
            ("who", "wants to", "decision", "because of"),
            [(row.who, row.wants, row.decision.outcome.value, row.because) for row in answers],
        )
        wrong = [f"{row.who}: {row.wants}" for row in answers if not row.holds]
        report.check(
            f"All {len(answers)} decisions are as they must be: only OpenAI's role, only with "
            "your external id, only to encrypt and decrypt, only with this key.",
            holds=not wrong,
            found="; ".join(wrong),
        )
        _prove(stage)
    return answers


def _prove(stage: DemoState) -> None:
    """Decide the claims for every request over what AWS has now, as the tables did for some."""
    report = stage.report
    # Organizations, and so guardrails, are not rehearsed.
    claims = stage.ekm("prove", "--from-terraform", ".", "--assume-none", "scps,rcps")["claims"]
    report.check(
        f"All {len(claims)} claims of least privilege are proven, over every request there is, in "
        f"{sum(claim['classes'] for claim in claims)} classes.",
        holds=all(claim["holds"] for claim in claims),
        found=str(claims),
    )
