"""The plugins of docs/plugins/beyond-routes.md, installed, in a gateway with two workers."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from omni_gateway.omni import OmniClient, OmniConfig
from omni_gateway.sdk.omni import types
from tests.api.guide_page import BLOCK, PAGES, names_of
from tests.e2e.conftest import Served, omni_environ, start_gateway, stop_gateway

pytestmark = pytest.mark.slow

Wait = Callable[..., object]
SPEC = {"match_labels": ["omni.sidero.dev/platform = metal"]}
PLUGINS = ("racks_of_clusters", "births", "census", "rack_map")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a distribution whose module has the blocks of the page."""
    folder = tmp_path_factory.mktemp("site")
    names_of("beyond-routes.md", folder)  # for the templates
    (folder / "acme_racks.py").write_text("\n".join(BLOCK.findall((PAGES / "beyond-routes.md").read_text())))
    info = folder / "acme_racks-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-racks\nVersion: 1.0\n")
    plugins = [f"acme-{name} = acme_racks:{name}" for name in PLUGINS]
    groups = ["[omni_gateway.resources]", *plugins, "[omni_gateway.commands]", "racks = acme_racks:racks_command"]
    (info / "entry_points.txt").write_text("\n".join(groups))
    return folder


@pytest.fixture(scope="module")
def extended(
    installed: Path, omni: OmniClient, omni_config: OmniConfig, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """The gateway, with a machine class that is there when it starts."""
    omni.resources.create(types.MACHINE_CLASSES, "beyond-before", SPEC)
    environ = {**omni_environ(omni_config), "OMNI_GATEWAY_WORKERS": "2", "PYTHONPATH": str(installed)}
    served = start_gateway(tmp_path_factory.mktemp("extended"), environ, ["reader"])
    yield served
    stop_gateway(served)
    omni.resources.remove(types.MACHINE_CLASSES, "beyond-before")


@pytest.fixture
def client(extended: Served) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {extended.tokens['reader']}"}
    with httpx.Client(base_url=extended.url, headers=headers, timeout=60) as client:
        yield client


def test_each_worker_calls_a_handler_and_a_metric_is_the_sum_of_both(
    client: httpx.Client, omni: OmniClient, wait_until: Wait
) -> None:
    def counted(kind: str) -> float:
        name = rf'^omni_gateway_plugin_census_changes_total{{kind="{kind}"}} (\S+)$'
        return sum(map(float, re.findall(name, client.get("/metrics").text, flags=re.M)))

    present = len(omni.resources.list(types.MACHINE_CLASSES).items)
    wait_until(lambda: counted("present") == 2 * present)
    omni.resources.create(types.MACHINE_CLASSES, "beyond-after", SPEC)
    wait_until(lambda: counted("created") == 2)
    omni.resources.remove(types.MACHINE_CLASSES, "beyond-after")


def test_pages_and_routes_below_clusters_answer(client: httpx.Client) -> None:
    assert '<table id="racks">' in client.get("/pages/rack-map").text
    assert client.get("/api/v1/clusters/never/racks").json()["code"] == "not-found"


def test_its_command_is_one_of_omni_gateways(installed: Path, omni_config: OmniConfig) -> None:
    environ = {**os.environ, **omni_environ(omni_config), "PYTHONPATH": str(installed)}
    command = [sys.executable, "-m", "omni_gateway.cli", "racks", "list"]
    assert subprocess.run(command, env=environ, check=True, timeout=60).returncode == 0
