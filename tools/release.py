"""The steps of a release up to the upload; `tools/release` runs them, in CI and in the suite.

    release.py check TAG                         tag, version, CHANGELOG and checkout agree
    release.py build TAG FOLDER --runtime PYTHON packages, SBOM, checksums, notes

`check` needs the standard library alone. `build` needs requirements/release.txt, and in PYTHON's
environment requirements/runtime.txt and nothing else.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import subprocess  # nosec B404 # each call says below why it is safe
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
DISTRIBUTION = "openai-ekm-aws"
STEM = "openai_ekm_aws"
TAG = re.compile(r"v(?P<version>(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*))")
VERSION = re.compile(r'^__version__ = "(?P<version>[^"]+)"$', re.MULTILINE)
SECTION = re.compile(r"^## (?P<title>.+)$", re.MULTILINE)
NAME = re.compile(r"[A-Za-z0-9._-]+")
PINNED = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^ ;\\]+)")
HASH = re.compile(r"--hash=sha256:(?P<value>[0-9a-f]{64})")


class Refused(Exception):
    """The release cannot be made; the message says why and what to do."""


# --- What must agree -----------------------------------------------------------------------------


def check(tag: str) -> str:
    """Return the notes of a release once tag, version, CHANGELOG and checkout agree.

    Raises:
        Refused: They do not agree.
    """
    named = TAG.fullmatch(tag)
    if not named:
        raise Refused(f"The tag must be vX.Y.Z, as v1.2.3; found {tag}.")
    wanted = named["version"]
    file = ROOT / "scripts" / STEM.removesuffix("_aws") / "_version.py"
    found = VERSION.search(file.read_text(encoding="utf-8"))
    version = found["version"] if found else "none"
    if version != wanted:
        raise Refused(
            f"The tag {tag} and the version must agree; scripts/openai_ekm/_version.py has "
            f"{version}. Set the version in a commit, and tag that commit."
        )
    notes = section((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), wanted)
    if tag not in git("tag", "--points-at", "HEAD").split():
        raise Refused(f"The checkout must be at the tag {tag}. Run `git checkout {tag}` first.")
    if changed := git("status", "--porcelain"):
        raise Refused(f"The checkout must be clean; found {changed.splitlines()[0].strip()}.")
    return notes


def section(text: str, version: str) -> str:
    """Return the text of a version's section of CHANGELOG.md.

    Raises:
        Refused: There is none, it is empty, or what is unreleased stands above it.
    """
    heads = list(SECTION.finditer(text))
    ends = [*(head.start() for head in heads), len(text)][1:]
    bodies = {
        head["title"]: text[head.end() : end].strip() for head, end in zip(heads, ends, strict=True)
    }
    form = re.compile(rf"\[?{re.escape(version)}\]? - \d{{4}}-\d{{2}}-\d{{2}}")
    title = next((title for title in bodies if form.fullmatch(title)), None)
    if title is None or not bodies[title]:
        raise Refused(
            f"CHANGELOG.md must have the section `## {version} - YYYY-MM-DD` with what changed; "
            f"found {', '.join(bodies) or 'no section'}. Move what is under Unreleased there."
        )
    if bodies.get("Unreleased"):
        raise Refused(
            f"CHANGELOG.md must have nothing under Unreleased when {version} is released. Move it "
            f"to {version}."
        )
    return bodies[title]


def git(*words: str) -> str:
    """Return what a git command prints about this checkout."""
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True)  # nosec B603, B607 # the git on PATH, fixed words
    return done.stdout.strip()


# --- Packages ------------------------------------------------------------------------------------


def build(tag: str, out: Path, runtime: Path) -> None:
    """Write packages, SBOM, checksums and notes into a folder.

    Raises:
        Refused: A step shows a release that must not be published.
    """
    notes = check(tag)
    version = tag.removeprefix("v")
    out.mkdir(parents=True, exist_ok=True)
    if any(out.iterdir()):
        raise Refused(f"The folder must be empty; found files in {out}.")
    environment = environment_of(tag)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        sdist, wheel = packages(ROOT, work / "first", environment)
        # Again from a clone elsewhere, with other permissions and another time zone.
        copy = work / "elsewhere" / "copy"
        subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", ROOT, copy], check=True)  # nosec B603, B607 # the git on PATH, fixed words
        other = {**environment, "TZ": "Pacific/Auckland", "PYTHONHASHSEED": "7"}
        for one, two in zip(
            (sdist, wheel), packages(copy, work / "second", other, umask=0o077), strict=True
        ):
            if one.read_bytes() != two.read_bytes():
                raise Refused(f"{one.name} differs between two builds: it is not reproducible.")
        compare(f"{sdist.name} and git", names_of_sdist(sdist), files_of_sdist())
        compare(f"{wheel.name} and git", names_of_wheel(wheel), files_of_wheel(version))
        twine(sdist, wheel)
        contents = [
            f"{each.name}: {name}\n"
            for each, names in ((sdist, names_of_sdist(sdist)), (wheel, names_of_wheel(wheel)))
            for name in sorted(names)
        ]
        bom = work / f"{STEM}-{version}.cdx.json"
        bom.write_text(sbom(version, wheel, runtime, environment), encoding="utf-8")
        files = [sdist, wheel, bom]
        for file in files:
            (out / file.name).write_bytes(file.read_bytes())
    sums = [f"{digest(out / file.name)}  {file.name}\n" for file in files]
    (out / "SHA256SUMS").write_text("".join(sums), encoding="utf-8")
    (out / "contents.txt").write_text("".join(contents), encoding="utf-8")
    (out / "notes.md").write_text(f"{notes}\n", encoding="utf-8")
    print("".join(sums), end="")
    print(f"{tag} is ready in {out}. Nothing was uploaded.")


def environment_of(tag: str) -> dict[str, str]:
    """Return the environment of the builds: the repository's address, and the commit's time.

    Raises:
        Refused: The repository's public address is not known.
    """
    sys.path.insert(0, str(ROOT / "tools"))
    from package_metadata import repository_url  # noqa: PLC0415 - needs hatchling, `check` does not

    repository = repository_url(os.environ, ROOT)
    if repository is None:
        raise Refused(
            "The package must name its repository. Give the remote `origin` a public https or ssh "
            "address, or set GITHUB_SERVER_URL and GITHUB_REPOSITORY."
        )
    server, name = repository.removeprefix("https://").split("/", 1)
    return {
        **{key: value for key, value in os.environ.items() if not key.startswith("PYTHON")},
        "GITHUB_SERVER_URL": f"https://{server}",
        "GITHUB_REPOSITORY": name,
        "GITHUB_REF": f"refs/tags/{tag}",
        "SOURCE_DATE_EPOCH": git("log", "-1", "--format=%ct"),
    }


def packages(
    source: Path, folder: Path, environment: dict[str, str], *, umask: int = 0o022
) -> tuple[Path, Path]:
    """Build the sdist of a checkout, and the wheel from the unpacked sdist; download nothing.

    Raises:
        Refused: One of them cannot be built.
    """
    _hatchling(source, "sdist", folder, environment, umask)
    [sdist] = folder.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder / "unpacked", filter="data")
    [unpacked] = (folder / "unpacked").iterdir()
    _hatchling(unpacked, "wheel", folder, environment, umask)
    [wheel] = folder.glob("*.whl")
    return sdist, wheel


def _hatchling(
    source: Path, target: str, folder: Path, environment: dict[str, str], umask: int
) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "--target", target]
    done = subprocess.run(  # nosec B603 # fixed words
        [*command, "--directory", folder],
        cwd=source,
        env=environment,
        umask=umask,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise Refused(f"The {target} cannot be built: {done.stdout}{done.stderr}")


def names_of_sdist(sdist: Path) -> set[str]:
    """Return the files of an sdist, without its one top folder."""
    with tarfile.open(sdist) as archive:
        return {member.name.split("/", 1)[1] for member in archive if member.isfile()}


def files_of_sdist() -> set[str]:
    """Return what the sdist is to hold: what git holds, tests included, and the metadata."""
    return {*tracked(), "PKG-INFO"}


def names_of_wheel(wheel: Path) -> set[str]:
    """Return the files of a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if not name.endswith("/")}


