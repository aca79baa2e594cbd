"""The names of the AWS provider that the module uses, read from its files."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import hcl2

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["FIXTURE", "REQUIREMENTS", "Block", "mocked_names", "module_blocks", "references"]

ROOT: Final = Path(__file__).resolve().parents[2]
FIXTURE: Final = ROOT / "tests" / "support" / "provider_6.json"
REQUIREMENTS: Final = ROOT / "requirements" / "provider-6.txt"
# Terraform's own, in every resource.
META: Final = {"count", "for_each", "provider", "depends_on", "lifecycle", "connection"}
META_BLOCKS: Final = META | {"provisioner"}

# `data.aws_region.current.id`, `aws_kms_key.this[0].arn`, `aws_kms_key.this[*].arn`
_REFERENCE: Final = re.compile(
    r"(?<![\w.])(?P<data>data\.)?(?P<type>aws_\w+)\.(?P<name>\w+)(?:\[[^\]]*\])?"
    r"(?:\.(?P<attribute>\w+))?"
)
# `for caller in data.aws_iam_session_context.caller : … caller.issuer_arn`
_LOOP: Final = re.compile(
    r"\bfor\s+(?:\w+\s*,\s*)?(?P<each>\w+)\s+in\s+(?P<data>data\.)?(?P<type>aws_\w+)\.\w+\s*:"
)
_SELF: Final = re.compile(r"(?<![\w.])self\.(\w+)")


@dataclass(frozen=True, slots=True)
class Block:
    """A resource or data source of the provider.

    Attributes:
        file: Where it stands, relative to the repository.
        kind: `resource` or `data`.
        type: As `aws_kms_key`.
        names: Its arguments and blocks, without Terraform's own.
        nested: The arguments and blocks of its blocks, at any depth.
        reads: The attributes that it reads of itself (`self.arn`).
    """

    file: str
    kind: str
    type: str
    names: frozenset[str]
    nested: frozenset[str]
    reads: frozenset[str]

    @property
    def kind_and_type(self) -> tuple[str, str]:
        """As the fixture orders them."""
        return self.kind, self.type

    @staticmethod
    def file_name(kind: str, type_: str) -> str:
        """The name of the file in the bindings, without its ending."""
        return ("data-" if kind == "data" else "") + type_.replace("_", "-")


def module_files(root: Path) -> list[Path]:
    """Every Terraform file of the module and the modules in it."""
    return sorted([*root.glob("*.tf"), *root.glob("modules/**/*.tf")])


def module_blocks(root: Path) -> list[Block]:
    """Every resource and data source of the provider that the module has."""
    return [
        Block(
            file.relative_to(root).as_posix(),
            kind,
            type_,
            frozenset(_names(body)),
            frozenset(_nested(body)),
            frozenset(_SELF.findall("\n".join(_texts(body)))),
        )
        for file in module_files(root)
        for kind in ("resource", "data")
        for entry in _parsed(file).get(kind, ())
        for type_, named in entry.items()
        if _plain(type_).startswith("aws_")
        for body in named.values()
        for type_ in (_plain(type_),)
    ]


def references(root: Path) -> Iterator[tuple[str, str, str, str | None]]:
    """Every place that reads a resource or data source: file, kind, type, attribute.

    The attribute is None where the whole is read. `depends_on`, which reads nothing, is left out.
    """
    for file in module_files(root):
        where = file.relative_to(root).as_posix()
        for text in _texts(_parsed(file)):
            for loop in _LOOP.finditer(text):
                kind = "data" if loop["data"] else "resource"
                for attribute in re.findall(rf"(?<![\w.]){loop['each']}\.(\w+)", text):
                    yield where, kind, loop["type"], attribute
            for found in _REFERENCE.finditer(_LOOP.sub("", text)):
                kind = "data" if found["data"] else "resource"
                yield where, kind, found["type"], found["attribute"]


def mocked_names(file: Path) -> Iterator[tuple[str, str, str]]:
    """Every attribute that a file of mocks gives a value: kind, type, attribute."""
    parsed = _parsed(file)
    for block, kind in (("mock_resource", "resource"), ("mock_data", "data")):
        for entry in parsed.get(block, ()):
            for type_, body in entry.items():
                for name in body["defaults"]:
                    yield kind, _plain(type_), _plain(name)


@cache
def _parsed(file: Path) -> dict[str, Any]:
    parsed: dict[str, Any] = hcl2.loads(file.read_text(encoding="utf-8"))
    return parsed


def _plain(name: str) -> str:
    """A label or a name without the quotation marks that the reader may leave on it."""
    return name.strip('"')


def _names(body: dict[str, Any]) -> set[str]:
    names = {name for name in body if not name.startswith("__")} - META_BLOCKS
    return names - {"dynamic"} | {
        _plain(name) for block in body.get("dynamic", ()) for name in block
    }


def _nested(body: dict[str, Any]) -> Iterator[str]:
    """The names in the blocks of a body; a map that is an argument has none of the provider's."""
    for inner in _blocks(body):
        yield from _names(inner)
        yield from _nested(inner)


def _blocks(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The bodies of the blocks in a body, those that `dynamic` makes included."""
    for name, value in body.items():
        if name in META_BLOCKS or name.startswith("__") or not isinstance(value, list):
            continue
        for each in value:
            if name == "dynamic":
                for made in each.values():
                    yield from made["content"]
            elif isinstance(each, dict):
                yield each


def _texts(value: Any) -> Iterator[str]:
    """Every text in a parsed file but those of `depends_on`; expressions are texts, too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, member in value.items():
            if key != "depends_on":
                yield from _texts(key)
                yield from _texts(member)
    elif isinstance(value, list):
        for member in value:
            yield from _texts(member)
