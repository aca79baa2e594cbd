"""Every verb of `ekm` with its options: only what `--help` needs.

Each verb has a module of its own for its work, which is imported when the verb runs.
"""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from openai_ekm.cli import global_options, logs, options
from openai_ekm.cli.report_options import report_options
from openai_ekm.cli.see_also import address
from openai_ekm.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "Verb",
    "adopt_command",
    "completion_command",
    "decide_command",
    "demo_command",
    "diagnose_command",
    "doctor_command",
    "drill_command",
    "emulate_command",
    "handoff_command",
    "help_command",
    "monitor_command",
    "prove_command",
    "register_command",
    "retire_command",
    "schema_command",
    "snapshot_command",
    "status_command",
    "validate_command",
    "version_command",
]

LONGEST_HOLD = 86_400  # seconds; a day, past which it is no drill
LONGEST_TEST = 3_600  # seconds; an hour, past which a message that is missing is lost


class Verb(click.Command):
    """A command that imports what it does when it runs.

    Args:
        runs: A module of `openai_ekm.cli` and its function, as in `drill:run_revoke`. The function
            takes the options as one frozen object, whose class its annotation names, and returns
            the exit code, or None for 0.
        page: The page of the documentation that tells more.
        settings: As for any command of click.
    """

    def __init__(self, *args: Any, runs: str, page: str, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.runs = runs
        self.page = page
        self._global_options = global_options.global_options()

    def load(self) -> tuple[Callable[[Any], int | None], type]:
        """Import the function that does what the verb says, and the class of its options.

        Raises:
            BadInput: It needs a library that is not installed: one of the rehearsal.
        """
        module, _, name = self.runs.partition(":")
        try:
            loaded = importlib.import_module(f"openai_ekm.cli.{module}")
        except ModuleNotFoundError as missing:
            if (missing.name or "").partition(".")[0] == "openai_ekm":
                raise
            extra = "demo" if self.name == "demo" else "rehearsal"
            raise BadInput(
                "rehearsal_missing",
                f"`ekm {self.name}` needs {missing.name}, which is not installed.",
                remedy=f"pip install 'openai-ekm-aws[{extra}]'",
            ) from missing
        function = getattr(loaded, name)
        return function, getattr(loaded, function.__annotations__["options"])

    def invoke(self, ctx: click.Context) -> Any:
        """Run the function with the options that were given."""
        if os.environ.get("EKM_DEBUG"):
            logs.show_everything()
        function, options_class = self.load()
        return function(options_class(**ctx.params))

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return the verb's own options and those of every verb."""
        return [*super().get_params(ctx), *self._global_options]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options; those of every verb in short."""
        global_options.format_options(self, ctx, formatter)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what the verb adds, and where to read on."""
        super().format_epilog(ctx, formatter)
        formatter.write_paragraph()
        formatter.write(f"Read more: {address(self.page)}\n")


class VerbWithParts(click.Group):
    """A verb that has verbs of its own, such as `ekm drill revoke`.

    Args:
        page: The page of the documentation that tells more.
        settings: As for any group of click.
    """

    def __init__(self, *args: Any, page: str, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.page = page

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return the options of every verb, besides `--help`."""
        return [*super().get_params(ctx), *global_options.global_options()]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options in short, then the verbs."""
        global_options.format_options(self, ctx, formatter)
        self.format_commands(ctx, formatter)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write where to read on."""
        super().format_epilog(ctx, formatter)
        formatter.write_paragraph()
        formatter.write(f"Read more: {address(self.page)}\n")


def _verb(
    name: str, *, runs: str, page: str, **settings: Any
) -> Callable[[Callable[[], None]], click.Command]:
    """Declare a verb; the docstring of what is decorated is its help."""
    help_names = {"help_option_names": ["-h", "--help"]}
    return click.command(
        name, cls=Verb, runs=runs, page=page, context_settings=help_names, **settings
    )


def _check_sentence(_: click.Context, __: click.Argument, value: str | None) -> None:
    """Accept the sentence that the module's provisioners end their command with, and no other.

    Terraform heads a failure with "Error running command" and the last word of the command: the
    sentence makes that readable. It decides nothing.
    """
    if value is not None and not value.startswith(("register ", "unregister ")):
        raise click.UsageError(f"Got unexpected extra argument ({value})")


@_verb("doctor", runs="doctor:run", page="docs/operate/doctor.md")
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


@_verb("register", runs="register:run", page="docs/registration.md")
@options.intent_options
@click.option(
    "--project",
    "projects",
    multiple=True,
    metavar="NAME",
    help="Create this project with the key; repeatable.  [env var: EKM_PROJECTS, a JSON list]",
)
@options.place_options
@options.external_key_option("Adopt this registration (extkey_…) if several match.", "--adopt")
@options.wait_option
@options.openai_options
@click.option("--retire", is_flag=True, help="Undo the registration, as `ekm retire` does.")
@click.option("--delete-record", is_flag=True, help="With --retire: delete the record last.")
@options.confirm_option
@click.option(
    "--manifest",
    metavar="FILE|-",
    help="Register all entries of this fleet file (ekm-fleet/1, YAML or JSON).",
)
@click.option(
    "--concurrency",
    type=click.IntRange(1, 64),
    metavar="N",
    help="Register so many entries of a fleet at a time; they share one pace.  [default: 16]",
)
@click.option(
    "--plan", is_flag=True, help="Print the calls and minutes that a fleet needs, and do nothing."
)
@options.json_option
@options.argument(
    "sentence",
    required=False,
    expose_value=False,
    metavar="",  # no one needs to type it
    callback=_check_sentence,
    text="",
)
def register_command() -> None:
    """Register the key with OpenAI, make its projects, and record it.

    You can run it as often as you like. One name, role, key and external id end as one
    registration and one project for each name. The command adopts a registration that exists.

    With --manifest, or if Terraform's output `ekm` is a map of module outputs, it registers a
    fleet, each entry in the same way. The exit code is 1 if an entry failed; the next run does
    the rest.

    \b
    Examples:
      ekm register --from-terraform .
      terraform output -json | ekm register --from-terraform -
      ekm register --role-arn arn:aws:iam::111122223333:role/openai-ekm \\
        --kms-arn arn:aws:kms:eu-west-1:111122223333:key/UUID \\
        --external-id org-abc123 --name prod --record file:prod.json
      ekm register --manifest fleet.yaml --plan
      ekm register --manifest fleet.yaml

    \b
    Environment:
      OPENAI_ADMIN_KEY      the admin key
      OPENAI_BASE_URL       default https://api.openai.com/v1
      HTTPS_PROXY           the proxy to OpenAI; loopback goes through none
      NO_PROXY              hosts that go through none
      REQUESTS_CA_BUNDLE    certificate authorities to accept
      EKM_CALLS_PER_MINUTE  to each endpoint, default 7; 0 for no pacing
      EKM_LIST_LAG_SECONDS  how long lists may lag behind a create, default 75
    """


@_verb("validate", runs="validate:run", page="docs/registration.md")
@options.place_options
@options.all_option
@options.external_key_option("Id of the registration; no record is then needed.", "--id")
@options.openai_options
@options.json_option
def validate_command() -> None:
    """Ask OpenAI now whether it can use the key.

    The command changes nothing. The exit code is 4 if OpenAI cannot use the key, and with --all
    0 if OpenAI can use every key. After a revocation the validation fails at once, while data
    stays readable from OpenAI's cache for up to an hour.

    \b
    Examples:
      ekm validate --from-terraform .
      ekm validate --record ssm:/openai-ekm/prod --json
      ekm validate --from-terraform . --all
      ekm validate --external-key extkey_0123
    """


@_verb("diagnose", runs="diagnose:run", page="docs/diagnosis.md")
@options.argument(
    "snapshot",
    metavar="[SNAPSHOT|-]",
    required=False,
    text="File of a snapshot, or - for standard input.",
)
@options.source_options
@options.offline_option
@click.option("--error", "error_text", metavar="TEXT", help="Explain this answer of OpenAI.")
@report_options
def diagnose_command() -> None:
    """Name the answer of OpenAI's validation, the statement at fault, and the smallest fix.

    The command reads a snapshot (`ekm snapshot`), or collects one with the same options. The exit
    code is 0 if nothing is at fault, 1 if something is, and 8 if the key's state was not seen and
    --accept-undecided does not name it: state.

    \b
    Examples:
      ekm diagnose --from-terraform .
      ekm diagnose --from-terraform . --format markdown
      ekm diagnose s.json --json
      ekm diagnose --error "User: … is not authorized to perform: kms:Encrypt …"
    """


@_verb("status", runs="status:run", page="docs/registration.md")
@options.place_options
@options.all_option
@click.option(
    "--key-state/--no-key-state",
    default=None,
    help="Ask AWS for the KMS key's state.  [default: yes with a record in SSM]",
)
@options.openai_options
@options.json_option
def status_command() -> None:
    """Show record, registration, projects and key state, and where they differ.

    The command changes nothing. The exit code is 1 if something differs. A key of a ChatGPT
    workspace has no record; the command then shows what Terraform and AWS have and, with an admin
    key, what OpenAI has.

    \b
    Examples:
      ekm status --from-terraform .
      ekm status --from-terraform . --all
      ekm status --record file:prod.json --json
    """


@_verb("handoff", runs="handoff:run", page="docs/registration.md")
@options.arn_options
@options.from_terraform_option
@options.module_option
@options.all_option
@options.json_option
def handoff_command() -> None:
    """Print the text to send to OpenAI for ChatGPT Enterprise, which has no API for this.

    The command calls neither OpenAI nor AWS.

    \b
    Examples:
      ekm handoff --from-terraform .
      terraform output -json | ekm handoff --from-terraform - --json
      ekm handoff --from-terraform . --all
    """


@click.group(
    "drill",
    cls=VerbWithParts,
    page="docs/drill.md",
    context_settings={"help_option_names": ["-h", "--help"]},
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
    context_settings={"help_option_names": ["-h", "--help"]},
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


@_verb("adopt", runs="adopt:run", page="docs/adopt.md")
@options.intent_options
@options.place_options
@options.external_key_option(
    "Id of the registration (extkey_…); no other option is then needed.", "--adopt"
)
@click.option(
    "--module-address",
    default="module.ekm",
    show_default=True,
    metavar="ADDRESS",
    help='Where the module is called, as in `module.ekm["prod"]`.',
)
@click.option(
    "--module-source",
    metavar="ADDRESS",
    help="The `source` of the printed module call; default: a placeholder.",
)
@click.option(
    "--keep-key",
    is_flag=True,
    help="Leave key and key policy outside the module (kms_key_arn).",
)
@options.wait_option
@options.openai_options
@options.json_option
def adopt_command() -> None:
    """Bring a set-up made by hand, or by another tool, under the module.

    The command finds the registration at OpenAI, reads its key and role in AWS, writes the record,
    and prints the import blocks, the module call and the steps in their order. It makes nothing at
    OpenAI, and changes nothing in AWS but the record.

    \b
    Examples:
      ekm adopt --external-key extkey_0123
      ekm adopt --role-arn arn:aws:iam::111122223333:role/OpenAI
      ekm adopt --external-key extkey_0123 --module-address 'module.ekm["prod"]'
    """


@_verb("retire", runs="retire:run", page="docs/teardown.md")
@options.place_options
@options.all_option
@options.intent_options
@options.confirm_option
@click.option("--delete-record", is_flag=True, help="Delete the record (and its leases) last.")
@click.option(
    "--plan", "only_plan", is_flag=True, help="Show each step and what it ends; change nothing."
)
@options.wait_option
@options.openai_options
@options.json_option
def retire_command() -> None:
    """Undo a registration, in the order that loses nothing.

    The command refuses while projects are active on the key. It archives them, which is final,
    only if you confirm this run by the external key's id. It changes nothing in AWS but the
    record; the KMS key stays usable.

    \b
    Examples:
      ekm retire --record ssm:/openai-ekm/prod --plan
      ekm retire --record ssm:/openai-ekm/prod
      ekm retire --record file:prod.json --confirm-archive extkey_0123
      ekm retire --from-terraform . --module payments --plan
    """


@_verb("decide", runs="decide:run", page="docs/how-decisions-are-made.md")
@options.argument("file", metavar="FILE|-", text="File of decision cases, or - for standard input.")
@click.option(
    "--json",
    is_flag=True,
    expose_value=False,
    help="The answers are JSON with or without this option.",
)
def decide_command() -> None:
    """Decide requests against policies, as AWS would.

    The command reads decision cases from FILE or standard input, one JSON object on each line.
    It prints one answer on each line as soon as a case is decided.

    \b
    Example:
      echo '{"id": "1", "request": {...}, "policies": {...}}' | ekm decide -
      {"id": "1", "decision": "Allowed", "decided_by": [...], "missing": []}
    """


@_verb("prove", runs="prove:run", page="docs/proof.md")
@options.argument(
    "file",
    metavar="[SNAPSHOT|-]",
    required=False,
    text="File of a snapshot, or - for standard input.",
)
@options.source_options
@options.offline_option
@click.option(
    "--assume-none",
    metavar="LIST",
    multiple=True,
    help="Take these for empty where they were not seen: scps, rcps, grants, "
    "permissions_boundary, related.",
)
@report_options
def prove_command() -> None:
    """Prove least privilege for all requests, or show what breaks it.

    The command reads a snapshot (`ekm snapshot`), or collects one with the same options. With a
    plan it judges every instance of the module. The exit code is 0 if every claim holds. It is 1
    if a claim fails; the command then shows a request that breaks it. It is 8 if none fails and
    one is undecided; the command then names what was not seen and could break it. An undecided
    claim that --accept-undecided names does not count; docs/pipeline.md has the gate.

    \b
    Examples:
      ekm prove --from-terraform .
      terraform show -json PLAN | ekm prove --from-plan - --output sarif=ekm.sarif
      terraform show -json PLAN | ekm prove --from-plan - --format github \\
        --accept-undecided c,d,e,f='the owner of the key proves it from AWS'
      ekm prove s.json --json
    """


@_verb("snapshot", runs="snapshot:run", page="docs/diagnosis.md")
@options.source_options
@options.offline_option
@click.option(
    "--json",
    is_flag=True,
    expose_value=False,
    help="A snapshot is JSON with or without this option.",
)
def snapshot_command() -> None:
    """Collect all that AWS has about a key, as one JSON document.

    The command reads from AWS the policies and settings in force; Terraform's outputs say for
    which role and key. With --offline it reads the outputs alone, which say what Terraform applied
    last. With --from-plan it reads the plan alone, which says what Terraform will apply. The
    snapshot leaves out what they do not have.

    \b
    Examples:
      ekm snapshot --role-arn ARN --kms-arn ARN --external-id org-… > s.json
      ekm snapshot --from-terraform . > s.json
      terraform show -json PLAN | ekm snapshot --from-plan - | ekm diagnose -
    """


@_verb("emulate", runs="emulate:run", page="docs/reliability.md")
@click.option("--host", default="127.0.0.1", show_default=True, help="Loopback address.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    show_default=True,
    help="TCP port; 0 takes a free one.",
)
@click.option(
    "--database",
    default=":memory:",
    help="SQLite file for the state. Without it the state ends with the process.",
)
@click.option(
    "--settle",
    type=click.FloatRange(0, 3600),
    default=0,
    show_default=True,
    metavar="SECONDS",
    help="Time after which OpenAI sees a change to IAM.",
)
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="NAME[=TIMES][,…]",
    help="Make this fault, TIMES times or until it is switched off. See --list-faults.",
)
@click.option(
    "--setting",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    help="Choose behaviour that OpenAI does not publish. See --list-settings.",
)
@click.option(
    "--trail",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write CloudTrail's log files of what OpenAI does in AWS there.",
)
@click.option(
    "--events",
    is_flag=True,
    help="Put the same events on EventBridge's default bus, in an emulated AWS only.",
)
@click.option("--list-settings", is_flag=True, help="Print every setting and exit.")
@click.option("--list-faults", is_flag=True, help="Print every fault and exit.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: one line once it listens.")
def emulate_command() -> None:
    """Emulate OpenAI's Admin API on this machine.

    To register or validate a key, the emulator judges the live policies as AWS would. Then it
    assumes the role from OpenAI's account, and encrypts and decrypts with the key. It does this in
    the AWS that AWS_ENDPOINT_URL names. Stop it with Ctrl-C or SIGTERM.

    It does not emulate the APIs that use a project (nothing is encrypted with its data keys, and
    no data-key cache runs out), other clouds, and the checks of a psp_decryption key.

    \b
    Examples:
      ekm emulate --port 8180 --database openai.sqlite3
      ekm emulate --settle 10 --fault lost-after-commit=1
      ekm emulate --fault "rate-limited=2,on=POST /organization/projects"
      ekm emulate --setting cloud_refusal_prefix=true
      ekm emulate --trail ./trail --events
      ekm emulate --list-settings

    \b
    Environment:
      AWS_ENDPOINT_URL   the AWS that keys are checked in, such as LocalStack
      OPENAI_ADMIN_KEY   the admin key that is accepted, with every scope
      EKM_EMULATOR_KEYS  further keys with fewer scopes:
                         {"sk-admin-reader": ["api.external_keys.read"]}
    """


@_verb("demo", runs="demo:run", page="README.md")
@click.option(
    "--keep", is_flag=True, help="Destroy nothing, leave it running, and print how to look around."
)
@click.option(
    "--module",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="The Terraform module's folder.  [default: this checkout's, else the package's own]",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout.")
def demo_command() -> None:
    """Rehearse everything offline, from apply to destroy.

    The rehearsal starts LocalStack and the OpenAI emulator on loopback and applies the example
    with registration. It asks OpenAI to use the key, shows who may use it and who may not, and
    disables and enables it. Then a destroy is refused, and after the confirmation everything is
    destroyed. The rehearsal touches no account and needs no admin key. It stops all that it
    started, also after Ctrl-C or a failure. It takes a minute or two.

    \b
    Examples:
      ekm demo                 the whole rehearsal
      ekm demo --keep          leave it running and look around
      ekm demo --json          the checks as JSON
    """


@_verb("completion", runs="completion:run", page="README.md")
@options.argument(
    "shell", type=click.Choice(["bash", "zsh", "fish"]), text="The shell that reads the script."
)
def completion_command() -> None:
    """Print the script that makes a shell complete verbs and options of ekm and ekm-register.

    \b
    Examples:
      eval "$(ekm completion bash)"                    in ~/.bashrc
      eval "$(ekm completion zsh)"                     in ~/.zshrc, after compinit
      ekm completion fish > ~/.config/fish/conf.d/ekm.fish
    """


@_verb("schema", runs="schema:run", page="docs/reference/json.md")
@options.argument(
    "name", required=False, metavar="[NAME]", text="Name of a schema. Without it, all are listed."
)
@options.json_option
def schema_command() -> None:
    """Print the JSON Schema of a document that ekm reads or prints, or list the schemas.

    A schema is printed whole: it needs no other file. Programs that read documents of ekm must
    accept members that a schema does not name.

    \b
    Examples:
      ekm schema                         every schema, and what it is of
      ekm schema prove                   what ekm prove --json prints
      ekm schema ekm-fleet > fleet.json  for an editor that checks fleet files
    """


@_verb("version", runs="version:run", page="CHANGELOG.md")
@options.json_option
def version_command() -> None:
    """Show the versions of package, module, Terraform and Python, and the commit.

    Give this output with a question or a report. The module is the one in the current folder, if
    one is there.

    \b
    Examples:
      ekm version
      ekm version --json
    """


@_verb("help", runs="help:run", page="README.md")
@options.argument(
    "topic",
    nargs=-1,
    metavar="[VERB|environment]",
    text="A verb, as in `drill revoke`, or the environment variables.",
)
def help_command() -> None:
    """Explain a verb, or the environment variables.

    \b
    Examples:
      ekm help register
      ekm help drill revoke
      ekm help environment
    """
