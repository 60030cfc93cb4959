"""A caller held to one cluster beside another that is up: nothing of that one is read, counted, used or changed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest

from omni_gateway.app import create_app
from omni_gateway.omni import OmniConfig
from omni_gateway.settings import Settings
from omni_gateway.simulator.embedded import RunningSimulator, running_simulator
from omni_gateway.simulator.resource import Resource
from omni_gateway.store import Store

from .conftest import NO_RATES, Caller
from .streams import told

LABEL = "omni.sidero.dev"
#: The second one's name is the first's with a number: ids of backups look like that too.
MINE, THEIRS = "team", "team-7"
DATA = 'machine:\n  sysctls:\n    net.core.somaxconn: "4096"\n'
CLASS = "every-machine"


@dataclass
class World:
    """Two clusters of one machine each, a backup of the second, free machines; ``held`` may touch the first only."""

    admin: Caller
    held: Caller
    mine: str
    theirs: str
    free: list[str]
    backup: dict[str, str]
    simulator: RunningSimulator

    def of(self, type: str) -> dict[str, Any]:
        """Return what Omni holds of a type, by id."""
        listed = self.admin.get(f"resources/{type}?page_size=1000").json
        return {item["id"]: item for item in listed}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, wait_until: Callable[..., Any]) -> Iterator[World]:
    with running_simulator(fleet=6, speed=60, db=None) as simulator:
        omni = OmniConfig(endpoint=simulator.endpoint, service_account_key=simulator.key)
        settings = Settings(omni=omni, state_dir=tmp_path_factory.mktemp("reach"), **NO_RATES)
        app = create_app(settings)
        tokens = Store(settings.database_url).tokens
        admin = Caller(app.test_client(), tokens.create("all", "admin", None)[1])
        held = Caller(app.test_client(), tokens.create("held", "operator", None, [MINE])[1])
        machines = [item["id"] for item in admin.get(f"machines?label_selector={LABEL}/available").json]
        for name, machine in ((MINE, machines[0]), (THEIRS, machines[1])):
            body = {"id": name, "control_plane": {"machines": [machine]}}
            assert admin.post("clusters", json=body).status_code == 201
        for name in (MINE, THEIRS):
            wait_until(lambda name=name: admin.get(f"operations/cluster-create/{name}").json["done"], 60, name)
        assert admin.post("etcdbackups", json={"cluster": THEIRS}).status_code == 202
        wait_until(lambda: admin.get(f"etcdbackups?cluster={THEIRS}").json, 30, "the backup")
        uuid = admin.get(f"resources/ClusterUUIDs.omni.sidero.dev/{THEIRS}").json["spec"]["uuid"]
        backup = {"cluster_uuid": uuid, "snapshot": admin.get(f"etcdbackups?cluster={THEIRS}").json[0]["snapshot"]}
        assert (
            admin.post("machineclasses", json={"id": CLASS, "match_labels": [f"{LABEL}/platform"]}).status_code == 201
        )
        yield World(admin, held, machines[0], machines[1], machines[2:], backup, simulator)


def code_of(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json.get("code", "")


# -- what is read -----------------------------------------------------------------------------------------------------


def task(world: World, id: str, spec: dict[str, Any]) -> None:
    key = ("ephemeral", "OngoingTasks.omni.sidero.dev", id)
    if world.simulator.store.find(*key) is None:
        made = Resource(*key, spec, {}, owner="OngoingTaskController")
        world.simulator.store.create(made, owner="OngoingTaskController")


@pytest.mark.parametrize("path", ["ongoingtasks", "ongoingtasks?resource=team-7", "resources/ongoingtasks"])
def test_tasks_of_another_cluster_are_not_listed(world: World, path: str) -> None:
    task(world, "of-theirs", {"title": "Upgrading", "resource_id": THEIRS, "talos_upgrade": {}})
    task(world, "of-mine", {"title": "Upgrading", "resource_id": MINE, "talos_upgrade": {}})
    assert "of-theirs" in {item["id"] for item in world.admin.get(path).json}
    answer = world.held.get(path)
    assert "of-theirs" not in {item["id"] for item in answer.json}
    assert json.loads(answer.headers["X-Pagination"])["total"] == len(answer.json)


@pytest.mark.parametrize("path", ["ongoingtasks", "resources/ongoingtasks"])
def test_a_task_of_another_cluster_is_not_there(world: World, path: str) -> None:
    task(world, "of-theirs", {"title": "Upgrading", "resource_id": THEIRS, "talos_upgrade": {}})
    assert world.held.get(f"{path}/of-theirs").status_code == 404


@pytest.mark.parametrize("kind", ["machine-reboot", "machine-shutdown", "machine-maintenance"])
def test_operations_on_machines_of_another_cluster_are_not_there(world: World, kind: str) -> None:
    path = f"operations/{kind}/{{}}~1"
    assert world.held.get(path.format(world.mine)).status_code == 200
    assert code_of(world.held.get(path.format(world.theirs))) == (404, "not-found")


def test_a_backup_under_way_of_another_cluster_is_not_there(world: World) -> None:
    assert world.admin.get(f"operations/etcd-backup/{THEIRS}").status_code == 200
    assert code_of(world.held.get(f"operations/etcd-backup/{THEIRS}")) == (404, "not-found")


def test_a_backup_under_way_is_told_within_reach(world: World, token_for: Callable[..., Caller]) -> None:
    assert token_for(THEIRS).get(f"operations/etcd-backup/{THEIRS}").status_code == 200


@pytest.fixture
def token_for(world: World, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Caller]:
    def make(pattern: str, role: str = "operator") -> Caller:
        body = {"name": f"for-{pattern}", "role": role, "clusters": [pattern]}
        secret = world.admin.post("auth/tokens", json=body).json["token"]
        return Caller(world.admin._client, secret)

    return make


def test_a_class_picks_only_machines_within_reach(world: World) -> None:
    picked = world.held.post(f"machineclasses/{CLASS}/actions/match").json
    assert world.theirs in world.admin.post(f"machineclasses/{CLASS}/actions/match").json["machines"]
    assert sorted(picked["machines"]) == sorted([world.mine, *world.free])
    assert picked["total"] == len(picked["machines"])


def test_schematics_tell_only_machines_within_reach(world: World) -> None:
    def machines(caller: Caller) -> set[str]:
        return {id for item in caller.get("schematics").json for id in item["machines"]}

    assert world.theirs in machines(world.admin)
    assert machines(world.held) == machines(world.admin) - {world.theirs}


@pytest.mark.parametrize("path", ["cluster-metrics", "machine-metrics", "resources/clusterstatusmetrics/metrics"])
def test_counts_of_the_fleet_are_for_those_who_may_touch_all_of_it(world: World, path: str) -> None:
    assert world.admin.get(path).status_code == 200
    assert code_of(world.held.get(path)) == (403, "forbidden")


@pytest.mark.parametrize("way", ["configpatches", "resources/configpatches"])
def test_a_patch_that_follows_a_machine_is_told_to_who_may_touch_the_machines_cluster(world: World, way: str) -> None:
    for id, machine in (("500-on-theirs", world.theirs), ("500-on-mine", world.mine)):
        body = {"id": id, "labels": {f"{LABEL}/machine": machine}, "data": DATA}
        assert world.admin.post("configpatches", json=body).status_code in (201, 409)
    told = {item["id"] for item in world.held.get(way).json}
    assert "500-on-mine" in told
    assert "500-on-theirs" not in told
    assert world.held.get(f"{way}/500-on-mine").status_code == 200
    assert world.held.get(f"{way}/500-on-theirs").status_code == 404
    assert world.held.delete(f"{way}/500-on-theirs").status_code == 404


# -- what is written --------------------------------------------------------------------------------------------------


def starting_from(backup: dict[str, str], id: str, machine: str) -> dict[str, Any]:
    return {"id": id, "control_plane": {"machines": [machine], "bootstrap_spec": backup}}


def test_a_new_cluster_does_not_start_from_another_ones_backup(world: World, token_for: Callable[..., Caller]) -> None:
    answer = token_for("fresh-*").post("clusters", json=starting_from(world.backup, "fresh-1", world.free[0]))
    assert code_of(answer) == (403, "forbidden")
    assert THEIRS not in answer.json["detail"]
    assert world.admin.get("clusters/fresh-1").status_code == 404


def test_a_cluster_is_not_bootstrapped_from_another_ones_backup(world: World, token_for: Callable[..., Caller]) -> None:
    assert world.admin.post("clusters", json={"id": "empty-1"}).status_code == 201
    answer = token_for("empty-*").post("clusters/empty-1/actions/bootstrap", json={"backup": world.backup})
    assert code_of(answer) == (403, "forbidden")
    assert THEIRS not in answer.json["detail"]
    assert "empty-1-control-planes" not in world.of("machinesets")


@pytest.mark.parametrize("way", ["machinesets", "resources/machinesets", "apply"])
def test_a_machine_set_does_not_start_from_another_ones_backup(
    world: World, token_for: Callable[..., Caller], way: str
) -> None:
    world.admin.post("clusters", json={"id": "empty-1"})
    id = "empty-1-control-planes"
    labels = {f"{LABEL}/cluster": "empty-1", f"{LABEL}/role-controlplane": ""}
    body: dict[str, Any] = {"id": id, "labels": labels, "update_strategy": "Rolling", "bootstrap_spec": world.backup}
    spec = {"update_strategy": "Rolling", "bootstrap_spec": world.backup}
    if way != "machinesets":
        body = {"id": id, "labels": labels, "spec": spec}
    if way == "apply":
        body = {"metadata": {"type": "MachineSets.omni.sidero.dev", "id": id, "labels": labels}, "spec": spec}
    answer = token_for("empty-*").post(way, json=body)
    told = answer.json["results"][0]["problem"] if way == "apply" else answer.json
    assert told["code"] == "forbidden"
    assert id not in world.of("machinesets")


def test_a_cluster_is_restored_from_a_backup_within_reach(world: World, token_for: Callable[..., Caller]) -> None:
    body = starting_from(world.backup, "team-7-again", world.free[0])
    answer = token_for("team-7*").post("clusters?dry_run=true", json=body)
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    "labels",
    [
        lambda world: {"cluster": MINE, "machine": world.theirs},
        lambda world: {"cluster": MINE, "machine": world.free[0]},
        lambda world: {"cluster": MINE, "cluster-machine": world.theirs},
        lambda world: {"cluster": MINE, "machine-set": f"{THEIRS}-control-planes"},
    ],
    ids=["machine", "free-machine", "cluster-machine", "machine-set"],
)
@pytest.mark.parametrize("way", ["configpatches", "resources/configpatches", "apply", "extensions-configurations"])
def test_labels_do_not_reach_further_than_the_cluster(
    world: World, way: str, labels: Callable[[World], dict[str, str]]
) -> None:
    said = {f"{LABEL}/{name}": value for name, value in labels(world).items()}
    body: dict[str, Any] = {"id": "500-reaching", "labels": said, "data": DATA}
    if way.startswith("resources"):
        body = {"id": "500-reaching", "labels": said, "spec": {"data": DATA}}
    if way == "apply":
        metadata = {"type": "ConfigPatches.omni.sidero.dev", "id": "500-reaching", "labels": said}
        body = {"metadata": metadata, "spec": {"data": DATA}}
    if way.startswith("ext"):
        body = {"id": "500-reaching", "labels": said, "extensions": []}
    answer = world.held.post(way, json=body)
    told = answer.json["results"][0]["problem"] if way == "apply" else answer.json
    assert told["code"] == "forbidden"
    assert THEIRS not in told["detail"]
    assert "500-reaching" not in {**world.of("configpatches"), **world.of("extensionsconfigurations")}


def test_labels_may_name_what_is_within_reach(world: World) -> None:
    for name, value in (("machine", world.mine), ("cluster-machine", world.mine), ("machine-set", f"{MINE}-workers")):
        labels = {f"{LABEL}/cluster": MINE, f"{LABEL}/{name}": value}
        made = world.held.post("configpatches?dry_run=true", json={"id": "500-fine", "labels": labels, "data": DATA})
        assert made.status_code == 200, made.text


def test_a_patch_cannot_be_turned_on_a_machine_of_another_cluster(world: World) -> None:
    body = {"id": "500-turned", "labels": {f"{LABEL}/cluster": MINE}, "data": DATA}
    assert world.held.post("configpatches", json=body).status_code == 201
    answer = world.held.patch("configpatches/500-turned", json={"labels": {f"{LABEL}/machine": world.theirs}})
    assert code_of(answer) == (403, "forbidden")
    assert f"{LABEL}/machine" not in world.of("configpatches")["500-turned"]["labels"]
    assert world.held.delete("configpatches/500-turned").status_code == 204


@pytest.mark.parametrize("way", ["machinesetnodes", "clustermachines", "resources/machinesetnodes"])
def test_no_machine_is_put_into_another_clusters_set(world: World, way: str) -> None:
    assert world.admin.post(
        "machinesets",
        json={"id": f"{THEIRS}-more", "labels": {f"{LABEL}/cluster": THEIRS, f"{LABEL}/role-worker": ""}},
    ).status_code in (201, 409)
    labels = {f"{LABEL}/cluster": MINE, f"{LABEL}/machine-set": f"{THEIRS}-more"}
    body: dict[str, Any] = {"id": world.free[0], "labels": labels}
    if way == "clustermachines":
        body = {"id": world.free[0], "labels": {f"{LABEL}/cluster": MINE}, "machineset": f"{THEIRS}-more"}
    answer = world.held.post(way, json=body)
    assert code_of(answer) == (403, "forbidden")
    assert world.free[0] not in world.of("machinesetnodes")


@pytest.mark.parametrize(
    ("collection", "body"),
    [
        ("machineclasses", {"match_labels": [f"{LABEL}/platform = metal"]}),
        ("machine-request-sets", {"provider_id": "p", "machine_count": 3, "talos_version": "1.13.7"}),
        ("installation-medias", {"architecture": "AMD64", "talos_version": "1.13.7"}),
    ],
)
@pytest.mark.parametrize("way", ["plain", "generic"])
def test_a_label_makes_nothing_of_the_fleet_the_callers(
    world: World, collection: str, body: dict[str, Any], way: str
) -> None:
    labels = {f"{LABEL}/cluster": MINE}
    types = {"machine-request-sets": "machinerequestsets", "installation-medias": "installationmediaconfigs"}
    if way == "generic":
        answer = world.held.post(
            f"resources/{types.get(collection, collection)}", json={"id": "labelled", "labels": labels, "spec": {}}
        )
    else:
        answer = world.held.post(collection, json={"id": "labelled", "labels": labels, **body})
    assert code_of(answer) == (403, "forbidden")


def test_a_machine_that_is_taken_says_nothing_of_whose_it_is(world: World, token_for: Callable[..., Caller]) -> None:
    body = {"id": "fresh-2", "control_plane": {"machines": [world.theirs]}}
    answer = token_for("fresh-*").post("clusters", json=body)
    assert answer.status_code == 422
    assert THEIRS not in answer.text
    assert f"'{THEIRS}" in world.admin.post("clusters", json=body).text


def test_an_image_that_machines_join_with_takes_who_may_touch_all_of_the_fleet(world: World) -> None:
    medium = world.admin.get("installation-medias?kind=catalogue").json[0]["id"]
    path = f"installation-medias/{quote(medium, safe='')}/actions/download-url"
    assert world.admin.post(path, json={"talos_version": "1.13.7"}).status_code == 200
    assert code_of(world.held.post(path, json={"talos_version": "1.13.7"})) == (403, "forbidden")


def test_what_leaves_the_reach_of_a_watch_does_not_tell_where_it_went(world: World) -> None:
    body = {"id": "500-leaving", "labels": {f"{LABEL}/cluster": MINE}, "data": DATA}
    assert world.held.post("configpatches", json=body).status_code == 201
    answer = world.held.get("configpatches", headers={"Accept": "application/x-ndjson"}, buffered=False)
    events = told(answer)
    assert "BOOKMARK" in (event["type"] for event in events)
    world.admin.patch("configpatches/500-leaving", json={"labels": {f"{LABEL}/cluster": THEIRS, "a": "secret"}})
    gone = next(event for event in events if event["type"] != "BOOKMARK")
    answer.close()
    world.admin.delete("configpatches/500-leaving")
    assert (gone["type"], gone["object"]["id"]) == ("DELETED", "500-leaving")
    assert not gone["object"]["labels"]
    assert THEIRS not in json.dumps(gone)


@pytest.mark.parametrize("collection", ["kernel-args", "infra-machine-configs", "configpatches"])
def test_a_refusal_does_not_tell_which_cluster_a_machine_is_in(world: World, collection: str) -> None:
    body: dict[str, Any] = {"id": world.theirs}
    if collection == "configpatches":
        body = {"id": "500-asking", "labels": {f"{LABEL}/machine": world.theirs}, "data": DATA}
    answer = world.held.post(collection, json=body)
    assert code_of(answer) == (403, "forbidden")
    assert THEIRS not in answer.text
