"""A package of each kind as ``plugin new`` makes it: built, installed, served, checked."""

from __future__ import annotations

import importlib
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
from omni_gateway.scaffold.examples import EXAMPLES
from omni_gateway.settings import Settings

from .conftest import Caller

pytestmark = pytest.mark.packages

ROOT = Path(__file__).parents[2]
PACKAGES = {
    "grpc-tunnel-configs": ["--type", "GRPCTunnelConfigs"],
    "racks": ["--kind", "own-backend", "--field", "title:string", "--field", "height:integer"],
    "capacity": ["--kind", "service"],
}
MODULES = tuple(f"omni_gateway_{name.replace('-', '_')}" for name in PACKAGES)


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("packages")
    for name, words in PACKAGES.items():
        answer = CliRunner().invoke(main, ["plugin", "new", name, *words, "--dir", str(folder / name)])
        assert answer.exit_code == 0, answer.output
    return folder


@pytest.fixture(scope="module")
def extended(packages: Path, settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The application with the packages, installed from their wheels where only this test looks."""
    target = tmp_path_factory.mktemp("site")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--target", str(target), *map(str, sorted(packages.iterdir()))], check=True)
    database = f"sqlite:///{tmp_path_factory.mktemp('database')}/racks.sqlite"
    environ = {"OMNI_GATEWAY_RACKS_DATABASE": database, "OMNI_GATEWAY_CAPACITY_MACHINES": "30"}
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(target)
        importlib.invalidate_caches()
        yield create_app(replace(settings, environ=environ))
    for name in [name for name in sys.modules if name.startswith(MODULES)]:
        del sys.modules[name]


@pytest.fixture
def caller(extended: Flask, tokens: dict[str, str]) -> Caller:
    return Caller(extended.test_client(), tokens["operator"])


def test_objects_of_an_omni_type_are_made_read_and_removed(caller: Caller) -> None:
    made = caller.post("grpc-tunnel-configs", json={"id": "scaffolded", "enabled": True})
    assert made.status_code == 201
    assert caller.get("grpc-tunnel-configs/scaffolded").json["enabled"] is True
    assert caller.delete("grpc-tunnel-configs/scaffolded").status_code == 204


def test_objects_of_an_own_back_end_are_kept_in_its_database(caller: Caller) -> None:
    made = caller.post("racks", json={"id": "a1", "title": "Left", "height": 42})
    assert made.status_code == 201
    assert caller.post("racks", json={"id": "a1", "title": "Right"}).status_code == 409
    changed = caller.patch("racks/a1", json={"title": "Right"}, headers={"If-Match": made.headers["ETag"]})
    assert (changed.json["title"], changed.json["height"]) == ("Right", 42)
    assert caller.put("racks/a1", json={"title": "x"}, headers={"If-Match": made.headers["ETag"]}).status_code == 412
    assert [item["id"] for item in caller.get("racks?sort=-height").json] == ["a1"]
    assert caller.delete("racks/a1").status_code == 204
    assert caller.get("racks/a1").status_code == 404


def test_a_service_computes_its_document_and_runs_its_action(caller: Caller) -> None:
    counted = caller.get("capacity").json
    machines = counted["machines"]
    assert counted["wanted"] == 30
    assert machines == len(caller.get("machines?page_size=1000").json)
    checked = caller.post("capacity/actions/check", json={"machines": machines + 1})
    assert checked.json == {"enough": False, "machines": machines}


@pytest.mark.parametrize("type", EXAMPLES)
def test_the_examples_of_types_that_omni_looks_into_are_accepted(api: Caller, type: str) -> None:
    body, change = EXAMPLES[type]
    document = {"id": "scaffolded", "labels": body.get("labels", {})}
    spec = {name: value for name, value in body.items() if name != "labels"}
    assert api.post(f"resources/{type}", json={**document, "spec": spec}).status_code == 201
    assert api.patch(f"resources/{type}/scaffolded", json={"spec": change}).status_code == 200
    assert api.delete(f"resources/{type}/scaffolded").status_code == 204


@pytest.mark.parametrize("name", PACKAGES)
def test_a_new_package_has_the_highest_grade(packages: Path, name: str) -> None:
    answer = CliRunner().invoke(main, ["plugin", "check", str(packages / name), "--grade", "platinum"])
    assert (answer.exit_code, answer.stderr) == (0, ""), answer.output
    assert answer.output.splitlines()[-1].split()[-1] == "platinum"


def test_the_code_of_new_packages_passes_mypy(packages: Path) -> None:
    modules = [str(file.parent) for file in packages.glob("*/omni_gateway_*/py.typed")]
    # From the repository's root, so that what is known of the gateway's own modules is used again.
    done = subprocess.run([sys.executable, "-m", "mypy", *modules], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode < 2, done.stdout + done.stderr
    assert [line for line in done.stdout.splitlines() if line.startswith(str(packages))] == []
    assert len(modules) == len(PACKAGES)
