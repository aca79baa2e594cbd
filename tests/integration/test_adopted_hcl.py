"""What `ekm adopt` prints is read back by Terraform as the values that it was made of."""

from __future__ import annotations

import json
import subprocess
import unicodedata
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openai_ekm.adoption.changes import Import
from openai_ekm.adoption.hcl_text import hcl, import_blocks, module_block
from openai_ekm.adoption.plan import Adoption

if TYPE_CHECKING:
    from pathlib import Path

HOSTILE = [
    "SOURCE",
    '"SOURCE"',
    "…",
    'a\nresource "terraform_data" "x" {}',
    "a\r\n# b",
    '${file("/etc/passwd")}',
    "$${a}",
    "$$${a}",
    "$$$${a}",
    "%{ if true }x%{ endif }",
    "%%{",
    "$",
    "%",
    "${",
    "\\${a}",
    "\\",
    "\\\\",
    "\\n",
    "\\b",
    "\\u0024{a}",
    "\b\f\v\a\t",
    "\x00",
    "\x1b]52;c;aGk=\x07",
    "\x7f\x80\x9b",
    "prod\u202egnp",
    "\u2028\u2029\u0085",
    "\ufeff\u200b\u00ad\u2066",
    "\U000e0001\U0001f600",
    "\u115f\u3164",
    "<<EOT\nx\nEOT",
    "# no comment",
    "/* no comment */",
    '"',
    "'",
    "e\u0301",
]


def terraform(folder: Path, *words: str) -> str:
    """Run Terraform, and return what it prints."""
    done = subprocess.run(
        ["terraform", *words], cwd=folder, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def read_back(folder: Path, text: str) -> Any:
    """The value that Terraform reads in an expression of HCL."""
    (folder / "main.tf").write_text(f'output "read" {{\n  value = {text}\n}}\n', encoding="utf-8")
    terraform(folder, "apply", "-auto-approve", "-no-color")
    return json.loads(terraform(folder, "output", "-json", "read"))


def normal(value: Any) -> Any:
    """A value as Terraform keeps it: its texts are in Unicode's composed form."""
    match value:
        case str():
            return unicodedata.normalize("NFC", value)
        case dict():
            return {normal(key): normal(each) for key, each in value.items()}
        case list():
            return [normal(each) for each in value]
        case _:
            return value


def shown(text: str) -> bool:
    """Whether a person sees every character of a text."""
    return all(line.isprintable() for line in text.split("\n"))


@pytest.mark.terraform
def test_hostile_values_are_read_back_as_they_were(tmp_path: Path) -> None:
    """Guards against: a name at OpenAI that leaves its string, and is applied."""
    values = {"list": HOSTILE, "map": {value: value for value in HOSTILE}}
    text = hcl(values, 1)
    assert shown(text)
    assert read_back(tmp_path, text) == normal(values)


@pytest.mark.terraform
@given(
    st.lists(
        st.one_of(
            st.text(st.characters(exclude_categories=["Cs"])),
            st.text(st.sampled_from('$%{}\\"~nu0b\n\t\b\u202e#/<')),
        ),
        min_size=60,
        max_size=300,
    )
)
@settings(max_examples=40)
def test_generated_values_are_read_back_as_they_were(
    tmp_path_factory: pytest.TempPathFactory, values: list[str]
) -> None:
    """Guards against: an escape that the table does not have."""
    folder = tmp_path_factory.mktemp("read")
    words = {"list": values, "map": {f"k{value}": value for value in values}}
    text = hcl(words, 1)
    assert shown(text)
    assert read_back(folder, text) == normal(words)


KEYWORDS = ["for", "if", "in", "null", "true", "false", "each", "var", "source", "a-b", "1", ""]


@pytest.mark.terraform
def test_tags_that_are_words_of_hcl_are_names(tmp_path: Path) -> None:
    """Guards against: a tag `for` or `null`, which no configuration can be made of."""
    tags = dict.fromkeys(KEYWORDS, "x")
    assert read_back(tmp_path, hcl(tags, 1)) == tags


@pytest.mark.terraform
def test_the_blocks_are_one_call_and_the_imports_and_nothing_more(tmp_path: Path) -> None:
    """Guards against: a value that equals a placeholder, or ends its block, in what is pasted."""
    values: dict[str, Any] = {
        "name": "SOURCE",
        "external_ids": ['"SOURCE"', "SOURCE"],
        "tags": {value: value for value in HOSTILE},
        "registration": {"name": '\n}\nresource "terraform_data" "x" {\n'},
    }
    adoption = Adoption(
        module_address='module.ekm["a"]',
        imports=(Import("module.ekm.aws_kms_key.this", 'a"\n}\n'), Import("module.ekm.b.c", "$${")),
        variables=values,
        changes=(),
        before=(),
        after=(),
        notices=(),
    )
    assert module_block(adoption).count("as in the README") == 1
    block = module_block(adoption, "./called")
    assert shown(block)
    assert shown(import_blocks(adoption))
    names = "".join(f'variable "{name}" {{}}\n' for name in values)
    outputs = 'output "read" {\n  value = jsonencode([for v in [var.name, var.external_ids, '
    outputs += "var.tags, var.registration] : v])\n}\n"
    inside = tmp_path / "called"
    inside.mkdir()
    (inside / "main.tf").write_text(names + outputs, encoding="utf-8")
    text = block + '\noutput "read" {\n  value = module.ekm["a"].read\n}\n'
    (tmp_path / "main.tf").write_text(text, encoding="utf-8")
    imports = tmp_path / "imports"
    imports.mkdir()
    (imports / "imports.tf").write_text(import_blocks(adoption) + "\n", encoding="utf-8")
    terraform(imports, "fmt", "-check")
    assert terraform(tmp_path, "fmt", "main.tf") in {"", "main.tf\n"}
    terraform(tmp_path, "init", "-no-color")
    terraform(tmp_path, "validate", "-no-color")
    terraform(tmp_path, "apply", "-auto-approve", "-no-color")
    assert terraform(tmp_path, "state", "list") == ""
    told = json.loads(json.loads(terraform(tmp_path, "output", "-json", "read")))
    assert told == normal(list(values.values()))
