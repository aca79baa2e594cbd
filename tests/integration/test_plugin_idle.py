"""The plugin does nothing in the test suite of somebody who only has the package installed.

Each test runs such a suite in a process of its own, in a folder outside this repository, once as it
is and once with `-p no:ekm`.
"""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass
from difflib import ndiff
from typing import Any

import pytest

from openai_ekm.rehearsal import REGION
from openai_ekm.rehearsal.plugin import FIXTURES, OPTIONS

WITHOUT = ("-p", "no:ekm")
OURS = {
    "openai_ekm",
    "openai_ekm._version",
    "openai_ekm.errors",
    "openai_ekm.rehearsal",
    "openai_ekm.rehearsal.plugin",
}
HEAVY = (
    "boto3",
    "botocore",
    "openai_ekm.emulator",
    "openai_ekm.diagnosis",
    "openai_ekm.proof",
    "openai_ekm.evaluation",
)

# Takes the place of both programs: it logs its name and command, and an apply writes a state.
PROGRAM = """\
#!{python}
import json, os, sys
with open(os.environ["PROGRAM_LOG"], "a") as log:
    print(os.path.basename(sys.argv[0]), sys.argv[1], file=log)
os.makedirs(os.environ["TF_DATA_DIR"], exist_ok=True)
for word in sys.argv:
    if word.startswith("-state=") and sys.argv[1] == "apply":
        with open(word.partition("=")[2], "w") as state:
            json.dump({{"resources": [], "outputs": {{}}}}, state)
"""

SUITE = """
    from pytest_terraform import tf, terraform

    @terraform("bucket")
    def test_of_one_function(bucket):
        assert bucket.outputs == {}

    @terraform("shared", scope="session", teardown=terraform.TEARDOWN_OFF)
    def test_of_a_shared_fixture(shared):
        assert shared.outputs == {}

    @terraform("shared", scope="session", teardown=terraform.TEARDOWN_OFF)
    def test_of_the_same_fixture_again(shared):
        assert shared.outputs == {}

    def test_that_a_shared_fixture_cannot_be_loaded():
        assert not hasattr(tf.TerraformTestApi, "load")

    def test_that_fails():
        assert {"one": 1} == {"one": 2}
"""

# Writes what a plugin could have changed: attributes of pytest-terraform's modules and classes,
# the environment, threads, warning filters, import hooks, and which modules are imported.
CONFTEST = """
    import json, os, sys, threading, types, warnings

    def look(value):
        if isinstance(value, (classmethod, staticmethod)):
            return [type(value).__name__, look(value.__func__)]
        if isinstance(value, types.FunctionType):
            return [value.__module__, value.__qualname__, value.__code__.co_filename]
        if isinstance(value, type) and value.__module__.startswith("pytest_terraform"):
            return {name: look(each) for name, each in sorted(vars(value).items())}
        if type(value).__name__ == "PlaceHolderValue":
            return str(value.value).partition(" object at ")[0]
        if isinstance(value, (str, int, bool, type(None))):
            return value
        return type(value).__qualname__

    def pytest_collection_finish(session):
        state = {
            "pytest_terraform": {
                name: {key: look(value) for key, value in sorted(vars(module).items())
                       if not key.startswith("__")}
                for name, module in sorted(sys.modules.items())
                if name.partition(".")[0] == "pytest_terraform"
            },
            "environment": {key: value for key, value in sorted(os.environ.items())
                            if not key.startswith("PYTEST_")},
            "threads": [type(thread).__name__ for thread in threading.enumerate()],
            "filters": [str(each) for each in warnings.filters],
            "import hooks": [look(type(each)) for each in sys.meta_path],
            "options": {key: look(value)
                        for key, value in sorted(vars(session.config.option).items())
                        if not key.startswith("ekm_") and key != "basetemp"},
            "items": [item.nodeid for item in session.items],
        }
        with open(os.environ["STATE_FILE"], "w") as file:
            json.dump({"state": state, "modules": sorted(sys.modules)}, file)
"""


@dataclass
class Outcome:
    """What one run of the suite printed, which programs it started, and what it found."""

    exit_code: int
    printed: str
    programs: list[str]
    state: dict[str, Any]
    modules: set[str]


def without_times(printed: str) -> str:
    """The text without what a slower run prints otherwise, and without the name of its folder.

    pytest fills the last line with "=" on both sides, and adds minutes after one minute.
    """
    last = re.compile(r"=+ (.+) in \d+\.\d+s(?: \(\d+:\d\d:\d\d\))? =+")
    return re.sub(r"runpytest-\d", "…", last.sub(r"\1 in …", printed))


