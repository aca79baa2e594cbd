"""The pytest plugin in runs of its own: what its fixtures and settings do."""

from __future__ import annotations

import pytest


def test_its_fixtures_are_documented(pytester: pytest.Pytester) -> None:
    """`pytest --fixtures` shows each fixture of the plugin with its documentation."""
    shown = pytester.runpytest_subprocess("--fixtures", "-q").stdout.str()
    ours = shown.partition("fixtures defined from openai_ekm.rehearsal.plugin")[2].partition(
        "-----\n"
    )[2]
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


def test_the_remedy_of_an_error_is_shown(pytester: pytest.Pytester) -> None:
    """A failure of a test that uses a fixture of the plugin says what to do."""
    pytester.makepyfile(
        """
        from types import SimpleNamespace

        def test_a(ekm_workspace):
            ekm_workspace("module", openai=SimpleNamespace(environment=dict))
        """
    )
    shown = pytester.runpytest_subprocess(
        "--ekm-aws-endpoint=http://127.0.0.1:9", "--ekm-terraform=no-such-program"
    ).stdout
    shown.fnmatch_lines(
        [
            "E * openai_ekm.errors.BadInput: Terraform was not found*",
            "E * remedy: Install Terraform*",
        ]
    )


def test_a_setting_comes_from_the_ini_file_or_the_command_line(pytester: pytest.Pytester) -> None:
    """The ini file sets the Region, and the command line wins over it."""
    pytester.makeini("[pytest]\nekm_region = eu-north-1\n")
    pytester.makepyfile(
        """
        from openai_ekm.rehearsal.plugin import _setting

        def test_region(pytestconfig, request):
            assert _setting(pytestconfig, "ekm_region") == EXPECTED
        """.replace("EXPECTED", "__import__('os').environ['EXPECTED']")
    )
    for words, expected in (((), "eu-north-1"), (("--ekm-region", "us-east-1"), "us-east-1")):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("EXPECTED", expected)
            pytester.runpytest_subprocess(*words).assert_outcomes(passed=1)


def test_what_a_test_does_to_the_emulator_is_undone(pytester: pytest.Pytester) -> None:
    """Guards against: a fault that one test switches on and that fails the tests after it."""
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
