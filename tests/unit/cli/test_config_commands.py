"""``omni-gateway config``: what an operator and a pipeline learn of the settings before a start."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import pytest
from click.testing import CliRunner, Result

from omni_gateway.cli import main
from omni_gateway.cli.settings_check import unknown_variables
from omni_gateway.plugins.discovery import Found, discover

Run = Callable[..., Result]


@pytest.fixture(scope="module")
def plugins() -> Sequence[Found]:
    return discover()


@pytest.fixture
def run(plugins: Sequence[Found], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run ``config`` with these variables alone; the plugins are loaded once."""
    monkeypatch.setattr("omni_gateway.cli.config_commands._plugins", lambda disabled: plugins)

    def invoke(*words: str, **environ: str) -> Result:
        with monkeypatch.context() as patched:
            patched.setattr("os.environ", environ)
            return CliRunner().invoke(main, ["config", *words])

    return invoke


def test_valid_settings_are_told_and_end_with_zero(run: Run) -> None:
    checked = run("check", OMNI_GATEWAY_THREADS="32")
    assert (checked.exit_code, checked.output) == (0, "The settings are valid.\n")


def test_every_wrong_value_is_told_and_not_only_the_first(run: Run) -> None:
    checked = run("check", OMNI_GATEWAY_THREADS="many", OMNI_GATEWAY_FLEET="few", OMNI_GATEWAY_THREAD="8")
    assert checked.exit_code == 1
    assert [line.split(" ")[1] for line in checked.output.splitlines()] == [
        "OMNI_GATEWAY_THREADS:",
        "OMNI_GATEWAY_FLEET:",
        "OMNI_GATEWAY_THREAD",
    ]


def test_settings_that_do_not_go_together_are_wrong_too(run: Run) -> None:
    checked = run("check", OMNI_GATEWAY_AUTH="off", OMNI_GATEWAY_BIND="0.0.0.0:8080")
    assert checked.exit_code == 1
    assert "OMNI_GATEWAY_AUTH=off makes everybody an admin" in checked.output


def test_unknown_names_alone_have_an_exit_code_of_their_own(run: Run) -> None:
    checked = run("check", "--output", "json", OMNI_ENDPIONT="http://127.0.0.1:1", OMNI_GATEWAY_COLOUR="red")
    assert checked.exit_code == 3
    assert json.loads(checked.output) == {
        "valid": True,
        "errors": [],
        "unknown": [
            {"variable": "OMNI_ENDPIONT", "nearest": "OMNI_ENDPOINT"},
            {"variable": "OMNI_GATEWAY_COLOUR", "nearest": None},
        ],
    }


def test_a_missing_file_of_settings_is_the_only_error(run: Run) -> None:
    checked = run("check", "--output", "json", OMNI_GATEWAY_CONFIG_FILE="/nowhere")
    assert checked.exit_code == 1
    assert json.loads(checked.output)["errors"] == [
        "OMNI_GATEWAY_CONFIG_FILE names '/nowhere', and there is no such file"
    ]


@pytest.mark.parametrize("words", [[], ["show"]])
def test_the_settings_in_effect_are_shown_with_their_sources(run: Run, words: list[str]) -> None:
    shown = run(*words, OMNI_GATEWAY_BOOTSTRAP_TOKEN="b" * 40)
    assert shown.exit_code == 0
    rows = [line.split() for line in shown.output.splitlines()]
    assert ["OMNI_GATEWAY_BOOTSTRAP_TOKEN", "environment", "***"] in rows
    assert ["OMNI_GATEWAY_THREADS", "default", "16"] in rows


def test_the_settings_in_effect_are_shown_to_programs(run: Run) -> None:
    shown = json.loads(run("show", "--output", "json", OMNI_GATEWAY_REDIS_URL="redis://:pa55word@r/0").output)
    redis = {"variable": "OMNI_GATEWAY_REDIS_URL", "source": "environment", "value": "***", "secret": True}
    assert redis in shown


def test_variables_that_are_not_meant_for_the_gateway_are_left_alone() -> None:
    kubernetes = ("OMNI_GATEWAY_PORT", "OMNI_GATEWAY_SERVICE_HOST", "OMNI_PORT_443_TCP_ADDR")
    plugin = Found("racks", "acme:plugin", "acme", "1", "disabled")
    others = (*kubernetes, "SIDERO_REGION", "OMNI_GATEWAY_RACKS_URL", "OMNI_SERVICE_ACCOUNT_KEY_FILE")
    assert unknown_variables(dict.fromkeys(others, "x"), [plugin]) == []
