"""Write what the AWS provider 6.x knows of each resource and data source that the module uses.

    python tools/provider_schema.py

The names come from bindings that were generated from the provider's schema. They are a distribution
on the package index, pinned by requirements/provider-6.txt; it is installed for this run alone,
and read, not run. tests/docs/test_provider_6.py compares the module with what is written here,
tests/support/provider_6.json. The module's own provider, 5.100.0, is compared by
`terraform validate` in `make lint`.
"""

from __future__ import annotations

import io
import json
import re
import subprocess  # nosec B404 # each call says below why it is safe
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Final

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.support.provider_names import FIXTURE, REQUIREMENTS, Block, module_blocks  # noqa: E402

PROVIDER: Final = re.compile(r"terraform-provider-aws ([\d.]+)")
# In the JavaScript of a resource: its arguments, as they go into a configuration, and what is read.
ARGUMENTS: Final = re.compile(r"(?ms)^    synthesizeHclAttributes\(\) \{\n(.*?)^    \}")
ARGUMENT: Final = re.compile(r"(?ms)^            (\w+): \{\n.*?isBlock: (true|false)")
READ: Final = re.compile(r"(?m)^        return this\.get\w+Attribute\('(\w+)'\)")
READ_OBJECT: Final = re.compile(r'(?m)^        this\._\w+ = new [\w.]+\(this, "(\w+)"')
# In its declaration: Terraform's name stands in the comment; what is required has no `?`.
DECLARED: Final = re.compile(r"(?ms)^export interface \w+Config .*?\{\n(.*?)^\}")
DOCUMENTED: Final = re.compile(r"#(\w+) \w+#\w+\}")
MEMBER: Final = re.compile(r"#(\w+) \w+#\w+\}[^#]*?\*/\n    readonly (\w+)(\??):")


def described(script: str, declaration: str) -> dict[str, list[str]]:
    """Return the names of one resource or data source, each kind sorted.

    Args:
        script: The JavaScript that was generated for it.
        declaration: The TypeScript declaration beside it.
    """
    arguments = ARGUMENTS.search(script)
    taken = dict(ARGUMENT.findall(arguments[1])) if arguments else {}
    members = DECLARED.search(declaration)
    declared = MEMBER.findall(members[1]) if members else []
    if {name for name, _, _ in declared} != taken.keys():
        sys.exit(f"The bindings cannot be read: {sorted(taken)} is not {declared}.")
    blocks = {name for name, is_block in taken.items() if is_block == "true"}
    read = {*READ.findall(script), *READ_OBJECT.findall(script), *taken}
    return {
        "arguments": sorted(taken.keys() - blocks),
        "attributes": sorted(read - taken.keys()),
        "blocks": sorted(blocks),
        "nested": sorted({*DOCUMENTED.findall(declaration)}) if blocks else [],
        "required": sorted(name for name, _, optional in declared if not optional),
    }


def install(folder: str) -> tuple[tarfile.TarFile, str]:
    """Return the bindings' own archive, and the sentence that names the provider's version."""
    uv = ROOT / subprocess.check_output([ROOT / "tools" / "uv"], text=True).strip()  # nosec B603 # fixed words
    subprocess.run(  # nosec B603 # fixed words
        [uv, "pip", "install", "--quiet", "--no-cache", "--no-deps", "--require-hashes",
         "--only-binary", ":all:", "--python", sys.executable, "--target", folder,
         "-r", REQUIREMENTS],
        cwd=ROOT.anchor,  # away from pyproject.toml, whose constraints have no hashes
        check=True,
    )  # fmt: skip
    [metadata] = Path(folder).glob("*.dist-info/METADATA")
    [archive] = Path(folder).glob("*/_jsii/*.tgz")
    return tarfile.open(fileobj=io.BytesIO(archive.read_bytes())), metadata.read_text("utf-8")


def main() -> None:
    """Read the bindings and write the fixture."""
    wanted = {block.kind_and_type for block in module_blocks(ROOT)}
    texts: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="ekm-provider-") as folder:
        archive, metadata = install(folder)
        names = {Block.file_name(*each) for each in wanted}
        for member in archive:
            path = Path(member.name)
            if path.name.partition(".")[0] in names and path.suffix in {".js", ".ts"}:
                content = archive.extractfile(member)
                texts[path.name] = content.read().decode() if content else ""
    found: dict[str, dict[str, dict[str, list[str]]]] = {"data": {}, "resource": {}}
    for kind, type_ in sorted(wanted):
        name = Block.file_name(kind, type_)
        if f"{name}.js" not in texts:
            sys.exit(f"The provider has no {kind} {type_}.")
        found[kind][type_] = described(texts[f"{name}.js"], texts[f"{name}.d.ts"])
    version = PROVIDER.search(metadata)
    if version is None:
        sys.exit("The bindings do not say which version of the provider they are of.")
    requirement, *hashes = REQUIREMENTS.read_text(encoding="utf-8").replace("\\\n", "").split()
    fixture = {"provider": version[1], "from": requirement, "hashes": hashes, **found}
    text = json.dumps(fixture, indent=1, ensure_ascii=False) + "\n"
    FIXTURE.write_text(text, encoding="utf-8")
    print(f"{FIXTURE.relative_to(ROOT)}: provider {version[1]}, {len(wanted)} types")


if __name__ == "__main__":
    main()
