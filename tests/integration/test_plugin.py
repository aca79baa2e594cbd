"""The pytest plugin in runs of its own: what it offers, and that pytest-terraform works."""

from __future__ import annotations

import pytest


def test_its_fixtures_are_documented(pytester: pytest.Pytester) -> None:
    """A user would find a fixture in `pytest --fixtures` that says nothing about itself."""
    shown = pytester.runpytest_subprocess("--fixtures", "-q").stdout.str()
    ours = shown.partition("fixtures defined from ekm.harness.plugin")[2].partition("-----\n")[2]
    ours = ours.partition("\n-----")[0]
    for name in (
        "ekm_localstack",
        "ekm_openai_server",
        "ekm_openai",
        "ekm_workspace",
        "ekm_environment",
    ):
        assert f"{name} " in ours
    assert "no docstring available" not in ours


def test_a_run_that_needs_no_terraform_runs_without_it(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """pytest-terraform would stop every run on a machine without Terraform, unit tests too."""
    monkeypatch.setenv("PATH", "/nowhere")
    pytester.makepyfile("def test_a():\n    pass\n")
    pytester.runpytest_subprocess().assert_outcomes(passed=1)


def test_the_remedy_of_an_error_is_shown(pytester: pytest.Pytester) -> None:
    """Who reads a log of CI learns what failed, and not what to do."""
    pytester.makepyfile(
        """
        from ekm.errors import BadInput

        def test_a():
            raise BadInput("gone", "It is not there.", remedy="Install it.")
        """
    )
    shown = pytester.runpytest_subprocess().stdout
    shown.fnmatch_lines(["E * ekm.errors.BadInput: It is not there.", "E * remedy: Install it."])


def test_shared_pytest_terraform_fixtures_load_in_a_second_worker(
    pytester: pytest.Pytester,
) -> None:
    """Under xdist a session fixture of pytest-terraform fails in every worker but the first."""
    pytester.makepyfile(
        """
        import json
        from pytest_terraform import tf

        def test_load(tmp_path):
            file = tmp_path / "tf_resources.json"
            file.write_text(json.dumps({"pytest-terraform": 1, "resources": {}, "outputs": {}}))
            assert tf.TerraformTestApi.load(str(file)).outputs == {}
        """
    )
    pytester.runpytest_subprocess().assert_outcomes(passed=1)


def test_a_setting_comes_from_the_ini_file_or_the_command_line(pytester: pytest.Pytester) -> None:
    """A user could not choose the Region, or a command line could not overrule the file."""
    pytester.makeini("[pytest]\nekm_region = eu-north-1\n")
    pytester.makepyfile(
        """
        from ekm.harness.plugin import _setting

        def test_region(pytestconfig, request):
            assert _setting(pytestconfig, "ekm_region") == EXPECTED
        """.replace("EXPECTED", "__import__('os').environ['EXPECTED']")
    )
    for words, expected in (((), "eu-north-1"), (("--ekm-region", "us-east-1"), "us-east-1")):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("EXPECTED", expected)
            pytester.runpytest_subprocess(*words).assert_outcomes(passed=1)


def test_what_a_test_does_to_the_emulator_is_undone(pytester: pytest.Pytester) -> None:
    """A fault that one test switches on would fail the tests after it."""
    pytester.makepyfile(
        """
        def test_first(ekm_openai):
            ekm_openai.set_faults("server-error=5", slow={"times": 3, "seconds": 1})
            ekm_openai.set_settings(feature_enabled=False)
            ekm_openai.control("GET", "health")
            assert len(ekm_openai.control("GET", "faults")["faults"]) == 2

        def test_second(ekm_openai):
            assert ekm_openai.control("GET", "faults")["faults"] == []
            assert ekm_openai.settings()["feature_enabled"] is True
            assert ekm_openai.calls() == []
            ekm_openai.api("GET", "/organization/external_keys")
            assert ekm_openai.calls() == ["GET /v1/organization/external_keys 200"]
        """
    )
    pytester.runpytest_subprocess().assert_outcomes(passed=2)