class Suite:
    """The suite in its folder."""

    def __init__(self, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
        self.pytester = pytester
        self.log = pytester.path / "programs.log"
        self.state = pytester.path / "state.json"
        monkeypatch.setenv("PROGRAM_LOG", str(self.log))
        monkeypatch.setenv("STATE_FILE", str(self.state))

    def run(self, *words: str) -> Outcome:
        """Run the suite once."""
        for file in (self.log, self.state):
            file.unlink(missing_ok=True)
        done = self.pytester.runpytest_subprocess("--no-header", "-p", "no:cacheprovider", *words)
        found = json.loads(self.state.read_text()) if self.state.exists() else {}
        return Outcome(
            int(done.ret),
            without_times(done.stdout.str() + done.stderr.str()),
            self.log.read_text().splitlines() if self.log.exists() else [],
            found.get("state", {}),
            set(found.get("modules", ())),
        )


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Suite:
    """A suite built on pytest-terraform, on a machine with Terraform and OpenTofu."""
    programs = pytester.mkdir("programs")
    for name in ("terraform", "tofu"):
        program = programs / name
        program.write_text(PROGRAM.format(python=sys.executable))
        program.chmod(0o755)
    for name in ("bucket", "shared"):
        pytester.mkdir(name)
    monkeypatch.setenv("PATH", str(programs))
    pytester.makepyfile(test_suite=SUITE)
    pytester.makeconftest(CONFTEST)
    return Suite(pytester, monkeypatch)


@pytest.mark.parametrize("words", [(), ("-n", "1")], ids=["one-process", "workers"])
def test_pytest_terraform_behaves_as_without_the_plugin(
    suite: Suite, words: tuple[str, ...]
) -> None:
    """Guards against: a plugin that corrects pytest-terraform for suites that are not ours.

    It takes OpenTofu where both are installed, has no `load`, and destroys what a shared fixture
    applied: a suite may rely on each of them.
    """
    with_it, without_it = suite.run(*words), suite.run(*words, *WITHOUT)
    assert "4 passed" in without_it.printed
    assert "1 failed" in without_it.printed
    assert {line.partition(" ")[0] for line in without_it.programs} == {"tofu"}
    assert without_it.programs.count("tofu destroy") == 2
    assert without_it.state["pytest_terraform"]["pytest_terraform.tf"]["TerraformTestApi"]
    assert "openai_ekm.rehearsal.plugin" in with_it.modules
    assert "openai_ekm" not in without_it.modules
    assert with_it.state == without_it.state
    assert with_it.printed == without_it.printed
    assert with_it.programs == without_it.programs
    assert with_it.exit_code == without_it.exit_code


def test_a_run_without_terraform_ends_as_without_the_plugin(
    suite: Suite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guards against: a plugin that lets a run go on which pytest-terraform stops."""
    monkeypatch.setenv("PATH", "/nowhere")
    with_it, without_it = suite.run(), suite.run(*WITHOUT)
    assert "requires terraform binary on PATH" in without_it.printed
    assert with_it == without_it


def test_the_plugin_imports_no_library(suite: Suite) -> None:
    """Guards against: a slower start, and imports in another order than the suite's own.

    No other plugin is loaded, so that none imports first what ours would import.
    """
    suite.pytester.makepyfile(test_suite="def test_nothing():\n    pass\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
        with_it, without_it = suite.run("-p", "ekm"), suite.run()
    assert "1 passed" in with_it.printed
    assert with_it.modules - without_it.modules == OURS
    assert without_it.modules <= with_it.modules
    assert with_it.state == without_it.state
    assert not [name for name in HEAVY if name in suite.run().modules]


def test_an_error_of_the_package_is_shown_as_without_the_plugin(suite: Suite) -> None:
    """Guards against: a plugin that adds lines to the failures of a suite without its fixtures."""
    suite.pytester.makepyfile(
        test_suite="""
        from openai_ekm.errors import BadInput

        def test_that_fails():
            raise BadInput("gone", "It is not there.", remedy="Install it.")
        """
    )
    with_it, without_it = suite.run(), suite.run(*WITHOUT)
    assert "BadInput: It is not there." in without_it.printed
    assert with_it.printed == without_it.printed


def test_the_plugin_adds_options_and_ini_values_with_its_prefix_alone(
    pytester: pytest.Pytester,
) -> None:
    """Guards against: a name that another plugin or suite uses too, and one without help."""
    with_it, without_it = (
        pytester.runpytest_subprocess("--help", *words).stdout.lines for words in ((), WITHOUT)
    )
    changed = [line for line in ndiff(without_it, with_it) if line[0] in "+-" and line[1:].strip()]
    assert not [line for line in changed if line.startswith("-")]
    entries = [line.split()[1] for line in changed if re.match(r"\+ (  )?\S", line)]
    title, *names = (entry.partition("=")[0] for entry in entries)
    assert title == "OpenAI"  # the first word of the group's
    assert names == [*(f"--{name.replace('_', '-')}" for name in OPTIONS), *OPTIONS]
    assert all(name.startswith(("--ekm-", "ekm_")) for name in names)
    text = " ".join(" ".join(line[1:].split()) for line in changed)
    assert "OpenAI Enterprise Key Management: settings of the ekm_ fixtures:" in text
    for help_text in OPTIONS.values():
        assert text.count(help_text) == 2


def test_the_plugin_adds_fixtures_with_its_prefix_alone(pytester: pytest.Pytester) -> None:
    """Guards against: a fixture that takes the place of one of another plugin."""
    with_it, without_it = (
        pytester.runpytest_subprocess("--fixtures", *words).stdout.lines for words in ((), WITHOUT)
    )
    fixture = re.compile(r"(\w+)( \[.*\])? -- ")
    added = {match[1] for line in set(with_it) - set(without_it) if (match := fixture.match(line))}
    assert added == FIXTURES
    assert all(name.startswith("ekm_") for name in FIXTURES)


def test_the_help_names_the_region_that_is_used() -> None:
    """The default in the help text of `ekm_region` is the Region of the rehearsal."""
    assert f"(default: {REGION})" in OPTIONS["ekm_region"]
