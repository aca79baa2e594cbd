"""The configuration in a plan, and the instance that a value may come from by its references.

A value that a plan does not know yet can be the role or the key of an instance of the module. The
configuration in the plan says what the value is made of. Terraform does not show what a `local`
value refers to, so a value that is made of one may come from anywhere.

Source: https://developer.hashicorp.com/terraform/internals/json-format
(configuration, references)
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

__all__ = ["may_come_from", "written_arguments"]

# A resource of these types makes its own role or key: what refers to it is not the module's.
_MAKERS: Final = frozenset(
    {
        "aws_iam_role",
        "aws_kms_external_key",
        "aws_kms_key",
        "aws_kms_replica_external_key",
        "aws_kms_replica_key",
    }
)
# Of such a resource, what tells it: its other arguments can be made of anything.
_IDENTITY: Final = frozenset({"arn", "id", "key_id", "name", "unique_id"})
_NEVER: Final = frozenset({"count", "path", "self", "terraform"})
# Sources whose result is made of their arguments and of the account alone.
_PLAIN_SOURCES: Final = frozenset(
    {"aws_caller_identity", "aws_iam_policy_document", "aws_partition", "aws_region"}
)
# Deeper chains of modules and variables may come from anywhere.
_DEEPEST: Final = 20
_INDEX: Final = re.compile(r'\[(?:"(?:[^"\\]|\\.)*"|[^"\]]*)\]')
# One part of an address or a reference, with its index: what stands between two dots.
_SEGMENT: Final = re.compile(rf"[^.\[]+(?:{_INDEX.pattern})*")


def may_come_from(
    instance: str,
    plan: Mapping[str, Any],
    address: str,
    argument: str,
    other_instances: Iterable[str] = (),
) -> bool:
    """Return whether an argument of a resource may be made of an instance of the module.

    Args:
        instance: Address of the instance; empty for the module as the root.
        plan: `terraform show -json PLAN`, decoded.
        address: Address of the resource.
        argument: Name of its argument.
        other_instances: Addresses of the module's other instances: their outputs are their own.
    """
    modules, rest = split_address(address)
    resource = resource_configuration(plan, modules, without_index(rest))
    expressions = resource.get("expressions") or {}
    if resource and argument not in expressions:
        return False  # the provider makes it
    expression = expressions.get(argument)
    each_of = resource.get("for_each_expression")
    others = tuple(split_address(each)[0] for each in other_instances)
    return _Search(plan, split_address(instance)[0], others).expression(
        modules, expression, each_of
    )


class _Search:
    """One search for an instance; `modules` is where an expression stands."""

    def __init__(
        self,
        plan: Mapping[str, Any],
        instance: tuple[str, ...],
        others: tuple[tuple[str, ...], ...],
    ) -> None:
        self.plan = plan
        self.instance = instance
        self.others = others
        self.depth = 0

    def expression(
        self, modules: tuple[str, ...], expression: Any, each_of: Any, taken: str | None = None
    ) -> bool:
        """Return whether an expression may be made of the instance.

        Args:
            modules: Where it stands.
            expression: As the configuration has it.
            each_of: The expression of `for_each` beside it.
            taken: The argument that is taken of a resource that it names as a whole.
        """
        if isinstance(expression, Mapping) and "constant_value" in expression:
            return False
        references = expression.get("references") if isinstance(expression, Mapping) else None
        if not references or self.depth > _DEEPEST:
            return True
        self.depth += 1
        found = any(self._reference(modules, each, each_of, taken) for each in _longest(references))
        self.depth -= 1
        return found

    def _reference(
        self, modules: tuple[str, ...], reference: str, each_of: Any, taken: str | None
    ) -> bool:
        head, *rest = _SEGMENT.findall(reference)
        if head in _NEVER:
            return False
        if head == "each":
            of_each = rest[1] if len(rest) > 1 else "id"
            return each_of is None or self.expression(modules, each_of, None, of_each)
        if rest and (head == "module" or (head == "var" and modules)):
            follow = self._variable if head == "var" else self._output
            return follow(modules, rest)
        if head == "data" and len(rest) > 1:
            return self._data(modules, f"data.{without_index(rest[0])}.{without_index(rest[1])}")
        inside = _is_same(self.instance, modules[: len(self.instance)])
        if inside or head not in _MAKERS or not rest:
            return True
        argument = without_index(rest[1]) if len(rest) > 1 else taken
        return argument not in _IDENTITY and self._argument(modules, head, rest[0], argument)

    def _argument(
        self, modules: tuple[str, ...], type: str, name: str, argument: str | None
    ) -> bool:
        """Return whether an argument of another role or key may be made of the instance."""
        maker = resource_configuration(self.plan, modules, f"{type}.{without_index(name)}")
        given = (maker.get("expressions") or {}).get(argument)
        return given is None or self.expression(modules, given, maker.get("for_each_expression"))

    def _data(self, modules: tuple[str, ...], address: str) -> bool:
        """Return whether a data source may be made of the instance: any argument of it."""
        inside = _is_same(self.instance, modules[: len(self.instance)])
        source = resource_configuration(self.plan, modules, address)
        if inside or not source or self.depth > _DEEPEST:
            return True
        if source.get("type") not in _PLAIN_SOURCES:
            return True
        self.depth += 1
        each_of = source.get("for_each_expression")
        expressions = _expressions(source.get("expressions") or {})
        found = any(self.expression(modules, each, each_of) for each in expressions)
        self.depth -= 1
        return found

    def _variable(self, modules: tuple[str, ...], rest: list[str]) -> bool:
        name = without_index(rest[0])
        parent = modules[:-1]
        call = (module_configuration(self.plan, parent).get("module_calls") or {}).get(
            without_index(modules[-1])
        ) or {}
        given = (call.get("expressions") or {}).get(name)
        # Without one, the variable has its default, which is made of nothing.
        return given is not None and self.expression(parent, given, call.get("for_each_expression"))

    def _output(self, modules: tuple[str, ...], rest: list[str]) -> bool:
        child = (*modules, rest[0])
        if _is_same(self.instance, child):
            return True
        if len(child) == len(self.instance) and all(map(_is_alike, self.instance, child)):
            return False  # another instance of the same call
        if any(_is_same(each, child) for each in self.others):
            return False
        outputs = module_configuration(self.plan, child).get("outputs") or {}
        output = outputs.get(without_index(rest[1])) if len(rest) > 1 else None
        return output is None or self.expression(child, output.get("expression"), None)


def _expressions(value: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the expressions of arguments and of blocks at any depth."""
    if isinstance(value, Mapping):
        if "constant_value" in value or "references" in value:
            yield value
        else:
            for each in value.values():
                yield from _expressions(each)
    elif isinstance(value, list):
        for each in value:
            yield from _expressions(each)


