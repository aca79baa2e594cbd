"""An adoption as HCL to paste, and in words. Pure."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from openai_ekm.printable import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openai_ekm.adoption.plan import Adoption

__all__ = ["hcl", "import_blocks", "module_block", "output_block", "words"]

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# The last call of an address.
_CALL: Final = re.compile(r"module\.(?P<name>[A-Za-z0-9_-]+)(?:\[(?P<key>[^\]]+)\])?$")


_TEMPLATE: Final = re.compile(r"(?:\$+|%+)\{")
# What HCL reads as something else than a name where a key of an object stands.
_NOT_NAMES: Final = frozenset({"for", "true", "false", "null"})


@dataclass(frozen=True, slots=True)
class _Written:
    """HCL already, not a value."""

    text: str

    def __str__(self) -> str:
        return self.text


def import_blocks(adoption: Adoption) -> str:
    """Return the `import` blocks, for a file of the root module."""
    return "\n\n".join(
        f"import {{\n  to = {block.to}\n  id = {hcl(block.id)}\n}}" for block in adoption.imports
    )


def module_block(adoption: Adoption, source: str | None = None) -> str:
    """Return the call of the module with the values of today.

    Args:
        adoption: What is adopted; an instance of a fleet becomes a fleet of one.
        source: Address of the module; None for a place to fill in.
    """
    name, key = _call(adoption)
    where = source or _Written('"…"  # the address of the module, as in the README')
    values: dict[str, Any] = {"source": where}
    if key and key.isdigit():
        values["count"] = _Written(str(int(key) + 1))
    elif key:
        values["for_each"] = _Written(f"toset([{key}])")
    head = f'module "{name}" {{'
    if "." in adoption.module_address.removeprefix("module."):
        head = f"# Where {adoption.module_address} is called.\n{head}"
    elif key:
        head = f"# A fleet of one; give further instances their values by each.value.\n{head}"
    return f"{head}\n{_members({**values, **adoption.variables}, 1)}\n}}"


def output_block(adoption: Adoption) -> str:
    """Return the output that the commands with `--from-terraform` read."""
    name, _ = _call(adoption)
    return f'output "ekm" {{\n  value = module.{name}\n}}'


def _call(adoption: Adoption) -> tuple[str, str | None]:
    """Name of the module call, and its key as HCL where it is one instance of several."""
    last = _CALL.search(adoption.module_address)
    return (last["name"], last["key"]) if last else ("ekm", None)


def words(adoption: Adoption, record: str) -> list[str]:
    """Return one line for each thing that will happen, in the order that interrupts nothing.

    Args:
        adoption: What is adopted.
        record: Where its record is, as `--record` takes it.
    """
    steps: list[str] = []
    if adoption.before:
        steps.append(
            "The role has no policy of its own that lets it use the key, so the key policy must "
            "not be narrowed before it has one. Run this, and give IAM some minutes to settle:"
        )
    steps.append(
        "Put these blocks into the root module; run `terraform init`, then `terraform plan`. It "
        f"must say {len(adoption.imports)} to import and 0 to destroy, and replace nothing: else "
        "stop."
    )
    steps.append(f"`terraform apply`, then `ekm validate --record {shlex.quote(record)}`.")
    steps += adoption.after
    steps.append("Take the import blocks out; they have done their work.")
    numbered = [f"  {number}. {step}" for number, step in enumerate(steps, 1)]
    commands = [f"     {command}" for command in adoption.before]  # of the first step
    lines = ["In this order nothing is interrupted:", numbered[0], *commands, *numbered[1:]]
    lines.append("What the first plan may show beside the imports:")
    lines += [f"  {it.action:6} {it.address}: {it.what}" for it in adoption.changes]
    lines += [f"Note: {notice}" for notice in adoption.notices]
    return lines


def hcl(value: Any, depth: int = 0) -> str:
    """Return a value as HCL spells it, with escapes for what begins a template or is not seen.

    Source: https://github.com/hashicorp/hcl/blob/main/hclsyntax/spec.md#template-expressions
    """
    match value:
        case bool() | None:
            return json.dumps(value)
        case str():
            text = json.dumps(value, ensure_ascii=False).replace("\\\\", "\0")
            # JSON's \b and \f are no escapes of HCL's.
            text = text.replace("\\b", "\\u0008").replace("\\f", "\\u000c").replace("\0", "\\\\")
            text = _TEMPLATE.sub(_literally, text)
            return printable(text)
        case dict():
            if not value:
                return "{}"
            return "{\n" + _members(value, depth + 1) + "\n" + "  " * depth + "}"
        case list() | tuple():
            return "[" + ", ".join(hcl(item, depth) for item in value) + "]"
        case _:
            return str(value)


def _literally(found: re.Match[str]) -> str:
    """Return the beginning of a template as text: `$${` for `${`, but not after another `$`."""
    signs = found[0][:-1]
    return f"{signs}{found[0]}" if len(signs) == 1 else f"{signs[1:]}\\u00{ord(signs[0]):x}{{"


def _members(values: Mapping[str, Any], depth: int) -> str:
    """Return members of an object, aligned as `terraform fmt` does for those on one line."""
    named = {
        key if _NAME.fullmatch(key) and key not in _NOT_NAMES else hcl(key): value
        for key, value in values.items()
    }
    texts = {name: hcl(value, depth) for name, value in named.items()}
    lines: list[str] = []
    group: list[str] = []

    def close() -> None:
        width = max((len(name) for name in group), default=0)
        lines.extend(f"{'  ' * depth}{name.ljust(width)} = {texts[name]}" for name in group)
        group.clear()

    for name in named:
        if "\n" in texts[name]:
            close()
            lines.append(f"{'  ' * depth}{name} = {texts[name]}")
        else:
            group.append(name)
    close()
    return "\n".join(lines)
