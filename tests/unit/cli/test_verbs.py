"""Each verb's options are the members of one frozen object, which its function takes."""

from __future__ import annotations

import dataclasses

import click
import pytest

from openai_ekm.cli.commands.verb import Verb
from openai_ekm.cli.main import VERBS, load_verb


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
    assert len(verbs()) == len(VERBS) + 2  # drill and evidence are two
