"""completion, schema, version, help: the program itself."""

from __future__ import annotations

import click

from openai_ekm.cli import options
from openai_ekm.cli.commands.verb import verb

__all__ = [
    "completion_command",
    "help_command",
    "schema_command",
    "version_command",
]


@verb("completion", runs="completion:run", page="README.md")
@options.argument(
    "shell", type=click.Choice(["bash", "zsh", "fish"]), text="The shell that reads the script."
)
def completion_command() -> None:
    """Print the script that makes a shell complete verbs and options of ekm and ekm-register.

    \b
    Examples:
      eval "$(ekm completion bash)"                    in ~/.bashrc
      eval "$(ekm completion zsh)"                     in ~/.zshrc, after compinit
      ekm completion fish > ~/.config/fish/conf.d/ekm.fish
    """


@verb("schema", runs="schema:run", page="docs/reference/json.md")
@options.argument(
    "name", required=False, metavar="[NAME]", text="Name of a schema. Without it, all are listed."
)
@options.json_option
def schema_command() -> None:
    """Print the JSON Schema of a document that ekm reads or prints, or list the schemas.

    A schema is printed whole: it needs no other file. Programs that read documents of ekm must
    accept members that a schema does not name.

    \b
    Examples:
      ekm schema                         every schema, and what it is of
      ekm schema prove                   what ekm prove --json prints
      ekm schema ekm-fleet > fleet.json  for an editor that checks fleet files
    """


@verb("version", runs="version:run", page="CHANGELOG.md")
@options.json_option
def version_command() -> None:
    """Show the versions of package, module, Terraform and Python, and the commit.

    Give this output with a question or a report. The module is the one in the current folder, if
    one is there.

    \b
    Examples:
      ekm version
      ekm version --json
    """


@verb("help", runs="help:run", page="README.md")
@options.argument(
    "topic",
    nargs=-1,
    metavar="[VERB|environment]",
    text="A verb, as in `drill revoke`, or the environment variables.",
)
def help_command() -> None:
    """Explain a verb, or the environment variables.

    \b
    Examples:
      ekm help register
      ekm help drill revoke
      ekm help environment
    """
