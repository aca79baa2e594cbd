"""Extras of the package: what `pip install 'openai-ekm-aws[demo]'` brings is what the tests run."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
CONFIG = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_the_demo_has_the_pins_of_the_tests() -> None:
    """Guards against: a demo with another LocalStack than the one that every test runs."""
    demo = CONFIG["project"]["optional-dependencies"]["demo"]
    marker = "; python_version == '3.13'"
    pinned = [each.removesuffix(marker) for each in demo if each.endswith(marker)]
    tested = CONFIG["dependency-groups"]["localstack"]
    assert sorted(pinned) == sorted([*tested, *CONFIG["tool"]["uv"]["constraint-dependencies"]])
    extras = [each for each in demo if marker not in each]
    assert extras == ["openai-ekm-aws[operate]", "openai-ekm-aws[rehearsal]"]


def needed_by(requirements: list[str]) -> set[str]:
    """The packages that these bring, themselves included."""
    found: set[str] = set()
    waiting = [(Requirement(each), "") for each in requirements]
    while waiting:
        requirement, extra = waiting.pop()
        name = canonicalize_name(requirement.name)
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": extra}):
            continue
        if name not in found:
            found.add(name)
            waiting += [
                (Requirement(text), each)
                for text in requires(name) or ()
                for each in (requirement.extras or {""})
            ]
    return found


def test_an_apply_installs_nothing_of_an_extra() -> None:
    """Guards against: DuckDB, or a template engine, in every apply that registers a key."""
    text = (ROOT / "requirements" / "runtime.txt").read_text(encoding="utf-8")
    pins = re.findall(r"^([A-Za-z0-9._-]+)==", text, re.MULTILINE)
    installed = {canonicalize_name(name) for name in pins}
    assert installed == needed_by(CONFIG["project"]["dependencies"])
    for name in ("operate", "rehearsal"):
        extra = {
            canonicalize_name(Requirement(each).name)
            for each in CONFIG["project"]["optional-dependencies"][name]
        }
        assert not extra & installed, name


def test_the_wheel_has_every_file_of_the_module() -> None:
    """Guards against: a new file of the root module that a rehearsal away from a checkout lacks."""
    wheel = CONFIG["tool"]["hatch"]["build"]["targets"]["wheel"]
    included = {name for name in wheel["force-include"] if name.endswith(".tf")}
    assert included == {file.name for file in ROOT.glob("*.tf")}
    assert {"modules", "examples/api-project", "requirements/runtime.txt"} < set(
        wheel["force-include"]
    )
