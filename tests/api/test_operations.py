"""Operations tell the truth: of work half done, work that a machine holds up, work of which there is no evidence."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any

import pytest

from omni_gateway.app import create_app
from omni_gateway.omni import OmniClient, OmniConfig
from omni_gateway.settings import Settings
from omni_gateway.simulator.embedded import RunningSimulator, running_simulator
from omni_gateway.simulator.machines import hardware
from omni_gateway.simulator.state.resource import Resource
from omni_gateway.store import Store
from omni_gateway.stubs import simulator_faults_pb2 as faults
from omni_gateway.testing.document import Document

from .conftest import NO_RATES, Caller
from .streams import lines, server_sent_events

pytestmark = pytest.mark.slow

PREFIX = "omni.sidero.dev"
VERSIONS = {"talos_version": "1.13.7", "kubernetes_version": "1.35.6"}
HOLD = "test.example/hold"


@dataclass
class World:
    """An Omni of its own, for machines are lost here; ``held`` may touch clusters whose names begin with ``held``."""

    admin: Caller
    reader: Caller
    held: Caller
    simulator: RunningSimulator
    omni: OmniClient
    wait_until: Callable[..., Any]

    def free(self, count: int) -> list[str]:
        listed = self.admin.get(f"machines?label_selector={PREFIX}/available,{PREFIX}/connected").json
        assert len(listed) >= count, "no machines left"
        return [item["id"] for item in listed[:count]]

    def operation(self, kind: str, id: str, query: str = "") -> dict[str, Any]:
        # Some objects are written behind the gateway's back here: its cache need not have heard of them.
        answer = self.admin.get(f"operations/{kind}/{id}{query}", headers={"Cache-Control": "no-cache"})
        assert answer.status_code == 200, answer.text
        return dict(answer.json)

    def set_hardware(self, machine: str, **fields: Any) -> None:
        hardware.set_fields(self.simulator.store, machine, fields)

    def lose(self, machine: str) -> None:
        """Cut a machine off, for good."""
        self.set_hardware(machine, power="off")
        self.wait_until(lambda: not self.admin.get(f"machines/{machine}").json["connected"], what="the lost machine")

    @contextmanager
    def cluster(self, name: str, workers: int = 0) -> Iterator[list[str]]:
        """A cluster that is up; its machines, the control plane first."""
        machines = self.free(1 + workers)
        body = {"id": name, **VERSIONS, "control_plane": {"machines": machines[:1]}}
        if workers:
            body["workers"] = [{"machines": machines[1:]}]
        assert self.admin.post("clusters", json=body).status_code == 201
        self.wait_until(lambda: self.operation("cluster-create", name)["done"], 30, name)
        try:
            yield machines
        finally:
            self.admin.delete(f"clusters/{name}?force=disconnected")
            self.wait_until(lambda: self.admin.get(f"clusters/{name}").status_code == 404, 30, f"the end of {name}")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, wait_until: Callable[..., Any]) -> Iterator[World]:
    with running_simulator(fleet=16, speed=60) as simulator:
        config = OmniConfig(endpoint=simulator.endpoint, service_account_key=simulator.key)
        settings = Settings(omni=config, state_dir=tmp_path_factory.mktemp("operations"), **NO_RATES)
        app = create_app(settings)
        tokens = Store(settings.database_url).tokens
        admin = Caller(app.test_client(), tokens.create("all", "admin", None)[1])
        reader = Caller(app.test_client(), tokens.create("reads", "reader", None)[1])
        held = Caller(app.test_client(), tokens.create("held", "operator", None, ["held*"])[1])
        with OmniClient(config) as omni:
            yield World(admin, reader, held, simulator, omni, wait_until)


def problem(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json.get("code", "")


def ago(seconds: float) -> str:
    return (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


def milliseconds_ago(seconds: float) -> int:
    return int((time.time() - seconds) * 1000)


# Waiting, streaming, listing


def test_a_wait_lasts_until_the_cluster_is_up(world: World) -> None:
    machine = world.free(1)
    world.admin.post("clusters", json={"id": "waited", **VERSIONS, "control_plane": {"machines": machine}})
    operation = world.operation("cluster-create", "waited", "?wait=30s")
    world.admin.delete("clusters/waited")
    assert (operation["state"], operation["done"]) == ("succeeded", True)
    assert [stage["state"] for stage in operation["stages"]] == ["succeeded"] * 6
    assert operation["started"]
    assert world.operation("cluster-destroy", "waited", "?wait=30s")["state"] == "succeeded"


@pytest.mark.parametrize("query", ["until=later", "wait=61s", "until="])
def test_a_wait_that_cannot_be_is_refused_by_name(world: World, query: str) -> None:
    answer = world.admin.get(f"operations/cluster-destroy/none?{query}")
    assert problem(answer) == (422, "validation")
    assert list(answer.json["errors"]) == [query.partition("=")[0]]


@pytest.mark.parametrize(
    ("media", "read"), [("text/event-stream", server_sent_events), ("application/x-ndjson", lines)]
)
def test_an_operation_is_streamed_to_its_end(
    world: World, media: str, read: Callable[[str], list[dict[str, Any]]]
) -> None:
    name, machine = f"streamed-{len(media)}", world.free(1)
    world.admin.post("clusters", json={"id": name, **VERSIONS, "control_plane": {"machines": machine}})
    answer = world.admin.get(f"operations/cluster-create/{name}", headers={"Accept": media})
    events = read(answer.get_data(as_text=True))
    told = [event["object"] for event in events if "object" in event]
    world.admin.delete(f"clusters/{name}")
    world.operation("cluster-destroy", name, "?wait=30s")
    assert answer.mimetype == media
    assert [operation["done"] for operation in told] == [*[False] * (len(told) - 1), True]
    assert told[-1]["state"] == "succeeded"
    Document(world.admin.get("/openapi.json").json).check_events("/api/v1/operations/{kind}/{id}", events, media)


def test_a_stream_of_no_operation_is_a_404(world: World) -> None:
    answer = world.admin.get("operations/cluster-create/none", headers={"Accept": "text/event-stream"})
    assert problem(answer) == (404, "not-found")


def test_work_under_way_is_listed_by_kind_target_and_state(world: World) -> None:
    with world.cluster("held-list", workers=1) as (_, worker):
        world.lose(worker)
        world.admin.delete("clusters/held-list")

        def listed(query: str) -> list[tuple[str, str]]:
            answer = world.admin.get(f"operations?{query}")
            assert answer.status_code == 200, answer.text
            return [(item["kind"], item["id"]) for item in answer.json]

        world.wait_until(lambda: ("machine-reset", worker) in listed("kind=machine-reset"), what="the reset")
        assert ("cluster-destroy", "held-list") in listed("")
        assert listed("kind=cluster-destroy&state=running") == [("cluster-destroy", "held-list")]
        assert listed("target=/api/v1/clusters/held-list&kind=cluster-destroy") == listed("kind=cluster-destroy")
        assert {kind for kind, _ in listed(f"target={worker}")} >= {"machine-reset"}
        assert listed("state=failed&kind=cluster-destroy") == []
        assert listed("search=no-such-thing") == []
        both = listed("sort=-id")
        assert both == sorted(both, key=lambda each: each[1], reverse=True)

        first = world.admin.get("operations?page_size=1")
        assert len(first.json) == 1
        assert json.loads(first.headers["X-Pagination"])["total"] == len(both)
        assert set(world.admin.get("operations?fields=kind").json[0]) >= {"kind"}

        assert ("cluster-destroy", "held-list") in [(i["kind"], i["id"]) for i in world.held.get("operations").json]


def test_a_list_holds_nothing_of_other_clusters_than_the_caller_may_read(world: World) -> None:
    with world.cluster("theirs", workers=1) as (_, worker):
        world.lose(worker)
        world.admin.delete("clusters/theirs")
        world.wait_until(lambda: world.admin.get("operations?kind=machine-reset").json, what="the reset")
        seen = world.held.get("operations").json
        assert world.admin.get("operations?kind=cluster-destroy").json
        assert [item for item in seen if "theirs" in json.dumps(item) or worker in json.dumps(item)] == []


@pytest.mark.parametrize(("query", "field"), [("kind=clusters", "kind"), ("state=done", "state"), ("sort=age", "sort")])
def test_a_list_that_cannot_be_is_refused_by_name(world: World, query: str, field: str) -> None:
    answer = world.reader.get(f"operations?{query}")
    assert problem(answer) == (422, "validation")
    assert field in answer.json["errors"]


# Work of which a part is missing


def half_made(world: World, name: str, asked: str) -> None:
    """Leave what a worker leaves that died between a cluster and its parts."""
    parts = [f"MachineSets.{PREFIX}/{name}-control-planes", f"MachineSetNodes.{PREFIX}/{world.free(1)[0]}"]
    record = json.dumps({"asked": asked, "parts": parts})
    world.omni.resources.create(
        "Clusters.omni.sidero.dev", name, VERSIONS, annotations={"omni-gateway/creating": record}
    )


def test_a_cluster_whose_worker_died_half_way_is_not_said_to_be_made(world: World) -> None:
    half_made(world, "half", ago(600))
    # Omni made the Cluster just now: the record tells when it was asked for, and no part has come since.
    operation = world.operation("cluster-create", "half")
    upgrade = world.operation("kubernetes-upgrade", "half")
    failed = world.admin.get("operations?kind=cluster-create&state=failed", headers={"Cache-Control": "no-cache"})
    listed = [item["id"] for item in failed.json]
    world.admin.delete("clusters/half")
    assert operation["state"] == "failed"
    assert "half-control-planes" in operation["error"]
    assert "DELETE /api/v1/clusters/half" in operation["hint"]
    assert operation["stages"][0] == {"name": "all parts written", "state": "failed"}
    assert listed == ["half"]
    assert upgrade["state"] == "succeeded"


def test_a_cluster_whose_parts_are_being_written_is_under_way(world: World) -> None:
    half_made(world, "writing", ago(5))
    operation = world.operation("cluster-create", "writing")
    upgrade = world.operation("kubernetes-upgrade", "writing")
    world.admin.delete("clusters/writing")
    assert (operation["state"], upgrade["state"]) == ("running", "running")
    assert operation["progress"].startswith("0 of 2 parts are written.")


def test_the_operation_runs_while_the_post_does_and_the_record_goes_with_it(world: World) -> None:
    machine = world.free(1)
    body = {"id": "slow", **VERSIONS, "control_plane": {"machines": machine}}
    slow = faults.Rule(method="*/Create", resource_type=f"MachineSetNodes.{PREFIX}", delay=faults.Delay(seconds=1))
    with world.simulator.faults.during(slow):
        post = Thread(target=lambda: world.admin.post("clusters", json=body))
        post.start()
        seen = world.wait_until(
            lambda: (answer := world.reader.get("operations/cluster-create/slow")).status_code == 200 and answer.json,
            20,
            "the cluster",
        )
        post.join()
    assert seen["state"] == "running"
    assert world.operation("cluster-create", "slow", "?wait=30s")["state"] == "succeeded"
    assert world.admin.get("clusters/slow").json["annotations"] == {}
    world.admin.delete("clusters/slow")
    assert world.operation("cluster-destroy", "slow", "?wait=30s")["state"] == "succeeded"


def test_a_record_tells_nothing_of_other_clusters_or_types(world: World) -> None:
    with world.cluster("hidden"):
        parts = [
            f"MachineSets.{PREFIX}/hidden-control-planes",
            f"Identities.{PREFIX}/automation@serviceaccount.omni.sidero.dev",
        ]
        record = json.dumps({"asked": ago(1), "parts": parts})
        created = world.held.post(
            "clusters", json={"id": "held-probe", **VERSIONS, "annotations": {"omni-gateway/creating": record}}
        )
        assert created.status_code == 201
        told = world.held.get("operations/cluster-create/held-probe").json["progress"]
        world.admin.delete("clusters/held-probe")
    assert told.startswith("0 of 2 parts are written.")


def test_an_empty_cluster_is_made_at_once(world: World) -> None:
    world.admin.post("clusters", json={"id": "bare", **VERSIONS})
    operation = world.operation("cluster-create", "bare")
    world.admin.delete("clusters/bare")
    assert operation["state"] == "succeeded"


# Machines that are not wiped, or hold a removal up


def test_a_machine_that_is_removed_from_omni_was_not_reset(world: World) -> None:
    with world.cluster("unwiped", workers=1) as (_, worker):
        world.lose(worker)
        assert world.admin.post(f"machines/{worker}/actions/reset", json={}).status_code == 202
        waiting = world.operation("machine-reset", worker)
        assert world.admin.delete(f"machines/{worker}").status_code in (202, 204)
        ended = world.wait_until(
            lambda: (found := world.operation("machine-reset", worker))["done"] and found, 20, "the end"
        )
        world.wait_until(lambda: world.admin.get(f"machines/{worker}").status_code == 404, what="the removal")
        afterwards = world.operation("machine-reset", worker)
    assert waiting["waiting_for"][0]["machine"] == worker
    assert f"DELETE /api/v1/machines/{worker}" in waiting["hint"]
    assert ended["state"] in ("failed", "unknown")
    assert (afterwards["state"], afterwards["done"]) == ("unknown", True)
    assert "wipe" in afterwards["hint"]


def test_a_machine_on_its_way_out_of_omni_fails_its_reset(world: World) -> None:
    with world.cluster("removed", workers=1) as (_, worker):
        node = ("default", f"MachineSetNodes.{PREFIX}", worker)
        world.simulator.store.add_finalizer(node, HOLD)
        world.admin.delete(f"machines/{worker}")
        operation = world.operation("machine-reset", worker)
        world.simulator.store.remove_finalizer(node, HOLD)
        world.wait_until(lambda: world.admin.get(f"machines/{worker}").status_code == 404, what="the removal")
    assert operation["state"] == "failed"
    assert "before it was wiped" in operation["error"]


def test_a_reset_names_what_is_left_of_a_member_and_ends_with_it(world: World) -> None:
    with world.cluster("left-over", workers=1) as (_, worker):
        node = ("default", f"MachineSetNodes.{PREFIX}", worker)
        world.simulator.store.add_finalizer(node, "somebody")
        world.admin.post(f"machines/{worker}/actions/reset", json={})
        member = f"clustermachines/{worker}"
        world.wait_until(lambda: world.admin.get(member).status_code == 404, what="the end of the member")

        left = world.operation("machine-reset", worker)
        world.simulator.store.remove_finalizer(node, "somebody")
        ended = world.operation("machine-reset", worker, "?wait=20s")

    assert left["state"] == "running"
    assert left["progress"].endswith("its machine set node remains, held by somebody.")
    assert left["details"]["cluster"] == "left-over"
    assert ended["state"] == "succeeded"


def test_when_a_removal_began_is_told_where_omni_keeps_it_only(world: World) -> None:
    world.admin.post("configpatches", json={"id": "begun", "data": "machine: {}"})
    keys = [("default", f"{type}.{PREFIX}", "begun") for type in ("ConfigPatches", "Clusters")]
    with world.cluster("begun"):
        for key in keys:
            world.simulator.store.add_finalizer(key, HOLD)
        world.admin.delete("configpatches/begun")
        world.admin.delete("clusters/begun")
        status = world.wait_until(
            lambda: (found := world.admin.get("clusters/begun/destroy-status")).status_code == 200 and found, 20
        )
        patch, cluster = (world.operation(kind, "begun") for kind in ("configpatch-destroy", "cluster-destroy"))
        for key in keys:
            world.simulator.store.remove_finalizer(key, HOLD)
    assert (patch["state"], patch["started"]) == ("running", None)
    assert cluster["started"] == status.json["metadata"]["created"]


def test_a_removal_names_the_machine_that_holds_it_up_and_what_to_do(world: World) -> None:
    with world.cluster("blocked", workers=1) as (plane, worker):
        world.lose(worker)
        world.admin.delete("clusters/blocked")
        operation = world.wait_until(
            lambda: (found := world.operation("cluster-destroy", "blocked"))["hint"] and found, 20, "the hint"
        )
        named = {item["machine"]: item["connected"] for item in operation["waiting_for"]}
        assert named[worker] is False
        assert worker in operation["progress"]
        assert "DELETE /api/v1/clusters/blocked?force=disconnected" in operation["hint"]
        assert operation["started"]
        assert operation["stages"][0] == {"name": "machines wiped", "state": "running"}

        dry = world.admin.delete("clusters/blocked?force=disconnected&dry_run=true").json["_dry_run"]
        assert {"type": f"Links.{PREFIX}", "id": worker} in dry["also_deleted"]
        assert plane not in [item["id"] for item in dry["also_deleted"]]

        assert world.admin.delete("clusters/blocked?force=disconnected").status_code in (202, 204)
        assert world.operation("cluster-destroy", "blocked", "?wait=30s")["state"] == "succeeded"
        world.wait_until(lambda: world.admin.get(f"machines/{worker}").status_code == 404, what="the removal")
        assert world.admin.get(f"machines/{plane}").status_code == 200


def test_the_action_destroys_with_force_as_delete_does(world: World) -> None:
    with world.cluster("acted", workers=1) as (_, worker):
        world.lose(worker)
        answer = world.admin.post("clusters/acted/actions/destroy", json={"force": "disconnected"})
        assert answer.status_code == 202
        assert world.operation("cluster-destroy", "acted", "?wait=30s")["state"] == "succeeded"
        world.wait_until(lambda: world.admin.get(f"machines/{worker}").status_code == 404, what="the removal")


def test_another_force_than_there_is_is_refused(world: World) -> None:
    assert problem(world.admin.delete("clusters/none?force=true")) == (422, "validation")


def test_a_locked_cluster_is_not_forced(world: World) -> None:
    with world.cluster("locked", workers=1) as (_, worker):
        world.admin.post("clusters/locked/actions/lock")
        world.lose(worker)
        refused = world.admin.delete("clusters/locked?force=disconnected")
        world.admin.post("clusters/locked/actions/unlock")
        assert problem(refused) == (409, "conflict")
        assert world.admin.get(f"machines/{worker}").status_code == 200


def test_a_machine_set_and_a_member_name_what_holds_them_up(world: World) -> None:
    with world.cluster("partly", workers=1) as (_, worker):
        world.lose(worker)
        world.admin.delete("machinesets/partly-workers")
        of_set = world.wait_until(
            lambda: (found := world.operation("machineset-destroy", "partly-workers"))["hint"] and found, 20, "the hint"
        )
        of_member = world.operation("clustermachine-destroy", worker)
    for operation in (of_set, of_member):
        assert [item["machine"] for item in operation["waiting_for"]] == [worker]
        assert f"DELETE /api/v1/machines/{worker}?force=true" in operation["hint"]


@pytest.mark.parametrize("collection", ["clustermachines", "machinesetnodes", "machines"])
def test_a_control_plane_is_not_taken_away_without_force(world: World, collection: str) -> None:
    name = f"quorum-{collection}"
    with world.cluster(name) as (plane,):
        refused = world.admin.delete(f"{collection}/{plane}")
        dry = world.admin.delete(f"{collection}/{plane}?dry_run=true")
        forced = world.admin.delete(f"{collection}/{plane}?force=true&dry_run=true")
        assert problem(refused) == problem(dry) == (409, "conflict")
        assert "?force=true" in refused.json["hint"]
        assert forced.status_code == 200
        assert world.admin.get(f"machinesetnodes/{plane}").json["metadata"]["phase"] == "running"
        assert world.admin.delete(f"{collection}/{plane}?force=true").status_code in (202, 204)


def test_a_worker_leaves_without_force(world: World) -> None:
    with world.cluster("worker-goes", workers=1) as (_, worker):
        assert world.admin.delete(f"machinesetnodes/{worker}").status_code in (202, 204)


# Evidence


@pytest.fixture
def silent_machine(world: World) -> Iterator[str]:
    """A free machine that tells no boot id, as on Omni 1.7."""
    machine = world.free(1)[0]
    world.set_hardware(machine, tells_boot_id=False)
    path = f"resources/MachineStatusSnapshots.{PREFIX}/{machine}"
    world.wait_until(lambda: "boot_id" not in world.admin.get(path).json["spec"], what="the snapshot")
    yield machine
    world.set_hardware(machine, tells_boot_id=True)
    world.wait_until(lambda: "boot_id" in world.admin.get(path).json["spec"], what="the snapshot")


def test_a_reboot_ends_where_omni_tells_no_boot_id(world: World, silent_machine: str) -> None:
    answer = world.admin.post(f"machines/{silent_machine}/actions/reboot", json={})
    assert answer.status_code == 202
    operation = world.admin.get(f"{answer.headers['Location']}?wait=30s").json
    assert operation["state"] == "succeeded"
    assert operation["details"]["evidence"] in ("reports", "connection")
    assert operation["started"]


def test_a_reboot_without_evidence_is_unknown_after_a_bound(world: World, silent_machine: str) -> None:
    snapshot = world.admin.get(f"resources/MachineStatusSnapshots.{PREFIX}/{silent_machine}").json["metadata"][
        "version"
    ]

    def after(seconds: float) -> dict[str, Any]:
        return world.operation("machine-reboot", f"{silent_machine}~~{milliseconds_ago(seconds)}~{snapshot}~-")

    early, late = after(60), after(3600)
    assert (early["state"], early["hint"]) == ("running", "")
    assert "may go unseen" in early["progress"]
    assert late["state"] == "unknown"
    assert f"/api/v1/machines/{silent_machine}/logs" in late["hint"]


@pytest.mark.parametrize("kind", ["machine-shutdown", "machine-power-off", "machine-reset"])
def test_other_orders_to_a_machine_end_too(world: World, kind: str) -> None:
    machine = world.free(1)[0]
    snapshot = world.admin.get(f"resources/MachineStatusSnapshots.{PREFIX}/{machine}").json
    id = f"{machine}~{snapshot['spec']['boot_id']}~{milliseconds_ago(7200)}~{snapshot['metadata']['version']}~-"
    operation = world.operation(kind, id)
    assert (operation["state"], operation["done"]) == ("unknown", True)
    assert operation["hint"]


def test_an_installation_that_nothing_is_heard_of_ends(world: World) -> None:
    operation = world.operation("machine-maintenance", f"{world.free(1)[0]}~0.0.1~{milliseconds_ago(7200)}~0")
    assert (operation["state"], bool(operation["hint"])) == ("unknown", True)


def test_a_backup_that_omni_never_takes_ends(world: World) -> None:
    request = Resource("ephemeral", f"EtcdManualBackups.{PREFIX}", "no-cluster", {"backup_at": ago(7200)})
    world.simulator.store.create(request)
    operation = world.operation("etcd-backup", "no-cluster")
    unknown = world.admin.get("operations?kind=etcd-backup&state=unknown", headers={"Cache-Control": "no-cache"})
    listed = [item["id"] for item in unknown.json]
    assert (operation["state"], bool(operation["hint"]), listed) == ("unknown", True, ["no-cluster"])


def test_exposing_a_service_that_omni_never_shows_ends(world: World) -> None:
    operation = world.operation("exposed-service-create", f"none%2Fgrafana.default%2F8080~{milliseconds_ago(7200)}")
    assert (operation["state"], bool(operation["hint"])) == ("unknown", True)


def test_an_id_that_is_no_mark_has_no_bound_and_breaks_nothing(world: World) -> None:
    machine = world.free(1)[0]
    for rest in ("~", "~x~y~z~w", "~b~99999999999999999999~1~1", "~b~-5~1~1", "~b~1~²~1"):
        assert world.admin.get(f"operations/machine-reboot/{machine}{rest}").status_code == 200, rest


# Too early, not yet


def not_known_yet(times: int) -> faults.Rule:
    error = faults.Error(code=9, message="current version is not known yet")
    return faults.Rule(method="*/KubernetesUpgradePreChecks", times=times, error=error)


def test_an_upgrade_waits_until_omni_knows_what_runs(world: World) -> None:
    with world.cluster("early"):
        with world.simulator.faults.during(not_known_yet(2)) as struck:
            answer = world.admin.post("clusters/early/actions/kubernetes-upgrade", json={"version": "1.35.7"})
            assert struck().struck == 2
        assert answer.status_code == 202
        assert world.operation("kubernetes-upgrade", "early", "?wait=60s")["state"] == "succeeded"


def test_an_upgrade_asked_too_early_can_be_sent_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resources.cluster.actions.upgrade.TOO_EARLY_SECONDS", 0.6)
    with world.cluster("too-early"), world.simulator.faults.during(not_known_yet(1000)):
        answer = world.admin.post("clusters/too-early/actions/kubernetes-upgrade", json={"version": "1.35.7"})
        version = world.admin.get("clusters/too-early").json["kubernetes_version"]
    assert problem(answer) == (409, "too-early")
    assert (answer.json["retryable"], int(answer.headers["Retry-After"]) > 0) == (True, True)
    assert version == "1.35.6"


def test_an_upgrade_that_omnis_checks_advise_against_is_a_409_with_their_reason(world: World) -> None:
    with world.cluster("advised") as (plane,):
        world.lose(plane)
        url = "clusters/advised/actions/kubernetes-upgrade"
        answers = [world.admin.post(url + query, json={"version": "1.35.7"}) for query in ("", "?dry_run=true")]
        version = world.admin.get("clusters/advised").json["kubernetes_version"]
        world.set_hardware(plane, power="on")
        world.wait_until(lambda: world.admin.get(f"machines/{plane}").json["connected"], what="the machine")
    assert [problem(answer) for answer in answers] == [(409, "conflict")] * 2
    assert plane in answers[0].json["detail"] and "advise against" in answers[0].json["detail"]
    assert version == VERSIONS["kubernetes_version"]


def test_a_refused_upgrade_says_what_omni_offers(world: World) -> None:
    with world.cluster("refused"):
        world.wait_until(
            lambda: (
                (found := world.admin.get("clusters/refused/kubernetes-upgrade")).status_code == 200
                and found.json["upgrade_versions"]
            ),
            20,
            "the versions",
        )
        answer = world.admin.post("clusters/refused/actions/kubernetes-upgrade", json={"version": "1.33.0"})
    assert answer.status_code == 422
    assert answer.json["hint"].startswith("Omni offers: ")


def test_a_refused_upgrade_of_a_cluster_that_omni_offers_nothing_says_so(world: World) -> None:
    world.admin.post("clusters", json={"id": "offerless", **VERSIONS})
    answer = world.admin.post("clusters/offerless/actions/kubernetes-upgrade", json={"version": "1.33.0"})
    world.admin.delete("clusters/offerless")
    assert answer.status_code == 422
    assert "offers no versions yet" in answer.json["hint"]


def test_the_newest_upgrade_is_newer_than_what_runs(world: World) -> None:
    with world.cluster("newest"):
        told = world.wait_until(
            lambda: (
                (found := world.admin.get("clusters/newest/kubernetes-upgrade")).status_code == 200
                and found.json["upgrade_versions"]
                and found.json
            ),
            20,
            "the versions",
        )
        world.admin.post("clusters/newest/actions/kubernetes-upgrade", json={"version": told["newest_upgrade_version"]})
        world.operation("kubernetes-upgrade", "newest", "?wait=60s")
        after = world.admin.get("clusters/newest/kubernetes-upgrade").json
    assert told["newest_upgrade_version"] == "1.36.3"
    assert after["upgrade_versions"][0] == "1.36.1"  # Omni offers a way back
    assert after["newest_upgrade_version"] == ""


def test_a_kubeconfig_is_asked_for_again_where_the_cluster_was_finished_meanwhile(world: World) -> None:
    unfinished = faults.Error(code=2, message="failed to get cluster UUID")
    rule = faults.Rule(method="*/Kubeconfig", times=1, error=unfinished)
    with world.cluster("finished"), world.simulator.faults.during(rule) as struck:
        answer = world.admin.get("clusters/finished/kubeconfig")
        assert struck().struck == 1
    assert answer.status_code == 200


def test_the_identity_of_a_member_is_not_there_yet(world: World) -> None:
    with world.cluster("nobody") as (plane,):
        world.wait_until(lambda: world.admin.get(f"clustermachines/{plane}/identity").status_code == 200, what="it")
        identity = ("default", f"ClusterMachineIdentities.{PREFIX}", plane)
        world.simulator.store.teardown(*identity, owner="ClusterMachineIdentityController")
        world.simulator.store.destroy(*identity, owner="ClusterMachineIdentityController")
        answer = world.admin.get(f"clustermachines/{plane}/identity", headers={"Cache-Control": "no-cache"})
    assert problem(answer) == (404, "not-yet")
    assert (answer.json["retryable"], int(answer.headers["Retry-After"]) > 0) == (True, True)


def test_what_a_cluster_without_machines_has_not_got_is_not_there_yet(world: World) -> None:
    world.admin.post("clusters", json={"id": "young", **VERSIONS})
    answers = {
        name: problem(world.admin.get(f"clusters/young/{name}"))
        for name in ("kubernetes-status", "kubernetes-upgrade", "controlplane-status", "destroy-status")
    }
    world.admin.delete("clusters/young")
    assert answers.pop("destroy-status") == (404, "not-found")
    assert set(answers.values()) == {(404, "not-yet")}
