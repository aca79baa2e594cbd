"""Every small change that can be made to a module, by its syntax tree.

A comparison or a Boolean operator swapped, a negation dropped or added, a constant changed, a
statement removed, None returned. Wording of messages is left alone.
"""

from __future__ import annotations

import ast
import copy
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ROOT", "SCRIPTS", "Mutant", "mutants"]

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = ROOT / "scripts"
WORDING = {"MalformedPolicy", "OpenPoint", "BadCase", "ValueError", "members", "TypeVar"}
SWAPS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE,
    ast.GtE: ast.Gt, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """One change.

    Attributes:
        path: The module's file.
        line: Where.
        what: Which change.
        code: The module with it.
    """

    path: Path
    line: int
    what: str
    code: str

    @property
    def module(self) -> str:
        """The module's dotted name."""
        parts = self.path.relative_to(SCRIPTS).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def changes(  # noqa: C901 - a case for each kind of change
    node: ast.AST,
) -> Iterator[tuple[str, ast.AST]]:
    """What can be changed about one node, without its children."""
    made = copy.deepcopy(node)
    match made:
        case ast.Compare(ops=[first, *_]) if type(first) in SWAPS:
            made.ops[0] = SWAPS[type(first)]()
            yield f"{type(first).__name__} becomes {type(made.ops[0]).__name__}", made
        case ast.BoolOp():
            made.op = ast.Or() if isinstance(made.op, ast.And) else ast.And()
            yield f"operands joined by {type(made.op).__name__}", made
        case ast.UnaryOp(op=ast.Not()):
            yield "negation dropped", made.operand
        case ast.If() | ast.IfExp() | ast.While():
            made.test = ast.UnaryOp(ast.Not(), made.test)
            yield "condition negated", made
        case ast.Constant(value=bool()):
            yield "truth changed", ast.Constant(not made.value)
        case ast.Constant(value=int()):
            yield "number raised by one", ast.Constant(made.value + 1)  # type: ignore[operator]
        case ast.Constant(value=str(text)):
            yield f"text {text!r} changed", ast.Constant(f"{text}X")
        case ast.Return(value=value) if value is not None:
            if not (isinstance(value, ast.Constant) and value.value is None):
                yield "None returned", ast.Return(ast.Constant(None))
        case ast.Raise() | ast.AugAssign() | ast.Continue() | ast.Break():
            yield "statement removed", ast.Pass()
        case ast.Expr(value=ast.Call()):
            yield "statement removed", ast.Pass()


def mutants(path: Path) -> Iterator[Mutant]:
    """Every change to one module."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    yield from _inside(tree, tree, path)


def _inside(tree: ast.Module, node: ast.AST, path: Path) -> Iterator[Mutant]:
    for name, value in ast.iter_fields(node):
        many = isinstance(value, list)
        for index, child in enumerate(value if many else [value]):
            if not isinstance(child, ast.AST) or _left_alone(node, name, child):
                continue
            for what, changed in changes(child):
                setattr(
                    node, name, [*value[:index], changed, *value[index + 1 :]] if many else changed
                )
                code = ast.unparse(ast.fix_missing_locations(tree))
                setattr(node, name, value)
                yield Mutant(path, getattr(child, "lineno", 0), what, code)
            yield from _inside(tree, child, path)


def _left_alone(  # noqa: PLR0911 - a return for each kind
    node: ast.AST, field: str, child: ast.AST
) -> bool:
    """Annotations, decorators, docstrings, imports, exports, and the wording of messages."""
    if field in ("annotation", "returns", "decorator_list"):
        return True
    match child:
        case ast.Import() | ast.ImportFrom() | ast.JoinedStr():
            return True
        case ast.Expr(value=ast.Constant()):
            return True
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
        case ast.Assign(targets=[ast.Name(id="__all__" | "__slots__")]):
            return True
        case ast.Constant(value=str()) if isinstance(node, ast.Call):
            return isinstance(node.func, ast.Name) and node.func.id in WORDING
    return False
