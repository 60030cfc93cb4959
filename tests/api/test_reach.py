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
from omni_gateway.simulator.state.resource import Resource
from omni_gateway.store import Store
from tests.document import parameters

from .conftest import NO_RATES, Caller
from .routes import body
from .streams import told

pytestmark = pytest.mark.slow

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
    document: dict[str, Any]

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
        document = admin.get("/openapi.json").json
        yield World(admin, held, machines[0], machines[1], machines[2:], backup, simulator, document)


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


# -- what is not told -------------------------------------------------------------------------------------------------

#: Of an answer, what differs from request to request.
VARYING = {"X-Request-ID", "Content-Length", "Date", "Age", "RateLimit", "Cache-Status"}
NDJSON = {"Accept": "application/x-ndjson"}


def nowhere_of(id: str) -> str:
    """Return an id that looks like the given one, of an object that does not exist; types and marks stay."""
    if THEIRS in id:
        return id.replace(THEIRS, "team-8")
    type, slash, name = id.rpartition("/")
    name, mark, rest = name.partition("~")
    return type + slash + name[:-1] + ("0" if name[-1] != "0" else "1") + mark + rest


def answer_to(caller: Caller, method: str, path: str, id: str, **options: Any) -> tuple[int, str]:
    """Return the status, and headers and body with ``<id>`` for the id; of a stream, all up to its first bookmark."""
    answer = getattr(caller, method)(path.replace("{id}", quote(id, safe="")), buffered=False, **options)
    body = ""
    if answer.is_streamed and answer.mimetype == NDJSON["Accept"]:
        for event in told(answer):
            body += json.dumps(event)
            if event["type"] != "ADDED":
                break
    else:
        body = answer.text
    answer.close()
    found = json.loads(body) if answer.mimetype.endswith("json") and body and not answer.is_streamed else body
    if isinstance(found, dict):
        found.pop("request_id", None)
    headers = sorted((name, value) for name, value in answer.headers if name not in VARYING)
    text = json.dumps([headers, found])
    for form in (id, quote(id, safe=""), id.partition("~")[0], THEIRS if THEIRS in id else "team-8"):
        text = text.replace(form, "<id>")
    return answer.status_code, text


@pytest.fixture(scope="module")
def elsewhere(world: World) -> dict[str, str]:
    """Collection → the id of an object that an admin sees and the held caller does not, for all that have one."""
    for id, machine in (("500-on-theirs", world.theirs), ("500-on-mine", world.mine)):
        body = {"id": id, "labels": {f"{LABEL}/machine": machine}, "data": DATA}
        assert world.admin.post("configpatches", json=body).status_code in (201, 409)
    task(world, "of-theirs", {"title": "Upgrading", "resource_id": THEIRS, "talos_upgrade": {}})
    paths = world.document["paths"]
    collections = [path.removesuffix("/{id}") for path in paths if path.endswith("/{id}") and "{type}" not in path]
    collections += [f"/api/v1/resources/{item['type']}" for item in world.admin.get("resources").json]
    found = {}
    for collection in collections:
        lists = [caller.get(f"{collection}?page_size=1000") for caller in (world.admin, world.held)]
        if [answer.status_code for answer in lists] == [200, 200]:
            seen = [[item["id"] for item in answer.json] for answer in lists]
            if hidden := sorted(set(seen[0]) - set(seen[1])):
                found[collection.removeprefix("/api/v1/")] = hidden[0]
    return found


