"""register, validate, status, handoff, adopt, retire: the key's registration with OpenAI."""

from __future__ import annotations

import click

from openai_ekm.cli import options
from openai_ekm.cli.commands.verb import verb

__all__ = [
    "adopt_command",
    "handoff_command",
    "register_command",
    "retire_command",
    "status_command",
    "validate_command",
]


def _check_sentence(_: click.Context, __: click.Argument, value: str | None) -> None:
    """Accept the sentence that the module's provisioners end their command with, and no other.

    Terraform heads a failure with "Error running command" and the last word of the command: the
    sentence makes that readable. It decides nothing.
    """
    if value is not None and not value.startswith(("register ", "unregister ")):
        raise click.UsageError(f"Got unexpected extra argument ({value})")


@verb("register", runs="register:run", page="docs/registration.md")
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


@verb("validate", runs="validate:run", page="docs/registration.md")
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


@verb("status", runs="status:run", page="docs/registration.md")
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


@verb("handoff", runs="handoff:run", page="docs/registration.md")
@options.arn_options
@options.from_terraform_option
@options.module_option
@options.all_option
@options.json_option
def handoff_command() -> None:
    """Print the text to send to OpenAI for ChatGPT Enterprise, which has no API for this.

    The command calls neither OpenAI nor AWS. It refuses an instance for the API, one with projects
    or a registration in Terraform's outputs: OpenAI needs no handoff for it.

    \b
    Examples:
      ekm handoff --from-terraform .
      terraform output -json | ekm handoff --from-terraform - --json
      ekm handoff --from-terraform . --all
    """


@verb("adopt", runs="adopt:run", page="docs/adopt.md")
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


@verb("retire", runs="retire:run", page="docs/teardown.md")
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
