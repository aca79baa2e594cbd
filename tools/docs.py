"""Write the generated tables of README.md and of pages in docs.

    python tools/docs.py           write the tables
    python tools/docs.py --check   fail when they differ from their source (CI)

The text between `<!-- inputs -->` and `<!-- /inputs -->` (and the same for `outputs`, from the
HCL, `answers`, from the table that tests/contract tries, `variables`, from the package,
`schemas`, from the folder of schemas, and `watches`, from the monitoring's table) is replaced. So
are the examples and the module's registry source, in every page (doc_examples.py). The events that
`ekm usage` looks for are written from the monitoring's table, too (watched_events.py).
"""

from __future__ import annotations

import functools
import sys
import textwrap
from pathlib import Path
from typing import Any

import doc_examples
import hcl2
import watched_events

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
ERRORS = ROOT / "docs" / "errors.md"
ENVIRONMENT = ROOT / "docs" / "environment.md"
MONITORING = ROOT / "docs" / "operate" / "monitoring.md"
USAGE = ROOT / "docs" / "operate" / "usage.md"
FORMATS = ROOT / "docs" / "reference" / "json.md"
# Every input of the root module, by concern, in the order of README.md and docs/inputs.md.
INPUTS = {
    "Who may use the key": ("external_ids", "extra_trust_conditions", "extra_use_conditions"),
    "Role": (
        "name",
        "role_name",
        "role_policy_name",
        "role_path",
        "permissions_boundary",
        "max_session_duration",
    ),
    "New key": ("alias", "aliases", "key_description", "multi_region", "rotation_period_in_days"),
    "Existing key": ("kms_key_arn", "accept_alias"),
    "Key policy": (
        "key_policy_mode",
        "administrators",
        "account_root_administers",
        "extra_key_policy_statements",
    ),
    "Protection": ("deletion_protection", "deletion_window_in_days"),
    "Registration": ("registration", "projects"),
    "Monitoring": ("monitoring",),
    "Tags": ("tags", "role_tags", "key_tags"),
}
sys.path.insert(0, str(ROOT))

from tests.support.openai_answers import ROWS, SECTIONS, SHORT, Answer  # noqa: E402 - once it can be found
from tests.support.sql_subset import ALLOWED, AVOIDED  # noqa: E402 - see above
from tests.support.watches import WATCHES  # noqa: E402 - see above

from openai_ekm import environment_variables as environment  # noqa: E402 - see above
from openai_ekm import schemas  # noqa: E402 - see above


def blocks(file: Path, kind: str) -> dict[str, dict[str, Any]]:
    """Return the blocks of a kind (`variable`, `output`) by label, in the order of the file."""
    found: dict[str, dict[str, Any]] = {}
    for block in _parsed(file).get(kind, []):
        for label, body in block.items():
            found[label.strip('"')] = body
    return found


@functools.cache
def _parsed(file: Path) -> dict[str, Any]:
    parsed: dict[str, Any] = hcl2.loads(file.read_text(encoding="utf-8"))
    return parsed


def text_of(value: object) -> str:
    """Return a description as prose: unquoted, and a heredoc without its markers."""
    text = str(value)
    if text.startswith('"') and text.endswith('"'):
        text = text[1:-1]
    if text.startswith("<<"):
        lines = text.splitlines()[1:]
        if lines and lines[-1].strip().isupper():
            lines = lines[:-1]
        return textwrap.dedent("\n".join(lines)).strip()
    return text.replace('\\"', '"').replace("\\\\", "\\").replace("$${", "${")


def cell(text: str) -> str:
    """Return text that fits one cell of a Markdown table."""
    return "<br>".join(line.strip() for line in text.splitlines() if line.strip()).replace(
        "|", "\\|"
    )


def type_of(body: dict[str, Any]) -> str:
    """Return the outermost type: `object`, `list(string)`; the parts are in the description."""
    text = str(body.get("type", "any")).removeprefix("${").removesuffix("}")
    return text.split("(", 1)[0] if len(text) > 30 else text  # noqa: PLR2004 - a narrow column


def default_of(body: dict[str, Any]) -> str:
    """Return the default as HCL spells it, or the word that says that there is none."""
    if "default" not in body:
        return "**required**"
    default = body["default"]
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    return "`null`" if default is None else f"`{default}`"


def variables() -> dict[str, dict[str, Any]]:
    """Return the root module's variables by name."""
    files = [ROOT / "variables.tf", *sorted(ROOT.glob("variables.*.tf"))]
    return {name: body for file in files for name, body in blocks(file, "variable").items()}


def inputs_table() -> str:
    """Return the tables of the root module's variables, one for each concern.

    Raises:
        ValueError: A variable has no concern, or a concern names what is no variable.
    """
    found = variables()
    listed = [name for names in INPUTS.values() for name in names]
    if sorted(listed) != sorted(found):
        differing = sorted(set(listed) ^ set(found))
        raise ValueError(f"INPUTS of tools/docs.py must name each variable once: {differing}")
    lines = []
    for concern, names in INPUTS.items():
        lines += [f"### {concern}", ""]
        lines += ["| input | type | default | what it is |", "|---|---|---|---|"]
        for name in names:
            body = found[name]
            what = cell(text_of(body.get("description", "")))
            lines.append(f"| `{name}` | `{type_of(body)}` | {default_of(body)} | {what} |")
        lines.append("")
    return "\n".join(lines).rstrip()


