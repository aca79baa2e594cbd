"""Read the module's outputs after an apply, as `terraform output -json` prints them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from openai_ekm.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Outputs", "parse"]

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


def parse(found: Mapping[str, Any], source: str) -> Outputs:
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
