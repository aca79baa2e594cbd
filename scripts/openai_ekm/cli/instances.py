"""A verb's answer for one instance of the module, or for every one in turn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from openai_ekm.cli import render
from openai_ekm.errors import EkmError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from openai_ekm.cli.inputs import Given

__all__ = ["Answer", "answer_each"]

DOING = "Asking OpenAI and AWS"


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer of a verb for one instance.

    Args:
        document: For `--json`.
        lines: For people.
        exit_code: 0 where everything is as it should be.
        copied: Whether a person copies the lines: then a terminal gets them unbroken.
    """

    document: Mapping[str, Any]
    lines: Sequence[render.Line]
    exit_code: int = 0
    copied: bool = False

    def print_lines(self, indent: str = "") -> None:
        """Print the lines."""
        put = render.verbatim if self.copied else render.result
        put(*((indent, *([line] if isinstance(line, str) else line)) for line in self.lines))


def answer_each(
    instances: Mapping[str | None, Given], answer: Callable[[Given], Answer], *, as_json: bool
) -> int:
    """Print the answer for each instance.

    One instance under None is answered as a verb answers by itself. Of several, an error of one
    keeps none of the others from its answer; `--json` prints
    `{"instances": {NAME: {"exit_code", "result" or "error"}}}`.

    Args:
        instances: As `inputs.gather_each` gives them.
        answer: The verb, for one instance.
        as_json: Whether `--json` was given.

    Returns:
        The exit code: 0 when every instance's is 0, theirs when all that are not 0 are the same,
        else 1.

    Raises:
        EkmError: Of the one instance.
    """
    if None in instances:
        with render.waiting(DOING):
            only = answer(instances[None])
        if as_json:
            render.document(only.document)
        else:
            only.print_lines()
        return only.exit_code
    documents: dict[str, Any] = {}
    codes: set[int] = set()
    for name, given in instances.items():
        if not as_json:
            render.result(f"{name}:")
        try:
            with render.waiting(DOING):
                found = answer(given)
        except EkmError as failure:
            codes.add(failure.exit_code)
            documents[str(name)] = {"exit_code": failure.exit_code, "error": failure.as_json()}
            render.error(failure, as_json=False)
            continue
        codes.add(found.exit_code)
        documents[str(name)] = {"exit_code": found.exit_code, "result": found.document}
        if not as_json:
            found.print_lines("  ")
    if as_json:
        render.document({"instances": documents})
    failed = codes - {0}
    return failed.pop() if len(failed) == 1 else int(bool(failed))
