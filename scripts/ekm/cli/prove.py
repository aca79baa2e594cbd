"""`ekm prove`: every claim of least privilege, over all requests, or what breaks it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ekm.cli import render
from ekm.cli.snapshot import Source, collected_unless_given, offline_option, source_options
from ekm.errors import BadInput

if TYPE_CHECKING:
    from ekm.proof import Claim, Proof

__all__ = ["command"]


@click.command("prove", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("file", metavar="[SNAPSHOT|-]", required=False)
@source_options
@offline_option
@click.option("--json", "as_json", is_flag=True, help="Print the proof as one JSON document.")
@click.option(
    "--sarif",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the claims that fail as SARIF 2.1.0, for code scanning.",
)
def command(
    *,
    file: str | None,
    offline: bool,
    as_json: bool,
    sarif: Path | None,
    **given: str | None,
) -> int:
    """Prove least privilege over all requests, or show what breaks it.

    Reads a snapshot (`ekm snapshot`), or collects it with the same options. Exit code 0 when
    every claim holds, 1 when one does not: then a request that breaks it is shown.

    \b
    Examples:
      ekm prove --from-terraform .
      terraform show -json PLAN | ekm prove --from-plan - --sarif ekm.sarif
      ekm prove s.json --json
    """
    source = Source(**given)
    # Imported here so that `ekm --help` does not pay for it.
    from ekm.proof import prove  # noqa: PLC0415
    from ekm.snapshot.file import read_snapshot  # noqa: PLC0415

    snapshot = collected_unless_given(file, source, offline=offline)
    named = file or "-"
    proof = prove(read_snapshot(named) if snapshot is None else snapshot)
    if sarif is not None:
        _write(sarif, proof, "snapshot.json" if named == "-" else _place(named))
    if as_json:
        render.document(proof.as_json())
    else:
        _show(proof)
    return 0 if proof.holds else 1


def _place(file: str) -> str:
    """The file as code scanning finds it: relative to the repository that the run is in."""
    path = Path(file).resolve()
    try:
        return path.relative_to(Path.cwd()).as_posix()
    except ValueError:
        return f"file://{path.as_posix()}"


def _write(target: Path, proof: Proof, source: str) -> None:
    from ekm.proof.sarif import as_sarif  # noqa: PLC0415 - only when asked for

    text = json.dumps(as_sarif(proof, source), indent=2) + "\n"
    try:
        target.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BadInput(
            "sarif_not_written",
            f"{target} cannot be written: {error.strerror}.",
            at_fault=str(target),
            remedy="Name a file in a folder that exists and may be written to.",
        ) from None


def _show(proof: Proof) -> None:
    """The proof for people."""
    for claim in proof.claims:
        word = (
            render.styled("holds", fg="green") if claim.holds else render.styled("FAILS", fg="red")
        )
        click.echo(f"({claim.id}) {word}  {claim.title} [{claim.classes} classes of requests]")
        if not claim.holds:
            _show_failure(claim)
    for heading, texts in (
        ("Reported", tuple(each.message for each in proof.reported)),
        ("Assumed", proof.assumed),
        ("Not seen", proof.unseen),
    ):
        if texts:
            click.echo(f"{heading}:")
            for text in texts:
                click.echo(f"  - {text}")


def _show_failure(claim: Claim) -> None:
    click.echo(f"    {claim.message}")
    found = claim.counterexample
    if found is None:
        return
    request = found.as_json()["request"]
    for member in ("principal", "action", "resource"):
        click.echo(f"    {member}: {request[member]}")
    for key, value in request["context"].items():
        click.echo(f"    {key}: {json.dumps(value)}")
    for statement in found.statements:
        click.echo(f"    by: {statement}")
