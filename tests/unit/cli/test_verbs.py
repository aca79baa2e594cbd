"""Each verb's options are the members of one frozen object, which its function takes."""

from __future__ import annotations

import dataclasses

import click
import pytest

from openai_ekm.cli.commands.verb import Verb
from openai_ekm.cli.main import VERBS, load_verb
from openai_ekm.errors import BadInput


def verbs() -> list[Verb]:
    """Every verb, those of a group among them."""
    found: list[Verb] = []
    for command in map(load_verb, VERBS):
        below = list(command.commands.values()) if isinstance(command, click.Group) else [command]
        found += [each for each in below if isinstance(each, Verb)]
        assert len(found) >= len(below)
    return found


@pytest.mark.parametrize("verb", verbs(), ids=lambda verb: verb.runs)
def test_the_function_takes_the_options_of_its_verb(verb: Verb) -> None:
    """Guards against: an option that its verb does not know, found only when it is given."""
    _, options_class = verb.load()
    given = {str(each.name) for each in verb.params if each.expose_value}
    assert {field.name for field in dataclasses.fields(options_class)} == given
    options = options_class(**dict.fromkeys(given))
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(options, min(given), None)


def test_every_verb_is_run_so() -> None:
    """Guards against: a verb whose help imports what it does."""
    assert len(verbs()) == len(VERBS) + 3  # drift, drill and evidence are two


@pytest.mark.parametrize(
    ("words", "extra", "id"),
    [
        (("evidence", "verify"), "operate", "operate_missing"),
        (("emulate",), "rehearsal", "rehearsal_missing"),
        (("demo",), "demo", "rehearsal_missing"),
    ],
)
def test_a_missing_library_names_the_extra_that_brings_it(
    words: tuple[str, ...], extra: str, id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guards against: a traceback, or the wrong extra, where a library is not installed."""
    command = load_verb(words[0])
    for word in words[1:]:
        assert isinstance(command, click.Group)
        command = command.commands[word]
    assert isinstance(command, Verb)

    def missing(_name: str) -> None:
        raise ModuleNotFoundError("no", name="library.part")

    monkeypatch.setattr("importlib.import_module", missing)
    with pytest.raises(BadInput) as refused:
        command.load()
    assert refused.value.id == id
    assert refused.value.remedy == f"pip install 'openai-ekm-aws[{extra}]'"
