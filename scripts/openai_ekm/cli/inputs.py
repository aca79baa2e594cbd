"""Gather the inputs of the registrar's verbs: options, environment, Terraform's outputs.

A value comes from the command line, else from the environment (an empty variable counts as
unset), else from Terraform's outputs.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from openai_ekm import terraform
from openai_ekm.arns import account_of
from openai_ekm.cli import render
from openai_ekm.cli.options import ArnOptions, IdentifierOptions, IntentOptions, PlaceOptions
from openai_ekm.errors import BadInput
from openai_ekm.json_reader import UnreadableJsonError, read_content, read_json
from openai_ekm.openai_api import tls
from openai_ekm.registration.intent import Intent, check_project, check_role_arn

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openai_ekm.cli.options import AllOptions, TerraformOptions
    from openai_ekm.openai_api.tls import ClientCertificate

__all__ = [
    "Given",
    "Outputs",
    "client_certificate",
    "gather",
    "gather_each",
    "missing",
    "outputs_source",
    "parse_outputs",
    "read_outputs",
    "secret_variable",
    "text_variable",
    "useless",
    "useless_beside",
]


def outputs_source(source: str) -> str:
    """Return where outputs come from, for messages."""
    return "standard input" if source == "-" else f"terraform output in {source}"


def read_outputs(source: str) -> dict[str, Any]:
    """Return what `terraform output -json` prints, in a folder or on standard input, decoded.

    Raises:
        BadInput: It cannot be read, or is no JSON object.
    """
    if source == "-":
        try:
            content = read_content("-")
        except OSError as failure:
            raise BadInput(
                "terraform_outputs_malformed",
                f"standard input cannot be read: {failure.strerror}.",
                at_fault="--from-terraform",
                remedy="Pipe: terraform output -json | ekm … --from-terraform -",
            ) from None
    else:
        folder = Path(source)
        render.progress(f"Reading Terraform's outputs in {os.path.realpath(folder)}.")
        with render.waiting("Waiting for Terraform"):
            content = terraform.run_output(folder)
    outputs, notice = terraform.read_outputs(content, outputs_source(source))
    if notice is not None:
        render.progress(notice)
    return outputs


_TEXTS: Final = ("role_arn", "kms_arn", "external_id", "name", "record", "external_key_id")


@dataclass(frozen=True, slots=True)
class Outputs:
    """The outputs that a registration is made of; what is not there is None."""

    role_arn: str | None = None
    kms_arn: str | None = None
    external_id: str | None = None
    name: str | None = None
    record: str | None = None
    external_key_id: str | None = None
    projects: tuple[str, ...] | None = None


def parse_outputs(found: Mapping[str, Any], source: str) -> Outputs:
    """Read the outputs of one instance of the module.

    Args:
        found: Names to values, as `openai_ekm.terraform.select_instance` gives them.
        source: Where they came from, for messages.

    Raises:
        BadInput: None of the module's outputs is in it, or one has another form.
    """
    if not found.get("role_arn") and not found.get("kms_arn"):
        raise BadInput(
            "terraform_outputs_missing",
            f"{source} has neither role_arn nor kms_arn, nor an output ekm that has them.",
            at_fault="--from-terraform",
            remedy='Apply first; a root that calls the module needs: output "ekm" { value = '
            "module.ekm }",
        )
    texts = {name: _text(found, name, source) for name in _TEXTS}
    return Outputs(**texts, projects=_projects(found.get("projects"), source))


def _text(found: Mapping[str, Any], name: str, source: str) -> str | None:
    value = found.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise _bad(source, f"has the output {name} that is not text")
    return value


def _projects(value: object, source: str) -> tuple[str, ...] | None:
    if value is None:
        return None
    names = list(value) if isinstance(value, list | dict) else None
    if names is None or not all(isinstance(name, str) for name in names):
        raise _bad(source, "has the output projects that is no list of names")
    return tuple(names)


def _bad(source: str, wrong: str) -> BadInput:
    return BadInput(
        "terraform_outputs_malformed",
        f"{source} {wrong}.",
        at_fault="--from-terraform",
        remedy="Give what `terraform output -json` prints, whole.",
    )


@dataclass(frozen=True, slots=True)
class Given:
    """The members of an intent that were given in any way; None where nothing was.

    `outputs` is what Terraform's outputs alone say, whatever else was given.
    """

    role_arn: str | None
    kms_arn: str | None
    external_id: str | None
    name: str | None
    record: str | None
    projects: tuple[str, ...]
    outputs: Outputs

    def intent(self) -> Intent:
        """Return the intent, whole.

        Raises:
            BadInput: A member is missing or malformed.
        """
        for member, value in self.intent_members().items():
            if value is None:
                raise missing(member)
        return Intent(
            role_arn=self.role_arn or "",
            kms_arn=self.kms_arn or "",
            external_id=self.external_id or "",
            name=self.name or "",
        )

    def intent_if_any(self) -> Intent | None:
        """Return the intent, or None when no member was given."""
        if all(value is None for value in self.intent_members().values()):
            return None
        return self.intent()

    def account(self) -> str | None:
        """Return the account that the AWS credentials must be of, where the role is known.

        Raises:
            BadInput: The role's ARN is malformed.
        """
        if self.role_arn is None:
            return None
        check_role_arn(self.role_arn)
        return account_of(self.role_arn)

    def intent_members(self) -> dict[str, str | None]:
        """Return the four members of the intent, by name."""
        return {
            "role_arn": self.role_arn,
            "kms_arn": self.kms_arn,
            "external_id": self.external_id,
            "name": self.name,
        }


def missing(
    member: str, *, variable: str | None = None, also: str = "", remedy: str | None = None
) -> BadInput:
    """Return the error of a member that nothing gives.

    Args:
        member: Its name, such as `role_arn`.
        variable: The environment variable that was looked at, where it is not its own.
        also: What else was looked at, as `, nor in a record`.
        remedy: What to do; None names the option and Terraform's outputs.
    """
    option = "--" + member.replace("_", "-")
    return BadInput(
        "option_missing",
        f"{option} is missing: neither given, nor in {variable or f'EKM_{member.upper()}'}, nor "
        f"in Terraform's outputs{also}.",
        at_fault=option,
        remedy=remedy or f"Give {option}, or --from-terraform DIR after an apply.",
    )


def useless(option: str, message: str, remedy: str = "Leave one of the two out.") -> BadInput:
    """Return the error of an option that means nothing beside the others."""
    return BadInput("option_useless", message, at_fault=option, remedy=remedy)


def useless_beside(option: str, other: str) -> BadInput:
    """Return the error of an option that means nothing beside another."""
    return useless(option, f"{option} means nothing beside {other}.")


def gather(
    options: TerraformOptions,
    *,
    outputs: Mapping[str, Any] | None = None,
    projects: tuple[str, ...] = (),
) -> Given:
    """Fill in from the environment and Terraform's outputs, and check the projects' names.

    Args:
        options: The verb's.
        outputs: What was read at `--from-terraform` already.
        projects: Names that were given.

    Raises:
        BadInput: The outputs cannot be read, or a project's name is malformed.
    """
    source = options.from_terraform
    if source is None:
        if options.module is not None:
            raise _useless_without("--module", "--from-terraform")
        return _given(Outputs(), projects, _named(options))
    printed = read_outputs(source) if outputs is None else outputs
    where = outputs_source(source)
    found = parse_outputs(terraform.select_instance(printed, where, options.module), where)
    return _given(found, projects, _named(options))


def gather_each(options: AllOptions) -> dict[str | None, Given]:
    """Do as `gather` does, for one instance or for every one.

    Args:
        options: The verb's.

    Returns:
        The one instance under None; with `every` each under its name, a single one under `ekm`.

    Raises:
        BadInput: As `gather`; or what says one instance was given beside `--all`.
    """
    if not options.every:
        return {None: gather(options)}
    if options.from_terraform is None:
        raise _useless_without("--all", "--from-terraform")
    for name, value in {"module": options.module, **_named(options)}.items():
        if value is not None:
            option = "--" + name.replace("_", "-")
            raise useless(
                option,
                f"{option} says one instance, and --all means every one.",
                f"Leave {option} out (and the variable EKM_{name.upper()}), or --all.",
            )
    source = outputs_source(options.from_terraform)
    instances = terraform.module_instances(read_outputs(options.from_terraform))
    return {
        name or "ekm": _given(parse_outputs(one, source), (), {}) for name, one in instances.items()
    }


def _named(options: TerraformOptions) -> dict[str, str | None]:
    """Return the members of `Given` that the verb has options for, as they were given."""
    members: dict[str, str | None] = {}
    if isinstance(options, ArnOptions):
        members |= {"role_arn": options.role_arn, "kms_arn": options.kms_arn}
    if isinstance(options, IdentifierOptions):
        members["external_id"] = options.external_id
    if isinstance(options, IntentOptions):
        members["name"] = options.name
    if isinstance(options, PlaceOptions):
        members["record"] = options.record
    return members


def _given(outputs: Outputs, projects: tuple[str, ...], given: Mapping[str, str | None]) -> Given:
    wanted = projects or _projects_variable()
    if wanted is None:
        wanted = outputs.projects or ()
    for project in wanted:
        check_project(project)
    members = {
        name: getattr(outputs, name) if given.get(name) is None else given[name]
        for name in ("role_arn", "kms_arn", "external_id", "name", "record")
    }
    return Given(**members, projects=tuple(dict.fromkeys(wanted)), outputs=outputs)


def _useless_without(option: str, needed: str) -> BadInput:
    message = f"{option} means nothing without {needed}."
    return useless(option, message, f"Add {needed}, or leave {option} out.")


def text_variable(name: str) -> str | None:
    """Return the value of an environment variable; an empty one counts as unset."""
    return os.environ.get(name) or None


def secret_variable(name: str) -> str | None:
    """Return an environment variable and hide it from the children of this process from now on.

    A `credential_process` of the AWS configuration, for one, would inherit it. When the command
    ends the variable is put back, for the caller in this process.
    """
    context = click.get_current_context(silent=True)
    if context is None:
        return text_variable(name)
    key = f"ekm.secret.{name}"
    if key not in context.meta:
        context.meta[key] = os.environ.pop(name, None)
        context.find_root().call_on_close(lambda: _put_back(name, context.meta[key]))
    value: str | None = context.meta[key]
    return value or None


def _put_back(name: str, value: str | None) -> None:
    if value is not None:
        os.environ.setdefault(name, value)


def _projects_variable() -> tuple[str, ...] | None:
    text = text_variable("EKM_PROJECTS")
    if text is None:
        return None

    try:
        value = read_json(text)
    except UnreadableJsonError:
        value = None
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise BadInput(
            "projects_malformed",
            f"EKM_PROJECTS is {text[:80]!r}; it must be a JSON list of names.",
            at_fault="EKM_PROJECTS",
            remedy='Set it to a list as in ["prod"], or use --project NAME.',
        )
    return tuple(value)


def client_certificate() -> ClientCertificate | None:
    """Return the certificate that the options or the environment of this run name.

    Raises:
        BadInput: A key without a certificate.
    """
    context = click.get_current_context(silent=True)
    given = context.meta if context else {}
    return tls.client_certificate(
        given.get("ekm.mtls_cert") or text_variable(tls.CERTIFICATE_VARIABLE),
        given.get("ekm.mtls_key") or text_variable(tls.KEY_VARIABLE),
    )