def files_of_wheel(version: str) -> set[str]:
    """Return what the wheel is to hold: the package, what pyproject.toml adds, the metadata."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wheel = config["tool"]["hatch"]["build"]["targets"]["wheel"]
    data = f"{STEM}-{version}.data/data"
    places = {
        "scripts/openai_ekm": "openai_ekm",
        **wheel["force-include"],
        **{source: f"{data}/{place}" for source, place in wheel["shared-data"].items()},
    }
    held = {
        place + name.removeprefix(source)
        for source, place in places.items()
        for name in tracked()
        if name == source or name.startswith(f"{source}/")
    }
    metadata = ("METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE")
    return held | {f"{STEM}-{version}.dist-info/{name}" for name in metadata}


def tracked() -> list[str]:
    """Return the files that git holds."""
    return git("ls-files", "-z").strip("\0").split("\0")


def compare(what: str, found: set[str], wanted: set[str]) -> None:
    """Compare two sets of files.

    Raises:
        Refused: A file is missing, or one is there that nobody committed.
    """
    if found == wanted:
        return
    stray, missing = sorted(found - wanted), sorted(wanted - found)
    raise Refused(f"{what} must hold the same files; stray: {stray}; missing: {missing}.")


def twine(*files: Path) -> None:
    """Check that the index can show the packages' metadata and README.

    Raises:
        Refused: It cannot.
    """
    done = subprocess.run(  # nosec B603 # fixed words
        [sys.executable, "-m", "twine", "--no-color", "check", "--strict", *files],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise Refused(f"twine check --strict failed: {done.stdout}{done.stderr}")


# --- SBOM ----------------------------------------------------------------------------------------


def sbom(version: str, wheel: Path, runtime: Path, environment: dict[str, str]) -> str:
    """Return the CycloneDX document of the package and of what it is installed with.

    Raises:
        Refused: The environment differs from requirements/runtime.txt, two runs differ, or the
            document is not valid.
    """
    first, second = (
        described(components_of(runtime, environment), version, wheel) for _ in range(2)
    )
    if first != second:
        raise Refused("The SBOM differs between two runs: it is not reproducible.")
    from cyclonedx.schema import SchemaVersion  # noqa: PLC0415 - `check` runs without it
    from cyclonedx.validation.json import JsonStrictValidator  # noqa: PLC0415

    if error := JsonStrictValidator(SchemaVersion.V1_6).validate_str(first):
        raise Refused(f"The SBOM is no valid CycloneDX 1.6: {error}")
    return first


def components_of(runtime: Path, environment: dict[str, str]) -> dict[str, Any]:
    """Return what cyclonedx-py finds in an environment."""
    command = [sys.executable, "-m", "cyclonedx_py", "environment", "--output-reproducible"]
    done = subprocess.run(  # nosec B603 # fixed words
        [*command, "--spec-version", "1.6", "--output-format", "JSON", runtime],
        env=environment,
        stdout=subprocess.PIPE,
        check=True,
    )
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def described(document: dict[str, Any], version: str, wheel: Path) -> str:
    """Return the document with the package as its subject, and with the hashes that pip accepts."""
    pins = pinned((ROOT / "requirements" / "runtime.txt").read_text(encoding="utf-8"))
    document = json.loads(json.dumps(document))
    components = document.get("components", [])
    for component in components:
        name = component["name"].lower().replace("_", "-")
        pin = pins.get(name)
        if pin is None or pin[0] != component["version"]:
            raise Refused(
                f"The SBOM's environment must hold requirements/runtime.txt and nothing else; "
                f"found {name} {component['version']}."
            )
        # Every file of that version that an installation accepts; which one it takes depends on
        # the platform. The URL is the package's own, of no index.
        component.setdefault("externalReferences", []).append(
            {
                "type": "distribution",
                "url": component["purl"],
                "comment": "files that requirements/runtime.txt accepts",
                "hashes": [{"alg": "SHA-256", "content": value} for value in pin[1]],
            }
        )
    package = {
        "bom-ref": DISTRIBUTION,
        "type": "application",
        "name": DISTRIBUTION,
        "version": version,
        "purl": f"pkg:pypi/{DISTRIBUTION}@{version}",
        "licenses": [{"license": {"id": "Apache-2.0", "acknowledgement": "declared"}}],
        "hashes": [{"alg": "SHA-256", "content": digest(wheel)}],
    }
    document.setdefault("metadata", {})["component"] = package
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    direct = {NAME.findall(each)[0] for each in config["project"]["dependencies"]}
    document.setdefault("dependencies", []).append(
        {
            "ref": DISTRIBUTION,
            "dependsOn": sorted(
                each["bom-ref"] for each in components if each["name"].lower() in direct
            ),
        }
    )
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def pinned(text: str) -> dict[str, tuple[str, list[str]]]:
    """Return version and hashes by name, of a file that `uv export` wrote."""
    pins: dict[str, tuple[str, list[str]]] = {}
    hashes: list[str] = []
    for line in text.splitlines():
        if found := PINNED.match(line):
            hashes = []
            pins[found["name"].lower()] = (found["version"], hashes)
        hashes += HASH.findall(line)
    return pins


def digest(file: Path) -> str:
    """Return a file's SHA-256."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def main() -> int:
    """Run one step; a refusal is one line and exit code 1."""
    parser = argparse.ArgumentParser(description="The steps of a release.")
    steps = parser.add_subparsers(dest="step", required=True)
    steps.add_parser("check").add_argument("tag")
    building = steps.add_parser("build")
    building.add_argument("tag")
    building.add_argument("folder", type=Path)
    building.add_argument("--runtime", type=Path, required=True)
    given = parser.parse_args()
    try:
        if given.step == "check":
            check(given.tag)
        else:
            build(given.tag, given.folder, given.runtime)
    except Refused as refused:
        print(f"tools/release: {refused}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
