"""A release is built and checked up to the upload, from a clean clone at a tag: `tools/release`."""

from __future__ import annotations

import json
import os
import re
import subprocess
import zipfile
from email.parser import Parser
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

VERSION = "9.9.9"
GITHUB = {"GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "acme/a-repository"}
BLOB = f"https://github.com/acme/a-repository/blob/v{VERSION}"


class Clone:
    """A clone of the repository, whose version is 9.9.9 and whose CHANGELOG has no such section."""

    def __init__(self, repository: Path, folder: Path) -> None:
        """Clone what is committed."""
        self.folder = folder
        command = ("git", "clone", "--quiet", "--no-tags", repository, folder)
        subprocess.run(command, check=True)
        (folder / ".tools").mkdir()  # git ignores it; this repository's uv, as a first run left it
        for name in ("bin", ".made-from"):
            (folder / ".tools" / name).symlink_to(repository / ".tools" / name)
        self.write(
            "scripts/openai_ekm/_version.py", f'"""The version."""\n\n__version__ = "{VERSION}"\n'
        )

    def git(self, *words: str) -> None:
        """Run git as some committer."""
        who = ("-c", "user.name=A", "-c", "user.email=a@example.com")
        subprocess.run(["git", *who, *words], cwd=self.folder, check=True, capture_output=True)

    def write(self, name: str, text: str) -> None:
        """Commit a file, and move the tag there."""
        (self.folder / name).write_text(text, encoding="utf-8")
        self.git("commit", "--quiet", "--all", "--message", name)
        self.git("tag", "--force", f"v{VERSION}")

    def release(self, tag: str, out: Path) -> subprocess.CompletedProcess[str]:
        """Run the script that the workflow runs."""
        return subprocess.run(
            [self.folder / "tools" / "release", tag, out],
            env={**{k: v for k, v in os.environ.items() if k != "GITHUB_REF"}, **GITHUB},
            capture_output=True,
            text=True,
            check=False,
        )

    def refused(self, tag: str, out: Path) -> str:
        """Run it, and return the one message with which it stops."""
        done = self.release(tag, out)
        assert (done.returncode, done.stdout, out.exists()) == (1, "", False), done.stderr
        [line] = done.stderr.splitlines()
        return line


def test_a_release_is_made_from_a_clean_clone_at_its_tag(repository: Path, tmp_path: Path) -> None:
    """Guards against: a release that was never tried, and a tag that names another version."""
    clone, out = Clone(repository, tmp_path / "clone"), tmp_path / "out"

    assert "must be vX.Y.Z" in clone.refused(VERSION, out)
    assert f"_version.py has {VERSION}" in clone.refused("v9.9.8", out)
    assert f"must have the section `## {VERSION} - YYYY-MM-DD`" in clone.refused(f"v{VERSION}", out)
    clone.write(
        "CHANGELOG.md",
        f"# Changelog\n\n## Unreleased\n\n- B.\n\n## {VERSION} - 2026-11-29\n\n- A.\n",
    )
    assert "nothing under Unreleased" in clone.refused(f"v{VERSION}", out)
    clone.write(
        "CHANGELOG.md", f"# Changelog\n\n## Unreleased\n\n## {VERSION} - 2026-11-29\n\n- A.\n"
    )
    (clone.folder / "stray.py").touch()
    assert "must be clean; found ?? stray.py" in clone.refused(f"v{VERSION}", out)
    (clone.folder / "stray.py").unlink()
    clone.git("tag", "--delete", f"v{VERSION}")
    assert "must be at the tag" in clone.refused(f"v{VERSION}", out)
    clone.git("tag", f"v{VERSION}")

    done = clone.release(f"v{VERSION}", out)
    assert done.returncode == 0, done.stderr
    assert f"v{VERSION} is ready" in done.stdout
    assert_files_are_whole(out, runtime=(repository / "requirements" / "runtime.txt").read_text())


def assert_files_are_whole(out: Path, *, runtime: str) -> None:
    """The folder holds the packages, their checksums, their SBOM and the notes."""
    stem = f"openai_ekm_aws-{VERSION}"
    wheel, bom = out / f"{stem}-py3-none-any.whl", out / f"{stem}.cdx.json"
    published = {wheel.name, f"{stem}.tar.gz", bom.name}
    assert {each.name for each in out.iterdir()} == published | {
        "SHA256SUMS",
        "contents.txt",
        "notes.md",
    }
    assert (out / "notes.md").read_text() == "- A.\n"
    command = ("sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS")  # as the workflow does
    subprocess.run(command, cwd=out, check=True)
    listed = [line.split() for line in (out / "SHA256SUMS").read_text().splitlines()]
    sums = {name: value for value, name in listed}
    assert sums.keys() == published

    contents = (out / "contents.txt").read_text()
    assert f"{stem}.tar.gz: tests/integration/test_release.py\n" in contents
    assert f"{wheel.name}: openai_ekm/py.typed\n" in contents
    assert f"{wheel.name}: tests/" not in contents

    with zipfile.ZipFile(wheel) as archive:
        metadata = Parser().parsestr(archive.read(f"{stem}.dist-info/METADATA").decode())
    assert f"Documentation, {BLOB}/README.md" in metadata.get_all("Project-URL", [])
    assert f"]({BLOB}/docs/proof.md)" in str(metadata.get_payload())

    document = json.loads(bom.read_text())
    assert "file:" not in bom.read_text()
    assert document["metadata"]["component"]["version"] == VERSION
    assert document["metadata"]["component"]["hashes"][0]["content"] == sums[wheel.name]
    in_bom = {
        each["content"]
        for component in document["components"]
        for reference in component["externalReferences"]
        for each in reference.get("hashes", ())
    }
    assert in_bom == set(re.findall(r"sha256:([0-9a-f]{64})", runtime))
    assert len(in_bom) > 50