def outputs_table() -> str:
    """Return the table of the root module's outputs."""
    rows = ["| output | what it is and who needs it |", "|---|---|"]
    for name, body in blocks(ROOT / "outputs.tf", "output").items():
        rows.append(f"| `{name}` | {cell(text_of(body.get('description', '')))} |")
    return "\n".join(rows)


def answers_table() -> str:
    """Return the tables of what OpenAI answers by cause, and what a command makes of it."""
    lines = []
    for section, title in SECTIONS.items():
        lines += [
            f"### {title}",
            "",
            "| cause | command, call and answer | id | exit code | at fault | what to do |",
            "|---|---|---|---|---|---|",
            *(_answer_row(row) for row in ROWS if row.section == section),
            "",
        ]
    return "\n".join(lines).rstrip()


def _answer_row(row: Answer) -> str:
    method, path = row.call
    said = f"HTTP {row.status}" if row.status else "no answer"
    for name, value in row.headers.items():
        said += f", `{name}: {value}`"
    text = row.text
    for arn, short in SHORT.items():
        text = text.replace(arn, short)
    words = f"<br>“{text}”" if row.text else f"<br>`{row.body.decode()}`" if row.body else ""
    cells = (
        row.cause,
        f"`ekm {row.command}`, {method} `{path.replace('extkey_1', 'ID')}`: {said}{words}",
        f"`{row.id}`" if row.id else "none: it goes on",
        str(row.code),
        row.at_fault or "",
        row.remedy,
    )
    return f"| {' | '.join(cell(text) for text in cells)} |"


def variables_tables() -> str:
    """Return the tables of environment variables."""
    lines = []
    for section, title in environment.SECTIONS.items():
        lines += [
            f"## {title}",
            "",
            "| variable | holds | what it does |",
            "|---|---|---|",
            *(
                f"| `{each.name}` | {cell(each.holds)} | {cell(each.meaning)} |"
                for each in environment.VARIABLES
                if each.section == section
            ),
            "",
        ]
    return "\n".join(lines).rstrip()


def schemas_table() -> str:
    """Return the formats, each with where its documents come from."""
    lines = ["| schema | what it is of | where it comes from |", "|---|---|---|"]
    folder = "../../scripts/openai_ekm/schemas"
    for name in schemas.names():
        schema = schemas.read(name)
        link = f"[{name}]({folder}/{name}.schema.json)"
        lines.append(f"| {link} | {cell(schema['title'])} | {cell(schema['description'])} |")
    return "\n".join(lines)


def watches_table() -> str:
    """Return the watches, each with what it says and its section of the runbook."""
    lines = ["| watch | severity | sent by | what it says |", "|---|---|---|---|"]
    for watch in WATCHES:
        link = f"[{watch.id}](runbook.md#{watch.id})"
        by = "a rule" if watch.notified_by == "event" else "an alarm"
        lines.append(f"| {link} | {watch.severity} | {by} | {cell(watch.summary)} |")
    return "\n".join(lines)


def functions_table() -> str:
    """Return what the queries of `ekm usage` may use."""
    lines = ["| function | what holds in both |", "|---|---|"]
    for name, words in ALLOWED.items():
        shown = ", ".join(f"`{each}`" for each in name.split(", "))
        lines.append(f"| {cell(shown)} | {cell(words)} |")
    return "\n".join(lines)


def differences_table() -> str:
    """Return what they may not use, and how the two differ in it."""
    lines = ["| what | in DuckDB | in Athena | used in its place |", "|---|---|---|---|"]
    for name, words in AVOIDED.items():
        lines.append(f"| {' | '.join(map(cell, (name, *words)))} |")
    return "\n".join(lines)


def between(document: str, marker: str, table: str) -> str:
    """Return the document with what stands between a marker's two comments replaced."""
    head, rest = document.split(f"<!-- {marker} -->", 1)
    _, tail = rest.split(f"<!-- /{marker} -->", 1)
    return f"{head}<!-- {marker} -->\n{table}\n<!-- /{marker} -->{tail}"


def main() -> int:
    """Write the documents, or with --check say whether they are up to date."""
    check = sys.argv[1:] == ["--check"]
    outdated = False
    tables: dict[Path, dict[str, str]] = {
        README: {"inputs": inputs_table(), "outputs": outputs_table()},
        ERRORS: {"answers": answers_table()},
        ENVIRONMENT: {"variables": variables_tables()},
        FORMATS: {"schemas": schemas_table()},
        MONITORING: {"watches": watches_table()},
        USAGE: {"functions": functions_table(), "differences": differences_table()},
    }
    outdated |= watched_events.write(ROOT, check=check)
    for file in sorted({*tables, *doc_examples.pages(ROOT)}):
        current = wanted = file.read_text(encoding="utf-8")
        for marker, table in tables.get(file, {}).items():
            wanted = between(wanted, marker, table)
        for marker in doc_examples.markers(wanted):
            wanted = between(wanted, marker, doc_examples.example(ROOT, marker))
        wanted = doc_examples.with_release(ROOT, wanted)
        if current == wanted:
            continue
        if check:
            name = file.relative_to(ROOT)
            print(f"{name}: a part differs from what it is made from. Run `make docs`.")
            outdated = True
        else:
            file.write_text(wanted, encoding="utf-8")
    return int(outdated)


if __name__ == "__main__":
    sys.exit(main())
