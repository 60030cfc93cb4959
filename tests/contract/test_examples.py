"""A third party's package: built, installed, and held to the same contract as the built-in resources."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from omni_gateway.app import create_app
from omni_gateway.omni import OmniClient
from omni_gateway.settings import Settings

from .conftest import Caller

pytestmark = pytest.mark.slow

PACKAGE = Path(__file__).parents[2] / "examples" / "omni-gateway-plugin-extras"
MACHINE = "00000000-0000-4000-8000-00000000abcd"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The example's package, built into a wheel and installed where only this test looks."""
    target, source = tmp_path_factory.mktemp("site"), tmp_path_factory.mktemp("source") / "package"
    subprocess.run(["cp", "-r", str(PACKAGE), str(source)], check=True)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--target"]
    subprocess.run([*command, str(target), str(source)], check=True)
    sys.path.insert(0, str(target))
    importlib.invalidate_caches()
    yield target
    sys.path.remove(str(target))
    for name in [name for name in sys.modules if name.startswith("omni_gateway_extras")]:
        del sys.modules[name]


@pytest.fixture(scope="module")
def extended(installed: Path, settings: Settings) -> Flask:
    return create_app(replace(settings))


@pytest.fixture
def caller(extended: Flask, tokens: dict[str, str]) -> Caller:
    return Caller(extended.test_client(), tokens["admin"])


def test_its_routes_are_in_the_document_with_tags_and_schemas(extended: Flask) -> None:
    document = json.loads(extended.test_client().get("/openapi.json").data)
    assert {"/api/v1/runbooks", "/api/v1/runbooks/{id}", "/api/v1/grpc-tunnel-configs"} <= set(document["paths"])
    assert {"Runbook", "GRPCTunnelConfig"} <= set(document["components"]["schemas"])


def test_the_plugins_command_lists_it_with_its_distribution(installed: Path) -> None:
    env = {**os.environ, "PYTHONPATH": str(installed)}
    answer = subprocess.run(
        [sys.executable, "-m", "omni_gateway.cli", "plugins"], env=env, capture_output=True, check=True
    )
    row = next(line.split() for line in answer.stdout.decode().splitlines() if line.startswith("runbooks"))
    assert row == ["runbooks", "omni-gateway-plugin-extras", "0.1.0", "/api/v1/runbooks", ">=2.0,<3", "loaded"]


@pytest.fixture(scope="module")
def own_tests(installed: Path) -> str:
    """What the package's own tests say, run as its author runs them: in a process of their own, by the kit."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("OMNI")}
    command = [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", "--tb=short", str(PACKAGE / "tests")]
    answer = subprocess.run(command, env={**env, "PYTHONPATH": str(installed)}, cwd=installed, capture_output=True)
    said = answer.stdout.decode() + answer.stderr.decode()
    assert answer.returncode == 0, said[-5000:]
    return said


@pytest.mark.timeout(300)
def test_it_passes_more_than_sixty_checks_for_each_plugin_that_its_author_did_not_write(own_tests: str) -> None:
    for name in ("TestRunbooks", "TestGRPCTunnelConfigs"):
        passed = [line for line in own_tests.splitlines() if f"::{name}::" in line and " PASSED" in line]
        assert len(passed) > 150
    assert " SKIPPED" not in own_tests


def test_the_checks_that_do_not_apply_are_named_with_their_reasons(own_tests: str) -> None:
    assert "TestRunbooks (runbooks):" in own_tests
    assert "the example belongs to no cluster" in own_tests


def test_an_omni_type_is_really_in_omni(caller: Caller, omni: OmniClient) -> None:
    caller.post("grpc-tunnel-configs", json={"id": f"{MACHINE}1", "enabled": True})
    assert omni.resources.get("GRPCTunnelConfigs.omni.sidero.dev", f"{MACHINE}1")["spec"] == {"enabled": True}
