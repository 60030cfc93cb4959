"""Commands that other packages add to the command line: imported when they are called, and no earlier."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from omni_gateway.cli import main
from omni_gateway.cli.third_party_commands import faults
from omni_gateway.simulator.embedded import RunningSimulator
from tests.api.guide_page import names_of

Install = Callable[..., None]

SOURCE = """
import click

@click.command()
@click.argument("name")
def greet(name):
    "Greet somebody."
    click.echo(f"hello {name}")

not_a_command = 42
"""


@pytest.fixture
def install(tmp_path: Path) -> Iterator[Install]:
    """Install a distribution with the commands given: name → target in its module."""
    modules: list[str] = []

    def make(distribution: str = "acme-racks", source: str = SOURCE, **commands: str) -> None:
        module = distribution.replace("-", "_")
        modules.append(module)
        sys.modules.pop(module, None)  # of another test file
        (tmp_path / f"{module}.py").write_text(source)
        info = tmp_path / f"{distribution}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
        lines = [f"{name.replace('_', '-')} = {module}:{target}" for name, target in commands.items()]
        (info / "entry_points.txt").write_text("\n".join(["[omni_gateway.commands]", *lines]))

    sys.path.insert(0, str(tmp_path))
    yield make
    sys.path.remove(str(tmp_path))
    for module in modules:
        sys.modules.pop(module, None)


def run(*words: str) -> Result:
    return CliRunner().invoke(main, words)


def test_a_command_of_another_package_is_called_with_its_arguments(install: Install) -> None:
    install(racks="greet")
    assert run("racks", "world").output == "hello world\n"


def test_the_help_lists_it_without_importing_it(install: Install) -> None:
    install(racks="greet", source="raise RuntimeError('imported')")
    shown = run("--help")
    assert (shown.exit_code, "acme_racks" in sys.modules) == (0, False)
    assert "Commands of plugins:\n  racks  Of acme-racks 1.0.\n" in shown.output


def test_another_command_does_not_import_it(install: Install) -> None:
    install(racks="greet", source="raise RuntimeError('imported')")
    assert run("token", "--help").exit_code == 0
    assert "acme_racks" not in sys.modules


def test_one_of_the_gateways_own_names_is_never_called_and_stops_the_start(install: Install, tmp_path: Path) -> None:
    install(token="greet")
    assert "Create, list and revoke" in run("token", "--help").output

    # In a process of its own: `serve` turns the garbage collector off, and sets where metrics are kept.
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "OMNI_GATEWAY_STATE_DIR": str(tmp_path / "state")}
    serve = [sys.executable, "-c", "from omni_gateway.cli import main; main()", "serve", "--bind", "127.0.0.1:0"]
    started = subprocess.run(serve, env=environment, capture_output=True, text=True)

    assert started.returncode == 1
    assert "Error: the command 'token' of acme-racks 1.0 has the name of one of the gateway's own" in started.stderr


def test_two_packages_with_one_command_are_both_named(install: Install) -> None:
    install(racks="greet")
    install("other-racks", racks="greet")
    refused = run("racks", "world")
    assert refused.exit_code == 1
    assert "the command 'racks' is brought by acme-racks 1.0 and by other-racks 1.0" in refused.output


def test_a_name_with_a_space_is_a_fault(install: Install) -> None:
    install(**{"my racks": "greet"})
    [fault] = faults(main)
    assert fault == "the command 'my racks' of acme-racks 1.0 takes more than lower-case letters, digits and -"


@pytest.mark.parametrize(
    ("source", "target", "words"),
    [
        ("raise RuntimeError('no licence')", "greet", "RuntimeError: no licence"),
        (SOURCE, "not_a_command", "is a int, not a click.Command"),
        (SOURCE, "missing", "has no attribute 'missing'"),
    ],
)
def test_what_cannot_be_called_is_one_line_with_package_and_cause(
    install: Install, source: str, target: str, words: str
) -> None:
    install(racks=target, source=source)
    refused = run("racks")
    assert refused.output.startswith(f"Error: the command 'racks' (acme_racks:{target}) of acme-racks 1.0")
    assert words in refused.output
    assert refused.output.count("\n") == 1


def test_the_command_of_a_disabled_plugin_is_refused(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    install(racks="greet")
    monkeypatch.setenv("OMNI_GATEWAY_PLUGINS_DISABLED", "racks")
    assert run("racks", "world").output == "Error: 'racks' is disabled by OMNI_GATEWAY_PLUGINS_DISABLED\n"


def test_an_unknown_command_is_refused_as_before() -> None:
    assert "No such command 'rakcs'" in run("rakcs").output


def test_the_guides_command_reads_the_omni_of_the_settings(
    simulator: RunningSimulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    command = names_of("beyond-routes.md", tmp_path)["racks_command"]
    monkeypatch.setenv("OMNI_ENDPOINT", simulator.endpoint)
    monkeypatch.setenv("OMNI_SERVICE_ACCOUNT_KEY", simulator.key)
    assert CliRunner().invoke(command, ["list"]).exit_code == 0
    monkeypatch.delenv("OMNI_ENDPOINT")
    missing = CliRunner().invoke(command, ["list"])
    assert missing.output == "Error: OMNI_ENDPOINT is not set: the command needs an Omni\n"
