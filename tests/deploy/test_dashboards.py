"""The dashboards of Grafana: each query runs at a Prometheus that scraped a gateway, and finds what it must."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from omni_gateway.simulator.embedded import running_simulator
from tests.deploy.prometheus import DEPLOY, Prometheus, needs_prometheus, running_prometheus
from tests.e2e.conftest import free_port, start_gateway, stop_gateway

pytestmark = [pytest.mark.deploy, needs_prometheus, pytest.mark.timeout(300)]

#: What Grafana puts in for its variables.
VARIABLES = {"$__rate_interval": "30s", "$instance": ".*", "$cluster": ".*"}
#: Series that there are only while something is wrong, or that a fleet without clusters does not have.
MAY_BE_EMPTY = (
    "omni_exporter_cluster_",
    "omni_exporter_machine_set_",
    "omni_exporter_machine_connected == 0",
    "omni_cluster_machines",
    "omni_gateway_operations",
    "omni_gateway_audit_entries_total",
)


def panels(dashboard: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(dashboard.read_text())["panels"]
    return found


QUERIES = [
    pytest.param(target["expr"], id=f"{dashboard.stem}-{panel['title']}-{target['refId']}")
    for dashboard in sorted((DEPLOY / "grafana").glob("*.json"))
    for panel in panels(dashboard)
    for target in panel.get("targets", ())
]


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    folder = tmp_path_factory.mktemp("dashboards")
    with ExitStack() as stack:
        simulator = stack.enter_context(running_simulator(fleet=6, speed=60))
        metrics = f"127.0.0.1:{free_port()}"
        environ = {
            "OMNI_ENDPOINT": simulator.endpoint,
            "OMNI_SERVICE_ACCOUNT_KEY": simulator.key,
            "OMNI_GATEWAY_METRICS_BIND": metrics,
        }
        served = start_gateway(folder, environ, ["reader"])
        stack.callback(stop_gateway, served)
        headers = {"Authorization": f"Bearer {served.tokens['reader']}"}
        with httpx.Client(base_url=f"{served.url}/api/v1/", headers=headers, timeout=60) as api:
            for path in ("machines", "machines", "clusters", "clusters/none"):
                api.get(path)
        yield stack.enter_context(running_prometheus(folder, metrics))


@pytest.mark.parametrize("expression", QUERIES)
def test_each_query_finds_something(expression: str, prometheus: Prometheus, wait_until: Callable[..., Any]) -> None:
    for variable, value in VARIABLES.items():
        expression = expression.replace(variable, value)
    if any(name in expression for name in MAY_BE_EMPTY):
        prometheus.query(expression)
    else:
        wait_until(lambda: prometheus.query(expression), 120, f"a result of {expression}")


@pytest.mark.parametrize("dashboard", sorted((DEPLOY / "grafana").glob("*.json")), ids=lambda path: path.stem)
def test_panels_have_places_and_numbers_of_their_own(dashboard: Path) -> None:
    shown = panels(dashboard)
    assert len({panel["id"] for panel in shown}) == len(shown)
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in shown]
    assert len(set(places)) == len(places)
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in shown)