def below(world: World, collection: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Return method, path and operation of each route that names an object of a collection."""
    base = f"/api/v1/{'resources/{type}' if collection.startswith('resources/') else collection}/{{id}}"
    for path, item in world.document["paths"].items():
        if path == base or path.startswith(f"{base}/"):
            for method, operation in item.items():
                if isinstance(operation, dict) and "x-required-role" in operation:
                    yield method, path.removeprefix("/api/v1/").replace("resources/{type}", collection), operation


def test_no_route_tells_what_is_elsewhere_from_what_is_nowhere(world: World, elsewhere: dict[str, str]) -> None:
    assert {"clusters", "machines", "machinesets", "clustermachines", "configpatches"} <= set(elsewhere)
    assert len(elsewhere) > 20
    differing, asked = {}, 0
    for collection, id in elsewhere.items():
        for method, path, operation in below(world, collection):
            path = path.replace("{node}", "n1").replace("{number}", "1") + ("?dry_run=true" if method != "get" else "")
            options = [body(operation)] if method != "get" else [{}, {"headers": NDJSON}]
            for option in options:
                asked += 1
                answers = [answer_to(world.held, method, path, one, **option) for one in (id, nowhere_of(id))]
                if answers[0] != answers[1]:
                    differing[f"{method} {path} {id} {option}"] = answers
    assert asked > 150
    assert differing == {}


def test_no_operation_tells_what_is_elsewhere_from_what_is_nowhere(world: World, elsewhere: dict[str, str]) -> None:
    differing = {}
    kinds = [item["kind"] for item in world.admin.get("operation-kinds").json]
    for kind in kinds:
        # Of Omni's types, which have one kind of operation for all of them, the ids are that kind's.
        own = {id for name, id in elsewhere.items() if "resources/" not in name}
        ids = {*own, f"{world.theirs}~1", f"{world.theirs}~install"}
        if kind == "resource-destroy":
            ids = {f"{name.removeprefix('resources/')}/{id}" for name, id in elsewhere.items() if "resources/" in name}
        for id in sorted(ids):
            path = f"operations/{kind}/{{id}}"
            answers = [answer_to(world.held, "get", path, one) for one in (id, nowhere_of(id))]
            if answers[0] != answers[1]:
                differing[f"{kind}/{id}"] = answers
    assert len(kinds) > 20
    assert differing == {}


def test_what_lies_below_ones_own_is_said_not_to_be_there_in_words(world: World) -> None:
    answer = world.held.get(f"clusters/{MINE}/destroy-status")
    assert code_of(answer) == (404, "not-found")
    assert answer.json["detail"].startswith(f"'{MINE}' exists, but Omni has no destroy-status")


def documents(cluster: str, machine: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Return what names a cluster or one of its machines in a body: collection and body; for ``apply``, in one too."""
    of = {f"{LABEL}/cluster": cluster}
    yield "etcdbackups", {"cluster": cluster}
    yield "etcd-manual-backups", {"id": cluster}
    yield "exposed-services", {"cluster": cluster, "service": "a", "service_namespace": "b", "port": 30000}
    yield "clusters", {"id": cluster}
    yield "clusters", {"id": "team", "control_plane": {"machines": [machine]}}
    yield "machinesets", {"id": f"{cluster}-workers", "labels": {**of, f"{LABEL}/role-worker": ""}}
    yield "machinesetnodes", {"id": machine, "labels": {**of, f"{LABEL}/machine-set": f"{cluster}-control-planes"}}
    yield "clustermachines", {"id": machine, "machineset": f"{cluster}-control-planes"}
    yield "kernel-args", {"id": machine, "args": ["a=b"]}
    for labels in (of, {f"{LABEL}/machine": machine}):
        yield "configpatches", {"id": "500-told", "labels": labels, "data": DATA}
        yield "extensions-configurations", {"id": "told", "labels": labels, "extensions": []}
        for type, spec in (("ConfigPatches", {"data": DATA}), ("MachineSets", {"update_strategy": "Rolling"})):
            metadata = {"type": f"{type}.omni.sidero.dev", "id": "500-told", "labels": labels}
            yield "apply", {"metadata": metadata, "spec": spec}
            yield f"resources/{type}", {"id": "500-told", "labels": labels, "spec": spec}
    yield "apply", {"metadata": {"type": "Clusters.omni.sidero.dev", "id": cluster}, "spec": {}}


def test_no_body_and_no_filter_tells_what_is_elsewhere_from_what_is_nowhere(world: World) -> None:
    twin = nowhere_of(world.theirs)
    differing = {}
    for (path, one), (_, other) in zip(documents(THEIRS, world.theirs), documents("team-8", twin), strict=True):
        answers = []
        for sent, machine in ((one, world.theirs), (other, twin)):
            status, text = answer_to(world.held, "post", f"{path}?dry_run=true", machine, json=sent)
            answers.append((status, text.replace(THEIRS, "<id>").replace("team-8", "<id>")))
        if answers[0] != answers[1]:
            differing[f"{path} {one}"] = answers
    for path, item in world.document["paths"].items():
        named = parameters(world.document, item.get("get", {}))
        for name, pair in (("cluster", (THEIRS, "team-8")), ("machine", (world.theirs, twin))):
            if name in named and "{" not in path:
                answers = [answer_to(world.held, "get", f"{path}?{name}={one}", one) for one in pair]
                if answers[0] != answers[1]:
                    differing[f"{path}?{name}"] = answers
    assert differing == {}


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
            f"resources/{types.get(collection, collection)}", json={"id": "labelled", "labels": labels, "spec": body}
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
