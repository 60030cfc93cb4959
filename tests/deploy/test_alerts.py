"""Alerts as they fire: a gateway, an Omni with faults on demand, and a Prometheus that scrapes them each second.

The rules are those of deploy/, but for their times.
"""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest

from omni_gateway.simulator.embedded import RunningSimulator, running_simulator
from omni_gateway.simulator.machines import hardware
from omni_gateway.stubs import simulator_faults_pb2 as pb
from tests.deploy.prometheus import Prometheus, needs_prometheus, running_prometheus
from tests.e2e.conftest import Served, free_port, start_gateway

pytestmark = [pytest.mark.deploy, needs_prometheus, pytest.mark.timeout(600)]

#: Scrapes, rules and caches are quick here; the machine may not be.
FIRES_SECONDS = 300.0
CLUSTERS = "Clusters.omni.sidero.dev"
FRESH = {"Cache-Control": "no-cache"}
REFUSED = pb.Connections(mode=pb.Connections.REFUSED)
Wait = Callable[..., Any]


@dataclass
class World:
    """All that runs, and a client with an admin's token."""

    simulator: RunningSimulator
    served: Served
    prometheus: Prometheus
    metrics: str
    folder: Path
    api: httpx.Client

    def get(self, path: str, **options: Any) -> None:
        """Send a request whose answer does not matter."""
        with suppress(httpx.TransportError):
            self.api.get(path, **options)

    def sum_of(self, name: str) -> float:
        """Return the sum of a metric's series, as the gateway shows it now."""
        lines = httpx.get(self.metrics, timeout=60).text.splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{name}{{"))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("alerts")
    (folder / "audit").mkdir()
    _broken_plugin(folder / "plugins")
    metrics = f"127.0.0.1:{free_port()}"
    with ExitStack() as stack:
        simulator = stack.enter_context(running_simulator(fleet=10, speed=60))
        environ = {
            "OMNI_ENDPOINT": simulator.endpoint,
            "OMNI_SERVICE_ACCOUNT_KEY": simulator.key,
            "OMNI_GATEWAY_AUDIT_FILE": str(folder / "audit" / "lines"),
            "OMNI_GATEWAY_MAX_WATCHES": "2",
            "OMNI_GATEWAY_PLUGIN_ERRORS": "skip",
            "OMNI_GATEWAY_THREADS": "6",
            "OMNI_GATEWAY_MAX_STREAMS": "2",
            "OMNI_GATEWAY_MAX_WAITING": "1",
            "OMNI_GATEWAY_METRICS_BIND": metrics,
            "PYTHONPATH": str(folder / "plugins"),
        }
        served = start_gateway(folder, environ, ["admin"])
        stack.callback(_kill, served)
        token = served.tokens["admin"]
        prometheus = stack.enter_context(running_prometheus(folder, metrics))
        api = httpx.Client(base_url=f"{served.url}/api/v1/", headers={"Authorization": f"Bearer {token}"}, timeout=60)
        stack.callback(api.close)
        yield World(simulator, served, prometheus, f"http://{metrics}/metrics", folder, api)


def _broken_plugin(folder: Path) -> None:
    """Make a distribution whose plugin cannot be imported."""
    info = folder / "broken-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[omni_gateway.resources]\nbroken = nowhere:plugin\n")


def _kill(served: Served) -> None:
    with suppress(ProcessLookupError):
        served.process.send_signal(signal.SIGTERM)
    served.process.wait(60)


@pytest.fixture
def fires(world: World, wait_until: Wait) -> Callable[..., None]:
    """Wait until alerts fire, doing something again and again."""

    def wait(*names: str, meanwhile: Callable[[], object] = lambda: None) -> None:
        def all_fire() -> bool:
            meanwhile()
            return set(names) <= world.prometheus.firing()

        wait_until(all_fire, FIRES_SECONDS, f"{names} to fire")

    return wait


@pytest.fixture
def silent(world: World, wait_until: Wait) -> Callable[..., None]:
    """Wait until alerts do not fire: earlier tests have made them."""

    def wait(*names: str) -> None:
        up = "min(up) == 1 and on () omni_exporter_up == 1"
        wait_until(lambda: world.prometheus.query(up), FIRES_SECONDS, "Prometheus to have scraped everything")
        wait_until(lambda: not set(names) & world.prometheus.firing(), FIRES_SECONDS, f"{names} to be silent")

    return wait


def test_a_plugin_that_cannot_be_loaded(world: World, wait_until: Wait) -> None:
    wait_until(lambda: "OmniGatewayPluginBroken" in world.prometheus.firing(), FIRES_SECONDS, "the alert")


def test_an_omni_that_goes_away(world: World, fires: Callable[..., None], silent: Callable[..., None]) -> None:
    names = ("OmniGatewayOmniUnreachable", "OmniGatewayCacheStale", "OmniFleetMetricsMissing")
    silent(*names)
    with world.simulator.faults.during(pb.Rule(connections=REFUSED)):
        fires(*names)


def test_an_omni_that_cuts_watches(
    world: World, fires: Callable[..., None], silent: Callable[..., None], wait_until: Wait
) -> None:
    silent("OmniGatewayCacheResyncs")
    resyncs = "omni_gateway_cache_resyncs_total"

    def cut() -> None:
        before = world.sum_of(resyncs)
        with world.simulator.faults.during(pb.Rule(connections=REFUSED)):
            pass
        wait_until(lambda: world.sum_of(resyncs) > before, FIRES_SECONDS, "new watches")

    fires("OmniGatewayCacheResyncs", meanwhile=cut)


def test_an_omni_that_is_slow(world: World, fires: Callable[..., None], silent: Callable[..., None]) -> None:
    silent("OmniGatewayOmniSlow", "OmniGatewaySlow")
    slow = pb.Rule(method="*/Get", resource_type=CLUSTERS, delay=pb.Delay(seconds=3))
    with world.simulator.faults.during(slow):
        fires("OmniGatewayOmniSlow", "OmniGatewaySlow", meanwhile=lambda: world.get("clusters/none", headers=FRESH))


def test_an_omni_that_fails(world: World, fires: Callable[..., None], silent: Callable[..., None]) -> None:
    silent("OmniGatewayOmniErrors", "OmniGatewayServerErrors")
    fault = pb.Error(code=grpc.StatusCode.INTERNAL.value[0], message="broken")
    with world.simulator.faults.during(pb.Rule(method="*/Get", resource_type=CLUSTERS, error=fault)):
        fires(
            "OmniGatewayOmniErrors",
            "OmniGatewayServerErrors",
            meanwhile=lambda: [world.get("clusters/none", headers=FRESH) for _ in range(10)],
        )


def test_more_requests_than_threads(world: World, fires: Callable[..., None], silent: Callable[..., None]) -> None:
    silent("OmniGatewayOverloaded")
    slow = pb.Rule(method="*/Get", resource_type=CLUSTERS, delay=pb.Delay(seconds=1))
    with world.simulator.faults.during(slow), ThreadPoolExecutor(12) as pool:
        fires(
            "OmniGatewayOverloaded",
            meanwhile=lambda: list(pool.map(lambda _: world.get("clusters/none", headers=FRESH), range(12))),
        )


def test_a_store_that_is_locked(world: World, fires: Callable[..., None], silent: Callable[..., None]) -> None:
    silent("OmniGatewayStoreUnavailable")
    other = sqlite3.connect(world.folder / "gateway.sqlite", isolation_level=None, timeout=60)
    other.execute("BEGIN EXCLUSIVE")
    try:
        fires("OmniGatewayStoreUnavailable")
    finally:
        other.execute("ROLLBACK")
        other.close()


def test_as_many_watches_as_may_be_open(world: World, fires: Callable[..., None], silent: Callable[..., None]) -> None:
    silent("OmniGatewayStreamsExhausted")
    with ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(world.api.stream("GET", "machines", headers={"Accept": "application/x-ndjson"}))
        fires("OmniGatewayStreamsExhausted")


def test_credentials_that_are_guessed(world: World, fires: Callable[..., None], silent: Callable[..., None]) -> None:
    silent("OmniGatewayFailedLogins")
    wrong = {"Authorization": "Bearer ogw_guessed"}
    fires("OmniGatewayFailedLogins", meanwhile=lambda: [world.get("clusters", headers=wrong) for _ in range(10)])


def test_an_audit_file_that_cannot_be_written(
    world: World, fires: Callable[..., None], silent: Callable[..., None]
) -> None:
    silent("OmniGatewayAuditLost")
    shutil.rmtree(world.folder / "audit")
    try:
        fires("OmniGatewayAuditLost", meanwhile=lambda: world.api.post("machineclasses", json={}))
    finally:
        (world.folder / "audit").mkdir()


def test_workers_that_are_killed(
    world: World, fires: Callable[..., None], silent: Callable[..., None], wait_until: Wait
) -> None:
    silent("OmniGatewayWorkersRestart")
    started = 'process_start_time_seconds{job="omni-gateway"}'

    def kill_worker() -> None:
        before = world.prometheus.query(started)[0]["value"][1]
        for worker in world.served.workers:
            os.kill(worker, signal.SIGKILL)
        wait_until(
            lambda: (found := world.prometheus.query(started)) and found[0]["value"][1] != before,
            FIRES_SECONDS,
            "another worker",
        )

    fires("OmniGatewayWorkersRestart", meanwhile=kill_worker)


def test_machines_that_are_off(
    world: World, fires: Callable[..., None], silent: Callable[..., None], wait_until: Wait
) -> None:
    machines = [machine["id"] for machine in world.api.get("machines").json()]
    body = {
        "id": "alerts",
        "control_plane": {"machines": machines[:1]},
        "workers": [{"machines": machines[1:3]}],
        "backup_configuration": {"enabled": True, "interval": "1h"},
    }
    made = world.api.post("clusters", json=body)
    assert made.status_code == 201, made.text
    ready = 'omni_exporter_cluster_ready{cluster_id="alerts"} == 1'
    wait_until(lambda: world.prometheus.query(ready), FIRES_SECONDS, "the cluster to be ready")
    silent("OmniClusterNotReady", "OmniMachinesDisconnected")
    for machine in machines[1:3]:
        lose(world, machine)
    fires("OmniClusterNotReady", "OmniMachinesDisconnected")


def lose(world: World, machine: str) -> None:
    """Cut a machine off for good; one that is shut down comes back after two minutes, which are two seconds here."""
    hardware.set_fields(world.simulator.store, machine, {"power": "off"})


def test_an_upgrade_that_waits_for_a_machine(
    world: World, fires: Callable[..., None], silent: Callable[..., None]
) -> None:
    silent("OmniUpgradeStuck")
    present = world.api.get("clusters/alerts").json()["talos_version"]
    minor = present.rpartition(".")[0]
    versions = [item["id"] for item in world.api.get("talos-versions").json()]
    other = next(version for version in versions if version.startswith(f"{minor}.") and version != present)
    changed = world.api.patch("clusters/alerts", json={"talos_version": other})
    assert changed.status_code in (200, 202), changed.text
    fires("OmniUpgradeStuck")


def test_backups_that_fail(
    world: World, fires: Callable[..., None], silent: Callable[..., None], wait_until: Wait
) -> None:
    made = 'omni_exporter_cluster_etcd_backup_last_success_timestamp_seconds{cluster_id="alerts"}'
    wait_until(lambda: world.prometheus.query(made), FIRES_SECONDS, "a backup")
    silent("OmniEtcdBackupOverdue")
    planes = world.api.get("machines?label_selector=omni.sidero.dev/role-controlplane").json()
    lose(world, planes[0]["id"])
    fires("OmniEtcdBackupOverdue")


def test_a_gateway_that_is_gone(world: World, wait_until: Wait) -> None:
    wait_until(lambda: "OmniGatewayDown" not in world.prometheus.firing(), FIRES_SECONDS, "the gateway to be up")
    _kill(world.served)
    wait_until(lambda: "OmniGatewayDown" in world.prometheus.firing(), FIRES_SECONDS, "the alert")
