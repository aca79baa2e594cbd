"""doctor, drill, monitor, evidence: living with the key."""

from __future__ import annotations

from typing import Any

import click

from openai_ekm.cli import options
from openai_ekm.cli.commands.verb import Verb, VerbWithParts, verb

__all__ = [
    "doctor_command",
    "drill_command",
    "evidence_command",
    "monitor_command",
]

LONGEST_HOLD = 86_400  # seconds; a day, past which it is no drill
LONGEST_TEST = 3_600  # seconds; an hour, past which a message that is missing is lost


@verb("doctor", runs="doctor:run", page="docs/operate/doctor.md")
@options.place_options
@options.arn_options
@options.external_id_option
@options.openai_options
@click.option(
    "--for",
    "tasks",
    type=click.Choice(["apply", "register", "drill"]),
    multiple=True,
    default=("apply", "register"),
    show_default=True,
    help="Check the caller's permissions for this task; repeatable.",
)
@options.json_option
def doctor_command() -> None:
    """Look once at everything that a registration depends on, and change nothing.

    The command looks at versions, AWS credentials, clock, network, OpenAI, the caller's
    permissions, SCPs and RCPs, CloudTrail, and the record, in the order in which things fail. Each
    line is ok, a warning, a failure, or not seen, with the remedy. No option is needed: before the
    first apply the command looks at what there is.

    The exit code is 0 if nothing fails. If every failure is a refusal of AWS, it is 3; a refusal of
    OpenAI, 4; a host that is not reached, 5. Else it is 1.

    \b
    Examples:
      ekm doctor
      ekm doctor --from-terraform .
      ekm doctor --from-terraform . --for drill --json
    """


@click.group(
    "drill",
    cls=VerbWithParts,
    page="docs/drill.md",
)
def drill_command() -> None:
    """Rehearse the kill switch on a project made for it, and record what happened.

    \b
    Examples:
      ekm drill revoke --record ssm:/openai-ekm/drill --plan
      ekm drill revoke --record file:drill.json --confirm extkey_01 --report drill
      ekm drill restore --record ssm:/openai-ekm/drill
    """


@drill_command.command(
    "revoke",
    cls=Verb,
    runs="drill:run_revoke",
    page="docs/drill.md",
    short_help="Cut, see the refusal, give access back, see recovery.",
)
@options.place_options
@click.option(
    "--by",
    type=click.Choice(["key-policy", "disable-key"]),
    default="key-policy",
    show_default=True,
    help="Cut by a Deny for the role in the key policy, or by kms:DisableKey.",
)
@click.option("--plan", is_flag=True, help="Show each step and what it interrupts; cut nothing.")
@click.option(
    "--confirm",
    metavar="EXTERNAL_KEY_ID",
    help="Confirm this run by the external key's id; required to cut. No variable sets it.",
)
@click.option(
    "--interrupt",
    multiple=True,
    metavar="PROJECT",
    help="Also cut off this active project, whose name lacks the word `drill`.",
)
@click.option(
    "--hold",
    type=click.IntRange(0, LONGEST_HOLD),
    default=0,
    metavar="SECONDS",
    help="Keep the cut so long after the refusal; OpenAI keeps data keys for 3600.",
)
@options.report_option
@options.drill_wait_option
@options.openai_options
@options.json_option
def revoke_command() -> None:
    """Cut OpenAI off, see its refusal, give access back, see the recovery.

    The command records the time of each step. After Ctrl-C, SIGTERM or a failure it gives access
    back before it ends. After a crash `ekm status` says that access is cut, and the next run gives
    it back. OpenAI may serve data from its caches for up to an hour.

    \b
    Examples:
      ekm drill revoke --record ssm:/openai-ekm/drill --plan
      ekm drill revoke --record ssm:/openai-ekm/drill --confirm extkey_0123
      ekm drill revoke --from-terraform . --by disable-key --confirm extkey_01
    """


@drill_command.command(
    "restore",
    cls=Verb,
    runs="drill:run_restore",
    page="docs/drill.md",
    short_help="Give access back after a drill that could not do so.",
)
@options.place_options
@click.option(
    "--validate/--no-validate",
    default=True,
    help="Ask OpenAI at the end. --no-validate needs no admin key.",
)
@options.report_option
@options.drill_wait_option
@options.openai_options
@options.json_option
def restore_command() -> None:
    """Give access back after a drill that could not do so itself; otherwise change nothing.

    The command reads the note that the drill left beside the record. If the note is lost, it looks
    for the drill's statement in the key policy. It removes what the drill added, and nothing else.

    \b
    Examples:
      ekm drill restore --record ssm:/openai-ekm/drill
      ekm drill restore --record file:drill.json --no-validate
    """


@click.group(
    "monitor",
    cls=VerbWithParts,
    page="docs/operate/monitor-test.md",
)
def monitor_command() -> None:
    """Test the alarms of modules/monitoring.

    \b
    Examples:
      ekm monitor test --from-terraform . --plan
      ekm monitor test --from-terraform .
    """


