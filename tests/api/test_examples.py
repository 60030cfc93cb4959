"""The packages in ``examples/``: made by ``plugin new``, current, built, installed, and held to the contract."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask

from omni_gateway.app import create_app
from omni_gateway.cli import main
from omni_gateway.omni import OmniClient
from omni_gateway.plugins.discovery import BrokenPlugin
from omni_gateway.settings import Settings

from .conftest import Caller

pytestmark = pytest.mark.packages

PACKAGES = sorted((Path(__file__).parents[2] / "examples").glob("omni-gateway-plugin-*"))
MACHINE = "00000000-0000-4000-8000-00000000abcd"


@pytest.fixture(scope="module")
def installed(app: Flask, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The packages, built into wheels and installed where only this test looks.

    The application that other files share is made before, so it has none of them.
    """
    target, sources = tmp_path_factory.mktemp("site"), tmp_path_factory.mktemp("sources")
    copies = [shutil.copytree(package, sources / package.name) for package in PACKAGES]
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--target"]
    subprocess.run([*command, str(target), *map(str, copies)], check=True)
    sys.path.insert(0, str(target))
    importlib.invalidate_caches()
    yield target
    sys.path.remove(str(target))
    names = tuple(path.name for path in target.glob("omni_gateway_*") if path.is_dir())
    for name in [name for name in sys.modules if name.startswith(names)]:
        del sys.modules[name]


@pytest.fixture(scope="module")
def example_settings(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    racks = {"OMNI_GATEWAY_RACKS_DATABASE": f"sqlite:///{tmp_path_factory.mktemp('racks') / 'racks.sqlite'}"}
    return replace(settings, environ=racks)


@pytest.fixture(scope="module")
def extended(installed: Path, example_settings: Settings) -> Flask:
    return create_app(example_settings)


@pytest.fixture
def caller(extended: Flask, tokens: dict[str, str]) -> Caller:
    return Caller(extended.test_client(), tokens["admin"])


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_an_example_is_what_the_newest_templates_make(package: Path) -> None:
    said = CliRunner().invoke(main, ["plugin", "update", str(package), "--check"])
    assert said.exit_code == 0, said.output


def test_their_routes_are_in_the_document_with_tags_and_schemas(extended: Flask) -> None:
    document = json.loads(extended.test_client().get("/openapi.json").data)
    assert {"/api/v1/racks", "/api/v1/racks/{id}", "/api/v1/tunnels", "/api/v1/capacity"} <= set(document["paths"])
    assert {"Rack", "GRPCTunnelConfig", "CapacityCounts"} <= set(document["components"]["schemas"])


def test_the_plugins_command_lists_them_with_their_distributions(installed: Path) -> None:
    said = CliRunner().invoke(main, ["plugins"])
    row = next(line.split() for line in said.output.splitlines() if line.startswith("racks"))
    assert row == ["racks", "omni-gateway-plugin-racks", "0.1.0", "/api/v1/racks", ">=2.1,<3", "loaded"]


def test_a_wrong_setting_of_a_plugin_stops_the_start_by_its_name(installed: Path, example_settings: Settings) -> None:
    environ = {**example_settings.environ, "OMNI_GATEWAY_CAPACITY_MACHINES": "many"}
    with pytest.raises(BrokenPlugin, match=r"plugin 'capacity' .* OMNI_GATEWAY_CAPACITY_MACHINES"):
        create_app(replace(example_settings, environ=environ))


@pytest.fixture(scope="module")
def own_tests(installed: Path) -> str:
    """What the packages' own tests say, run as their authors run them: in a process of their own, by the kit."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("OMNI")}
    folders = [str(package / "tests") for package in PACKAGES]
    command = [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", "--tb=short", *folders]
    answer = subprocess.run(command, env={**env, "PYTHONPATH": str(installed)}, cwd=installed, capture_output=True)
    said = answer.stdout.decode() + answer.stderr.decode()
    assert answer.returncode == 0, said[-5000:]
    return said


@pytest.mark.timeout(300)
def test_each_passes_more_than_sixty_checks_that_its_author_did_not_write(own_tests: str) -> None:
    for name in ("TestRacks", "TestTunnels"):
        passed = [line for line in own_tests.splitlines() if f"::{name}::" in line and " PASSED" in line]
        assert len(passed) > 150
    assert " SKIPPED" not in own_tests


def test_the_checks_that_do_not_apply_are_named_with_their_reasons(own_tests: str) -> None:
    assert "TestRacks (racks):" in own_tests
    assert "the example belongs to no cluster" in own_tests


def test_an_omni_type_is_really_in_omni(caller: Caller, omni: OmniClient) -> None:
    caller.post("tunnels", json={"id": f"{MACHINE}1", "enabled": True})
    assert omni.resources.get("GRPCTunnelConfigs.omni.sidero.dev", f"{MACHINE}1")["spec"] == {"enabled": True}
