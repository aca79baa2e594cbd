"""Break the evaluator on purpose, one small change at a time, and see whether a test notices.

    python tools/mutation.py

A mutant is one change to the syntax tree of a module of ekm.policy or ekm.evaluation: a comparison
or a Boolean operator swapped, a negation dropped or added, a constant changed, a statement removed,
None returned. It lives in memory alone: each is imported and tested in a process of its own, the
decision tables first, then the unit tests of both packages. EKM_MUTANTS says how many (default
all), drawn with EKM_MUTATION_SEED (default 1). Wording of messages is not mutated.
"""

from __future__ import annotations

import ast
import copy
import importlib
import importlib.abc
import importlib.machinery
import os
import random
import signal
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import ModuleType

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = ROOT / "scripts"
PACKAGES = ("policy", "evaluation")
TESTS = [str(ROOT / "tests" / "unit" / name) for name in PACKAGES]
WORDING = {"MalformedPolicy", "OpenPoint", "BadCase", "ValueError"}
LIMIT = 120  # seconds a mutant may take; an endless loop is noticed too
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


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports the mutant in place of its module."""

    def __init__(self, mutant: Mutant) -> None:
        self.mutant = mutant

    def find_spec(
        self,
        name: str,
        path: Sequence[str] | None,  # noqa: ARG002 - the import system passes it
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> importlib.machinery.ModuleSpec | None:
        if name != self.mutant.module:
            return None
        package = self.mutant.path.name == "__init__.py"
        spec = importlib.machinery.ModuleSpec(
            name, self, origin=str(self.mutant.path), is_package=package
        )
        if package:
            spec.submodule_search_locations = [str(self.mutant.path.parent)]
        return spec

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self.mutant.code, str(self.mutant.path), "exec"), module.__dict__)


def survives(mutant: Mutant) -> bool:
    """Whether no test notices."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            signal.alarm(LIMIT)
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, 1)
            os.dup2(null, 2)
            sys.meta_path.insert(0, _Finder(mutant))
            os.environ["EKM_FUZZ_CASES"] = "2000"
            # Before pytest, whose import hook would take the module from its file.
            importlib.import_module(mutant.module)
            import pytest  # noqa: PLC0415

            options = [
                "-x",
                "-q",
                "-p",
                "no:ekm",
                "-p",
                "no:cacheprovider",
                "-p",
                "no:xdist",
                "-W",
                "ignore",
            ]
            order = [f"{TESTS[1]}/test_tables.py", f"{TESTS[1]}/test_model.py", *TESTS]
            code = int(pytest.main([*options, "--rootdir", str(ROOT), *order]))
        finally:
            os._exit(code)
    return os.waitpid(child, 0)[1] == 0


def main() -> None:
    """Run the sample, print survivors and score."""
    files = [path for name in PACKAGES for path in sorted((SCRIPTS / "ekm" / name).rglob("*.py"))]
    population = [mutant for path in files for mutant in mutants(path)]
    wanted = int(os.environ.get("EKM_MUTANTS", str(len(population))))
    seed = int(os.environ.get("EKM_MUTATION_SEED", "1"))
    sample = random.Random(seed).sample(population, min(wanted, len(population)))
    unchanged = Mutant(files[0], 0, "nothing", files[0].read_text(encoding="utf-8"))
    if not survives(unchanged):
        sys.exit("the tests fail without a mutant")
    print(f"{len(sample)} of {len(population)} mutants, seed {seed}", flush=True)
    began, seen = time.perf_counter(), Counter[bool]()
    with ProcessPoolExecutor(2) as pool:
        for mutant, survived in zip(sample, pool.map(survives, sample), strict=True):
            seen[survived] += 1
            if survived:
                place = f"{mutant.path.relative_to(ROOT)}:{mutant.line}"
                print(f"survived: {place}: {mutant.what}", flush=True)
            if seen.total() % 50 == 0:
                print(f"{seen[False]} of {seen.total()} noticed so far", flush=True)
    noticed = seen[False] / len(sample)
    taken = time.perf_counter() - began
    print(f"{seen[False]} of {len(sample)} noticed: {noticed:.1%}, in {taken:.0f} s")


if __name__ == "__main__":
    main()