@monitor_command.command(
    "test",
    cls=Verb,
    runs="monitor:run_test",
    page="docs/operate/monitor-test.md",
    short_help="Tag the key, untag it, and wait for the message.",
)
@options.from_terraform_option
@options.module_option
@options.arn_options
@click.option(
    "--topic",
    "topics",
    multiple=True,
    metavar="ARN",
    help="SNS topic that messages of severity warning or info go to; repeatable.  [default: those "
    "in Terraform's outputs]",
)
@click.option(
    "--wait",
    type=click.IntRange(1, LONGEST_TEST),
    default=600,
    show_default=True,
    metavar="SECONDS",
    help="Longest wait for the message.",
)
@click.option("--plan", is_flag=True, help="Show each step and each message; change nothing.")
@options.json_option
def test_command() -> None:
    """Tag the key and untag it, and wait for the message of the monitoring.

    The command listens to the topics by a queue of its own. It removes the tag, the subscriptions
    and the queue, also after Ctrl-C, SIGTERM or a failure, and names what it could not remove. It
    refuses where a policy tests the tag. The messages reach everybody who is subscribed: --plan
    lists them.

    The exit code is 0 if the message came, and 1 if it did not come in time.

    \b
    Examples:
      ekm monitor test --from-terraform . --plan
      ekm monitor test --from-terraform . --wait 900
      ekm monitor test --kms-arn arn:aws:kms:eu-west-1:111122223333:key/UUID \\
        --topic arn:aws:sns:eu-west-1:111122223333:openai-ekm-warning
    """


@click.group(
    "evidence",
    cls=VerbWithParts,
    page="docs/operate/evidence.md",
)
def evidence_command() -> None:
    """Write a pack of evidence for an auditor, or verify one that was handed over.

    \b
    Examples:
      ekm evidence write pack.zip --from-terraform .
      ekm evidence verify pack.zip --fingerprint sha256:0123…
    """


def _given_options(command: Any) -> Any:
    """Declare the members that may be given as files."""
    for name, text in (
        ("audit-events", "Take audit-events.json of an earlier pack; do not ask OpenAI for it."),
        ("rotation", "Take rotation.json of an earlier pack; do not ask AWS for it."),
        ("validation", "Take validation.json of an earlier pack; do not ask OpenAI for it."),
        ("drift", "Put in what `ekm drift --json` printed."),
        ("usage", "Put in what `ekm usage --json` printed."),
    ):
        command = click.option(f"--{name}", metavar="FILE", help=text)(command)
    return command


@evidence_command.command(
    "write",
    cls=Verb,
    runs="evidence:run_write",
    page="docs/operate/evidence.md",
    extra="operate",
    short_help="Write a pack: a folder, or a zip.",
)
@options.argument("place", metavar="DIR|FILE.zip", text="New folder or zip to write the pack to.")
@options.place_options
@options.arn_options
@options.external_id_option
@click.option("--snapshot", metavar="FILE|-", help="Judge this snapshot; do not read AWS.")
@options.external_key_option("Ask OpenAI about this registration, and not that of the record.")
@_given_options
@click.option(
    "--drill",
    "drills",
    multiple=True,
    metavar="FILE",
    help="Put in this report of a drill: PATH.json of --report; repeatable.",
)
@click.option(
    "--at",
    metavar="TIME",
    help="Time of the pack, as 2026-11-29T10:00:00Z.  [default: SOURCE_DATE_EPOCH, else now]",
)
@click.option(
    "--redact",
    "redacted",
    is_flag=True,
    help="Put stand-ins for account ids, names and addresses: the same one for each, everywhere.",
)
@click.option(
    "--sign",
    metavar="kms:ARN",
    help="Sign the manifest with this key: RSA of 3072 bits or more, or ECC_NIST_P256.",
)
@options.openai_options
@options.json_option
def write_command() -> None:
    """Write a pack of evidence: what AWS and OpenAI say, what follows from it, what was not seen.

    The command reads role, key and policies, decides every claim, asks OpenAI for its validation
    and its audit events, and adds what you give as files. It changes nothing in AWS and at OpenAI;
    only the validation makes OpenAI use the key. Same inputs and time give the same bytes.

    \b
    Examples:
      ekm evidence write pack --from-terraform .
      ekm evidence write pack.zip --from-terraform . --redact \\
        --sign kms:arn:aws:kms:eu-west-1:111122223333:key/UUID
      ekm evidence write pack.zip --snapshot key.json --drill drill.json
    """


@evidence_command.command(
    "verify",
    cls=Verb,
    runs="evidence:run_verify",
    page="docs/operate/evidence.md",
    extra="operate",
    short_help="Verify a pack offline.",
)
@options.argument("pack", metavar="PACK", text="Folder or zip that was handed over.")
@click.option(
    "--fingerprint",
    metavar="sha256:…",
    help="Fingerprint of the key that must have signed, from the signer and not from the pack.",
)
@options.json_option
def verify_command() -> None:
    """Verify a pack offline: its signature, and every file against its manifest.

    The command names each file that was changed, added or taken away. It refuses links, names that
    lead out of the pack, names that fall together, and sizes that the manifest does not say.

    The exit code is 0 if all is as the owner of the fingerprint signed it; 1 if something differs;
    8 without a fingerprint, since a key that travels in the pack proves nothing about who signed.

    \b
    Examples:
      ekm evidence verify pack.zip --fingerprint sha256:0123…
      ekm evidence verify pack --json
    """