def _longest(references: list[str]) -> list[str]:
    """Return the references without those that another one begins with."""
    return [
        each
        for each in references
        if not any(other.startswith((f"{each}.", f"{each}[")) for other in references)
    ]


def _is_same(instance: tuple[str, ...], modules: tuple[str, ...]) -> bool:
    """Return whether modules may be those of the instance: an index that is not told fits any."""
    return len(instance) == len(modules) and all(
        one == other or (without_index(one) == other)
        for one, other in zip(instance, modules, strict=True)
    )


def _is_alike(one: str, other: str) -> bool:
    return without_index(one) == without_index(other)


def written_arguments(plan: Mapping[str, Any], address: str) -> Mapping[str, Any] | None:
    """Return the expressions of a resource's arguments.

    Args:
        plan: `terraform show -json PLAN`, decoded.
        address: Address of the resource, without an index of its own.

    Returns:
        By argument; empty for a resource that is not in the configuration. None where the plan
        has no configuration.
    """
    if not isinstance(plan.get("configuration"), Mapping):
        return None
    arguments = resource_configuration(plan, *split_address(address)).get("expressions")
    return arguments if isinstance(arguments, Mapping) else {}


def resource_configuration(
    plan: Mapping[str, Any], modules: tuple[str, ...], address: str
) -> Mapping[str, Any]:
    """Return the configuration of a resource or data source; empty where the plan has none.

    Args:
        plan: As for `written_arguments`.
        modules: Those that it stands in, the outermost first; an index of theirs is passed over.
        address: Its address in the innermost one.
    """
    resources = module_configuration(plan, modules).get("resources") or ()
    return next((each for each in resources if each.get("address") == address), {})


def module_configuration(plan: Mapping[str, Any], modules: tuple[str, ...]) -> Mapping[str, Any]:
    """Return the configuration of a module; empty where the plan has none.

    Args:
        plan: As for `written_arguments`.
        modules: As for `resource_configuration`.
    """
    body = (plan.get("configuration") or {}).get("root_module") or {}
    for each in modules:
        call = (body.get("module_calls") or {}).get(without_index(each)) or {}
        body = call.get("module") or {}
    return body


def split_address(address: str) -> tuple[tuple[str, ...], str]:
    """Return the modules of an address, and what is left of it."""
    parts = _SEGMENT.findall(address)
    modules: list[str] = []
    while len(parts) > 1 and parts[0] == "module":
        modules.append(parts[1])
        parts = parts[2:]
    return tuple(modules), ".".join(parts)


def without_index(text: str) -> str:
    """Return a part of an address without its index."""
    return _INDEX.sub("", text)
