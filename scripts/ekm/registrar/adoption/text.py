"""An adoption as HCL to paste, and in words. Pure."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ekm.registrar.adoption.plan import Adoption

__all__ = ["hcl", "import_blocks", "module_block", "words"]

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# The last call of an address.
_CALL: Final = re.compile(r"module\.(?P<name>[A-Za-z0-9_-]+)(?:\[(?P<key>[^\]]+)\])?$")


def import_blocks(adoption: Adoption) -> str:
    """The `import` blocks, for a file of the root module."""
    return "\n\n".join(
        f"import {{\n  to = {block.to}\n  id = {hcl(block.id)}\n}}" for block in adoption.imports
    )


def module_block(adoption: Adoption) -> str:
    """The call of the module with the values of today; an instance of a fleet as its values."""
    values = adoption.variables
    last = _CALL.search(adoption.module_address)
    name, key = (last["name"], last["key"]) if last else ("ekm", None)
    body = _members({"source": "SOURCE", **values}, 1).replace(
        '"SOURCE"', '"…"  # as in the README'
    )
    head = f'module "{name}" {{'
    if key:
        head = f"# The values of {adoption.module_address}; give them by each.value.\n{head}"
    return f"{head}\n{body}\n}}"


def words(adoption: Adoption) -> str:
    """What will happen, in the order that interrupts nothing."""
    lines = ["In this order nothing is interrupted:"]
    steps: list[str] = []
    if adoption.before:
        steps.append(
            "The role has no policy of its own that lets it use the key, so the key policy must "
            "not be narrowed before it has one. Run this, and give IAM some minutes to settle:\n"
            + "\n".join(f"     {command}" for command in adoption.before)
        )
    steps.append(
        f"Put these blocks into the root module and run `terraform plan`. It must say "
        f"{len(adoption.imports)} to import and 0 to destroy, and replace nothing: else stop."
    )
    steps.append("`terraform apply`, then `ekm validate`.")
    steps += adoption.after
    steps.append("Take the import blocks out; they have done their work.")
    lines += [f"  {number}. {step}" for number, step in enumerate(steps, 1)]
    lines.append("What the first plan may show beside the imports:")
    lines += [f"  {it.action:6} {it.address}: {it.what}" for it in adoption.changes]
    lines += [f"Note: {notice}" for notice in adoption.notices]
    return "\n".join(lines)


def hcl(value: Any, depth: int = 0) -> str:
    """A value as HCL spells it, `${` and `%{` taken literally."""
    match value:
        case bool() | None:
            return json.dumps(value)
        case str():
            text = json.dumps(value, ensure_ascii=False)
            return text.replace("${", "$${").replace("%{", "%%{")
        case dict():
            if not value:
                return "{}"
            return "{\n" + _members(value, depth + 1) + "\n" + "  " * depth + "}"
        case list() | tuple():
            return "[" + ", ".join(hcl(item, depth) for item in value) + "]"
        case _:
            return str(value)


def _members(values: Mapping[str, Any], depth: int) -> str:
    """Members of an object, aligned as `terraform fmt` does for those on one line."""
    named = {key if _NAME.fullmatch(key) else hcl(key): value for key, value in values.items()}
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
