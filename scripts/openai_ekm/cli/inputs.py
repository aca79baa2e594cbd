"""Gather the inputs of the registrar's verbs: options, environment, Terraform's outputs.

A value comes from the command line, else from the environment (an empty variable counts as
unset), else from Terraform's outputs.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from openai_ekm import terraform
from openai_ekm.arns import account_of
from openai_ekm.cli.terraform_outputs import outputs_source, read_outputs
from openai_ekm.errors import BadInput
from openai_ekm.json_reader import UnreadableJsonError, read_json
from openai_ekm.openai_api import tls
from openai_ekm.registration import from_terraform
from openai_ekm.registration.intent import Intent, check_project, check_role_arn

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openai_ekm.openai_api.tls import ClientCertificate

__all__ = [
    "Given",
    "client_certificate",
    "gather",
    "gather_each",
    "secret_variable",
    "text_variable",
]


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
    outputs: from_terraform.Outputs

    def intent(self) -> Intent:
        """Return the intent, whole.

        Raises:
            BadInput: A member is missing or malformed.
        """
        for member, value in self._members().items():
            if value is None:
                option = "--" + member.replace("_", "-")
                raise BadInput(
                    "option_missing",
                    f"{option} is missing: neither given, nor in EKM_{member.upper()}, nor in "
                    "Terraform's outputs.",
                    at_fault=option,
                    remedy=f"Give {option}, or --from-terraform DIR after an apply.",
                )
        return Intent(
            role_arn=self.role_arn or "",
            kms_arn=self.kms_arn or "",
            external_id=self.external_id or "",
            name=self.name or "",
        )

    def intent_if_any(self) -> Intent | None:
        """Return the intent, or None when no member was given."""
        if all(value is None for value in self._members().values()):
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

    def _members(self) -> dict[str, str | None]:
        return {
            "role_arn": self.role_arn,
            "kms_arn": self.kms_arn,
            "external_id": self.external_id,
            "name": self.name,
        }


def gather(
    *,
    from_terraform: str | None = None,
    outputs: Mapping[str, Any] | None = None,
    module: str | None = None,
    projects: tuple[str, ...] = (),
    **given: str | None,
) -> Given:
    """Fill in from the environment and Terraform's outputs, and check the projects' names.

    Args:
        from_terraform: Where outputs are read, or were.
        outputs: What was read there already.
        module: Name of the instance, where the outputs have several.
        projects: Names that were given.
        given: Members of `Given` that were given.

    Raises:
        BadInput: The outputs cannot be read, or a project's name is malformed.
    """
    if from_terraform is None:
        if module is not None:
            raise _useless("--module", "--from-terraform")
        return _given({}, "", projects, given)
    printed = read_outputs(from_terraform) if outputs is None else outputs
    source = outputs_source(from_terraform)
    return _given(terraform.select_instance(printed, source, module), source, projects, given)


def gather_each(
    *, from_terraform: str | None, module: str | None, every: bool, **given: Any
) -> dict[str | None, Given]:
    """Do as `gather` does, for one instance or for every one.

    Args:
        from_terraform: Where outputs are read.
        module: Name of one instance.
        every: Whether all are meant.
        given: As for `gather`.

    Returns:
        The one instance under None; with `every` each under its name, a single one under `ekm`.

    Raises:
        BadInput: As `gather`; or what says one instance was given beside `every`.
    """
    if not every:
        return {None: gather(from_terraform=from_terraform, module=module, **given)}
    if from_terraform is None:
        raise _useless("--all", "--from-terraform")
    for name, value in {"module": module, **given}.items():
        if value is not None:
            option = "--" + name.replace("_", "-")
            raise BadInput(
                "option_useless",
                f"{option} says one instance, and --all means every one.",
                at_fault=option,
                remedy=f"Leave {option} out (and the variable EKM_{name.upper()}), or --all.",
            )
    source = outputs_source(from_terraform)
    instances = terraform.module_instances(read_outputs(from_terraform))
    return {name or "ekm": _given(one, source, (), {}) for name, one in instances.items()}


def _given(
    outputs: Mapping[str, Any],
    source: str,
    projects: tuple[str, ...],
    given: Mapping[str, str | None],
) -> Given:

    found = from_terraform.parse(outputs, source) if source else from_terraform.Outputs()
    wanted = projects or _projects_variable()
    if wanted is None:
        wanted = found.projects or ()
    for project in wanted:
        check_project(project)
    members = {
        name: getattr(found, name) if given.get(name) is None else given[name]
        for name in ("role_arn", "kms_arn", "external_id", "name", "record")
    }
    return Given(
        **members,
        projects=tuple(dict.fromkeys(wanted)),
        outputs=found,
    )


def _useless(option: str, needed: str) -> BadInput:
    return BadInput(
        "option_useless",
        f"{option} means nothing without {needed}.",
        at_fault=option,
        remedy=f"Add {needed}, or leave {option} out.",
    )


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
