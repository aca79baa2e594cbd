"""Extras of the package: what `pip install 'openai-ekm-aws[demo]'` brings is what the tests run."""

from __future__ import annotations

import tomllib
from pathlib import Path

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


def test_the_wheel_has_every_file_of_the_module() -> None:
    """Guards against: a new file of the root module that a rehearsal away from a checkout lacks."""
    wheel = CONFIG["tool"]["hatch"]["build"]["targets"]["wheel"]
    included = {name for name in wheel["force-include"] if name.endswith(".tf")}
    assert included == {file.name for file in ROOT.glob("*.tf")}
    assert {"modules", "examples/api-project", "requirements/runtime.txt"} < set(
        wheel["force-include"]
    )
