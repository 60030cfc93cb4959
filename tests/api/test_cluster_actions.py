"""New authorities of a cluster, files that bypass Omni, machines without their token: given, done and refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from omni_gateway.app import create_app
from omni_gateway.omni import OmniClient, OmniConfig, types
from omni_gateway.omni import errors as omni_errors
from omni_gateway.redaction.configuration import MASK
from omni_gateway.settings import Settings
from omni_gateway.simulator.embedded import RunningSimulator, running_simulator
from omni_gateway.store import Store
from omni_gateway.stubs import simulator_faults_pb2 as faults
from tests.simulator.test_rules import BUNDLE

from .conftest import NO_RATES, Caller
from .streams import lines, server_sent_events

CLUSTER, EMPTY = "kept", "empty"
TALOS, KUBERNETES = "rotate-talos-ca", "rotate-kubernetes-ca"
VERSIONS = {"talos_version": "1.13.7", "kubernetes_version": "1.35.6"}
REQUESTS = {TALOS: types.ROTATE_TALOS_CAS, KUBERNETES: types.ROTATE_KUBERNETES_CAS}
OPERATIONS = {TALOS: "talos-ca-rotation", KUBERNETES: "kubernetes-ca-rotation"}
ROLES = ("admin", "operator")
ROTATIONS, ROTATOR = types.CLUSTER_SECRETS_ROTATION_STATUSES, "SecretRotationStatusController"
FREE = "omni.sidero.dev/available, omni.sidero.dev/connected"
#: The sixth part of a lifecycle second: a rotation that began lasts as long as a test likes.
SPEED = 60.0


@dataclass
class World:
    """A gateway before an Omni that gives out break-glass files and has a cluster that is up and an empty one."""

    admin: Any
    operator: Any
    simulator: RunningSimulator
    omni: OmniClient
    machine: str
    wait_until: Callable[..., Any]

    def at_rest(self) -> None:
        self.wait_until(lambda: not self.rotating() and self.status()["ready"], 30, "the cluster at rest")

    def act(self, cluster: str, action: str, query: str = "", **options: Any) -> Any:
        return self.admin.post(f"clusters/{cluster}/actions/{action}{query}", **options)

    def read(self, url: str) -> Any:
        """Read from Omni: what is written behind the gateway's back its cache need not have heard of."""
        return self.admin.get(url, headers={"Cache-Control": "no-cache"})

    def status(self, cluster: str = CLUSTER) -> dict[str, Any]:
        return dict(self.read(f"clusters/{cluster}/status").json)

    def request(self, action: str, cluster: str) -> None:
        """Request a rotation as another client of Omni's does: by a new version of the object."""
        try:
            found = self.omni.resources.get(REQUESTS[action], cluster)
        except omni_errors.NotFound:
            self.omni.resources.create(REQUESTS[action], cluster, {})
        else:
            self.omni.resources.update(found, version=int(found["metadata"]["version"]))

    def free(self) -> str:
        """Return a machine that is in no cluster."""
        return str(self.omni.resources.list(types.MACHINE_STATUSES, selectors=[FREE]).items[0]["metadata"]["id"])

    def rotating(self) -> bool:
        """Return whether a rotation of either authority is requested or running."""
        return any(self.read(f"operations?kind={kind}&target={CLUSTER}").json for kind in OPERATIONS.values())

    def served(self, annotation: str) -> str:
        return str(self.omni.resources.get(ROTATIONS, CLUSTER)["metadata"]["annotations"].get(annotation))

    def rotation(self) -> str:
        return str(self.read(f"clusters/{CLUSTER}/secrets-rotation").json["phase"])


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, wait_until: Callable[..., Any]) -> Iterator[World]:
    with running_simulator(fleet=4, speed=SPEED, break_glass=True) as simulator:
        config = OmniConfig(endpoint=simulator.endpoint, service_account_key=simulator.key)
        settings = Settings(omni=config, state_dir=tmp_path_factory.mktemp("actions"), **NO_RATES)
        with pytest.MonkeyPatch.context() as patch:  # as the fixture `undocumented`
            patch.setattr("flask_smorest.Blueprint.register_views_in_doc", lambda *_, **__: None)
            app = create_app(settings)
        tokens = Store(settings.database_url).tokens
        admin, operator = (Caller(app.test_client(), tokens.create(role, role, None)[1]) for role in ROLES)
        with OmniClient(config) as omni:
            machine = omni.resources.list(types.MACHINES).items[0]["metadata"]["id"]
            made = World(admin, operator, simulator, omni, machine, wait_until)
            body = {"id": CLUSTER, **VERSIONS, "control_plane": {"machines": [machine]}}
            assert made.admin.post("clusters", json=body).status_code == 201
            assert made.admin.post("clusters", json={"id": EMPTY, **VERSIONS}).status_code == 201
            wait_until(lambda: made.admin.get(f"clusters/{CLUSTER}/kubernetes-status").status_code == 200, 60, CLUSTER)
            yield made


@pytest.fixture
def at_rest(world: World) -> World:
    """The world when the cluster is ready and none of its authorities is being replaced."""
    world.at_rest()
    return world


def problem(answer: Any, status: int, code: str) -> dict[str, Any]:
    assert (answer.status_code, answer.json["code"]) == (status, code), answer.text
    return dict(answer.json)


# -- replacing authorities


@pytest.mark.parametrize("action", REQUESTS)
def test_an_authority_is_replaced_each_time_it_is_asked_for(
    at_rest: World, action: str, wait_until: Callable[..., Any]
) -> None:
    kind = OPERATIONS[action]
    for _ in range(2):
        answer = at_rest.act(CLUSTER, action)
        assert (answer.status_code, answer.json.get("kind")) == (202, kind), answer.text
        url = answer.headers["Operation-Location"]
        done = wait_until(lambda url=url: (it := at_rest.admin.get(f"{url}?wait=20s").json)["done"] and it, 60, "it")
        assert (done["state"], {stage["state"] for stage in done["stages"]}) == ("succeeded", {"succeeded"})
    assert int(at_rest.omni.resources.get(REQUESTS[action], CLUSTER)["metadata"]["version"]) >= 2


def test_an_authority_is_replaced_though_the_request_before_was_removed(
    at_rest: World, wait_until: Callable[..., Any]
) -> None:
    with suppress(omni_errors.NotFound):
        at_rest.omni.resources.remove(types.ROTATE_TALOS_CAS, CLUSTER)
    begun = "omni.sidero.dev/rotate-talos-ca-version"
    at_rest.simulator.store.modify(
        "default", ROTATIONS, CLUSTER, lambda res: res.annotations.update({begun: "1"}), owner=ROTATOR
    )
    answer = at_rest.act(CLUSTER, TALOS)
    assert answer.status_code == 202, answer.text
    wait_until(lambda: at_rest.served(begun) == "2" and at_rest.rotation() == "OK", 30, "the second version")


def test_a_dry_run_tells_what_would_be_requested_and_requests_nothing(at_rest: World) -> None:
    before = [item["metadata"] for item in at_rest.omni.resources.list(types.ROTATE_TALOS_CAS).items]
    document = at_rest.act(CLUSTER, TALOS, "?dry_run=true").json
    [also] = document["_dry_run"]["also"]
    assert (document["state"], also["type"], also["id"]) == ("planned", types.ROTATE_TALOS_CAS, CLUSTER)
    assert [item["metadata"] for item in at_rest.omni.resources.list(types.ROTATE_TALOS_CAS).items] == before


@pytest.fixture
def rotating(at_rest: World, wait_until: Callable[..., Any]) -> Iterator[World]:
    """The world while the Talos CA is being replaced, for as long as the test lasts: a lock holds it back."""
    assert at_rest.act(CLUSTER, "lock").status_code == 200
    try:
        at_rest.request(TALOS, CLUSTER)
        wait_until(lambda: at_rest.rotation() == "PRE_ROTATE", 30, "the begun rotation")
        yield at_rest
    finally:
        assert at_rest.act(CLUSTER, "unlock").status_code == 200


@pytest.mark.parametrize("action", REQUESTS)
def test_no_rotation_is_requested_while_one_runs(rotating: World, action: str) -> None:
    refused = problem(rotating.act(CLUSTER, action), 409, "conflict")
    assert "The Talos CA of cluster 'kept' is being rotated (phase PRE_ROTATE)" in refused["detail"]
    assert f"/api/v1/operations/talos-ca-rotation/{CLUSTER}" in refused["hint"]


def test_a_rotation_that_a_lock_holds_back_is_listed_with_how_to_let_it_go_on(rotating: World) -> None:
    status = rotating.read(f"clusters/{CLUSTER}/secrets-rotation").json
    [operation] = rotating.read("operations?kind=talos-ca-rotation").json
    assert (status["component"], "unlocked" in status["step"]) == ("TALOS_CA", True)
    assert f"clusters/{CLUSTER}/actions/unlock" in operation["hint"]
    assert [stage["state"] for stage in operation["stages"]] == ["succeeded", "running", "pending", "pending"]


def test_a_request_that_omni_has_not_begun_is_an_operation_that_runs(world: World) -> None:
    world.request(KUBERNETES, EMPTY)
    operation = world.read(f"operations/kubernetes-ca-rotation/{EMPTY}").json
    assert (operation["state"], operation["stages"][0]["state"]) == ("running", "running")


def test_of_a_cluster_that_no_rotation_was_asked_for_there_is_no_operation(world: World) -> None:
    problem(world.read(f"operations/talos-ca-rotation/{EMPTY}"), 404, "not-found")
    problem(world.read(f"clusters/{EMPTY}/secrets-rotation"), 404, "not-yet")


def test_a_cluster_that_never_was_up_has_no_authority_to_replace(world: World) -> None:
    assert "has not come up yet" in problem(world.act(EMPTY, TALOS), 409, "conflict")["detail"]


def test_a_cluster_that_does_not_exist_is_404(world: World) -> None:
    problem(world.act("none", TALOS), 404, "not-found")


def test_a_locked_cluster_is_not_begun_with(at_rest: World) -> None:
    assert at_rest.act(CLUSTER, "lock").status_code == 200
    refused = at_rest.act(CLUSTER, TALOS, "?dry_run=true")
    assert at_rest.act(CLUSTER, "unlock").status_code == 200
    assert "is locked" in problem(refused, 409, "conflict")["detail"]


def test_a_cluster_that_is_not_ready_is_not_begun_with(at_rest: World, wait_until: Callable[..., Any]) -> None:
    label = {"omni.sidero.dev/cluster": CLUSTER}
    workers = {"id": f"{CLUSTER}-workers", "labels": {**label, "omni.sidero.dev/role-worker": ""}}
    assert at_rest.admin.post("machinesets", json=workers).status_code == 201
    node = {"id": "2d1f4a52-8f7e-4a3c-9f0e-0d7b9f3f6a01", "machineset": workers["id"]}
    assert at_rest.admin.post("machinesetnodes", json=node).status_code == 201
    wait_until(
        lambda: not at_rest.status()["ready"] or at_rest.status()["phase"] != "RUNNING", 30, "the lacking worker"
    )
    refused = at_rest.act(CLUSTER, TALOS)
    at_rest.admin.delete(f"machinesets/{workers['id']}")
    assert "is not ready" in problem(refused, 409, "conflict")["detail"]


def test_an_old_talos_is_upgraded_first(world: World) -> None:
    assert world.admin.post("clusters", json={"id": "old", **VERSIONS}).status_code == 201
    world.simulator.store.modify("default", types.CLUSTERS, "old", lambda res: res.spec.update(talos_version="1.6.8"))
    assert "runs Talos 1.6.8" in problem(world.act("old", KUBERNETES), 409, "conflict")["detail"]


def test_a_cluster_that_is_removed_keeps_its_authorities(world: World) -> None:
    assert world.admin.post("clusters", json={"id": "leaving", **VERSIONS}).status_code == 201
    held = ("default", types.CLUSTERS, "leaving")
    world.simulator.store.add_finalizer(held, "a-test")
    assert world.admin.delete("clusters/leaving").status_code == 202
    refused = world.act("leaving", TALOS)
    world.simulator.store.remove_finalizer(held, "a-test")
    problem(refused, 409, "tearing-down")


@pytest.mark.parametrize(
    ("method", "code"), [("Update", 3), ("Create", 6)], ids=["begun by another", "made by another"]
)
def test_a_request_that_another_writes_at_the_same_time_is_named(at_rest: World, method: str, code: int) -> None:
    if method == "Update":
        at_rest.request(KUBERNETES, CLUSTER)
        at_rest.at_rest()
    else:
        with suppress(omni_errors.NotFound):
            at_rest.omni.resources.remove(types.ROTATE_KUBERNETES_CAS, CLUSTER)
    rule = faults.Rule(method=f"*/{method}", resource_type=types.ROTATE_KUBERNETES_CAS, error=faults.Error(code=code))
    with at_rest.simulator.faults.during(rule):
        refused = problem(at_rest.act(CLUSTER, KUBERNETES), 409, "conflict")
    assert "has just been requested" in refused["detail"]


# -- files that bypass Omni


@pytest.mark.parametrize("file", ["kubeconfig", "talosconfig"])
def test_a_file_that_bypasses_omni_taints_the_cluster_until_both_authorities_are_new(
    at_rest: World, file: str, wait_until: Callable[..., Any]
) -> None:
    answer = at_rest.admin.get(f"clusters/{CLUSTER}/{file}?break_glass=true")
    assert (answer.status_code, answer.mimetype) == (200, "application/yaml"), answer.text
    assert certificates(yaml.safe_load(answer.text)) == 2
    wait_until(lambda: at_rest.status()["taints"] == ["break-glass"], 30, "the taint")
    for action in REQUESTS:
        url = at_rest.act(CLUSTER, action).headers["Operation-Location"]
        wait_until(lambda url=url: at_rest.admin.get(f"{url}?wait=20s").json["done"], 60, action)
        wait_until(lambda: at_rest.status()["ready"], 30, "the cluster")
    wait_until(lambda: at_rest.status()["taints"] == [], 30, "the end of the taint")


def certificates(config: Mapping[str, Any]) -> int:
    """Return how many of a certificate and its key a kubeconfig or a talosconfig has."""
    text = str(config)
    return sum(text.count(name) for name in ("client-certificate-data", "client-key-data", "'crt'", "'key'"))


@pytest.mark.parametrize("file", ["kubeconfig", "talosconfig"])
def test_a_file_that_bypasses_omni_is_for_admins_and_in_the_audit(
    world: World, file: str, caplog: pytest.LogCaptureFixture
) -> None:
    url = f"clusters/{CLUSTER}/{file}?break_glass=true"
    problem(world.operator.get(url), 403, "forbidden")
    caplog.clear()
    answer = world.admin.get(url)
    [line] = [record.getMessage() for record in caplog.records if record.name == "omni_gateway.audit"]
    assert f"/api/v1/clusters/<id>/{file}" in line
    assert "no-store" in answer.headers["Cache-Control"]


@pytest.mark.parametrize(
    "file",
    [
        "kubeconfig?break_glass=true",
        "kubeconfig?service_account=true&user=ci&ttl=1h",
        "talosconfig?break_glass=true",
    ],
)
def test_a_head_has_no_file_made_and_no_cluster_tainted(
    world: World, file: str, caplog: pytest.LogCaptureFixture
) -> None:
    asked = faults.Rule(method="*/*config", error=faults.Error(code=13, message="this was asked for a file"))
    with world.simulator.faults.during(asked) as state:
        answer = world.admin.head(f"clusters/{CLUSTER}/{file}")
        assert not state().struck
    assert (answer.status_code, answer.mimetype) == (200, "application/yaml")
    assert (answer.headers["Cache-Control"], "Content-Length" in answer.headers) == ("no-store", False)
    assert [record for record in caplog.records if record.name == "omni_gateway.audit"] == []


@pytest.mark.parametrize("file", ["kubeconfig", "talosconfig"])
def test_a_cluster_without_secrets_has_no_file_that_bypasses_omni(world: World, file: str) -> None:
    problem(world.admin.get(f"clusters/{EMPTY}/{file}?break_glass=true"), 409, "too-early")


def test_a_raw_talosconfig_is_for_debug_builds(world: World) -> None:
    refused = problem(world.admin.get(f"clusters/{CLUSTER}/talosconfig?raw=true"), 403, "omni-forbidden")
    assert "debug build" in refused["hint"]


@pytest.mark.parametrize("file", ["kubeconfig", "talosconfig"])
def test_an_omni_that_gives_none_out_is_named(api: Any, file: str) -> None:
    assert api.post("clusters", json={"id": f"no-{file}", **VERSIONS}).status_code == 201
    refused = problem(api.get(f"clusters/no-{file}/{file}?break_glass=true"), 403, "omni-forbidden")
    api.delete(f"clusters/no-{file}")
    assert "enableBreakGlassConfigs" in refused["hint"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("kubeconfig?break_glass=true&service_account=true&user=u&ttl=1h", "break_glass"),
        ("kubeconfig?break_glass=true&grant_type=auto", "grant_type"),
        ("kubeconfig?break_glass=true&user=u", "user"),
        ("kubeconfig?service_account=true&user=u&ttl=1h&oidc_cache_isolation=true", "oidc_cache_isolation"),
        ("talosconfig?break_glass=true&raw=true", "raw"),
    ],
)
def test_parameters_of_two_kinds_of_file_do_not_go_together(world: World, query: str, field: str) -> None:
    assert field in problem(world.admin.get(f"clusters/{CLUSTER}/{query}"), 422, "validation")["errors"]


def test_a_login_may_keep_its_tokens_where_it_is_told(world: World) -> None:
    query = "oidc_cache_base_dir=/tokens&oidc_cache_isolation=true&grant_type=authcode"
    config = yaml.safe_load(world.admin.get(f"clusters/{CLUSTER}/kubeconfig?{query}").text)
    arguments = config["users"][0]["user"]["exec"]["args"]
    [cache] = [text for text in arguments if text.startswith("--token-cache-dir=/tokens/")]
    assert CLUSTER in cache
    assert "--grant-type=authcode" in arguments


# -- machines that lost their token


def token_of(world: World) -> str:
    return str(world.simulator.store.find("default", types.NODE_UNIQUE_TOKENS, world.machine).spec["token"])


RESET = "actions/reset-node-unique-token"


def test_the_token_of_a_machine_is_forgotten(world: World) -> None:
    before = token_of(world)
    answer = world.admin.post(f"machines/{world.machine}/{RESET}")
    assert (answer.status_code, answer.json["id"]) == (200, world.machine), answer.text
    assert token_of(world) != before


def test_a_dry_run_leaves_the_token_of_a_machine(world: World) -> None:
    before = token_of(world)
    assert world.admin.post(f"machines/{world.machine}/{RESET}?dry_run=true").json["_dry_run"]["diff"] == []
    assert token_of(world) == before


@pytest.mark.parametrize(("code", "message"), [(5, "not found"), (2, "resource NodeUniqueTokens(…) doesn't exist")])
def test_a_machine_without_a_token_has_none_afterwards(world: World, code: int, message: str) -> None:
    rule = faults.Rule(method="*/ResetNodeUniqueToken", error=faults.Error(code=code, message=message))
    with world.simulator.faults.during(rule) as struck:
        assert world.admin.post(f"machines/{world.machine}/{RESET}").status_code == 200
    assert struck


def test_tokens_of_machines_are_for_admins_and_of_machines_that_there_are(world: World) -> None:
    problem(world.operator.post(f"machines/{world.machine}/{RESET}"), 403, "forbidden")
    problem(world.admin.post(f"machines/none/{RESET}"), 404, "not-found")


# -- manifests that Talos does not apply again

SYNC = f"clusters/{CLUSTER}/actions/manifest-sync"
PROXY, TOKEN = "apps/v1/DaemonSet/kube-system/kube-proxy", "v1/Secret/kube-system/bootstrap-token-talos1"
STREAMS = ["application/x-ndjson", "text/event-stream"]


@pytest.fixture
def behind(at_rest: World, wait_until: Callable[..., Any]) -> World:
    """The world when Kubernetes has had its patch version changed since its manifests were applied."""
    cluster = at_rest.admin.get(f"clusters/{CLUSTER}").json
    other = {"1.35.6": "1.35.7", "1.35.7": "1.35.6"}[cluster["kubernetes_version"]]
    answer = at_rest.act(CLUSTER, "kubernetes-upgrade", json={"version": other})
    url = answer.headers["Operation-Location"]
    wait_until(lambda: at_rest.admin.get(f"{url}?wait=20s").json["state"] == "succeeded", 60, "the upgrade")
    return at_rest


def outcomes(answer: Mapping[str, Any]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for step in answer["manifests"]:
        found.setdefault(step["path"], []).append(step["outcome"])
    return found


def test_manifests_that_an_upgrade_has_changed_are_compared_then_applied_then_unchanged(behind: World) -> None:
    planned, applied, again = (behind.act(CLUSTER, "manifest-sync", query).json for query in ("?dry_run=true", "", ""))
    assert ("_dry_run" in planned, outcomes(planned)[PROXY]) == (True, ["planned"])
    assert (planned["changed"], applied["changed"], again["changed"]) == (2, 2, 0)
    assert outcomes(applied)[PROXY] == ["applied", "rollout"]
    assert "kube-proxy:v1.35" in next(step["diff"] for step in applied["manifests"] if step["path"] == PROXY)
    assert set(map(tuple, outcomes(again).values())) == {("unchanged",)}


@pytest.mark.parametrize("media", STREAMS)
def test_the_steps_are_streamed_to_who_asks_for_a_stream(behind: World, media: str) -> None:
    answer = behind.admin.post(SYNC, headers={"Accept": media})
    read = lines if media == STREAMS[0] else server_sent_events
    steps = [event["object"] for event in read(answer.get_data(as_text=True)) if event["type"] == "STEP"]
    assert (answer.status_code, answer.mimetype) == (200, media)
    assert [step["outcome"] for step in steps if step["path"] == PROXY] == ["applied", "rollout"]


def test_no_secret_is_shown_by_its_change(behind: World) -> None:
    answer = behind.admin.post(f"{SYNC}?dry_run=true")
    assert "made-up-for" not in answer.text
    assert next(step["diff"] for step in answer.json["manifests"] if step["path"] == TOKEN) == MASK


def test_what_goes_wrong_half_way_ends_a_stream_by_its_problem(at_rest: World) -> None:
    cut = faults.Rule(method="*/KubernetesSyncManifests", cut=faults.Cut(after_messages=2))
    with at_rest.simulator.faults.during(cut):
        answer = at_rest.admin.post(f"{SYNC}?dry_run=true", headers={"Accept": STREAMS[0]})
        told = lines(answer.get_data(as_text=True))
    assert [event["type"] for event in told] == ["STEP", "STEP", "ERROR"]
    assert told[-1]["object"]["code"] == "omni-unreachable"


def test_what_goes_wrong_half_way_is_the_answer_where_none_is_streamed(at_rest: World) -> None:
    error = faults.Rule(method="*/KubernetesSyncManifests", error=faults.Error(code=7, message="denied"))
    with at_rest.simulator.faults.during(error):
        problem(at_rest.act(CLUSTER, "manifest-sync"), 403, "omni-forbidden")


def test_manifests_need_a_kubernetes_that_answers(world: World) -> None:
    assert "has not answered yet" in problem(world.act(EMPTY, "manifest-sync"), 409, "conflict")["detail"]
    problem(world.act("none", "manifest-sync"), 404, "not-found")


@pytest.mark.parametrize(
    ("body", "field"),
    [({"reconcile_timeout": "11m"}, "reconcile_timeout"), ({"inventory_policy": "ANY"}, "inventory_policy")],
)
def test_odd_options_of_a_sync_are_refused_by_name(world: World, body: dict[str, Any], field: str) -> None:
    assert field in problem(world.act(CLUSTER, "manifest-sync", json=body), 422, "validation")["errors"]


# -- imports that are given up

IMPORTED = {"omni.sidero.dev/cluster-locked": "", "omni.sidero.dev/cluster-import-is-in-progress": ""}


@pytest.fixture
def imported(world: World, wait_until: Callable[..., Any]) -> Iterator[str]:
    """A cluster of one machine that was imported as omnictl does it: first its secrets, then the locked cluster."""
    name, machine = "imported", world.free()
    secrets = {"id": name, "spec": {"data": yaml.safe_dump(BUNDLE)}}
    assert world.admin.post("resources/importedclustersecrets", json=secrets).status_code == 201
    body = {"id": name, **VERSIONS, "annotations": IMPORTED, "control_plane": {"machines": [machine]}}
    made = world.admin.post("clusters", json=body)
    assert made.status_code == 201, made.text
    wait_until(lambda: world.status(name).get("taints") == ["importing"], 30, "the taint")
    wait_until(lambda: world.admin.get(f"clusters/{name}/machines").json, 30, "the machine of the cluster")
    yield name
    world.act(name, "unlock")
    world.admin.delete(f"clusters/{name}")
    wait_until(lambda: world.admin.get(f"clusters/{name}").status_code == 404, 60, "the end of the cluster")


def test_an_import_is_given_up_with_its_machines(world: World, imported: str, wait_until: Callable[..., Any]) -> None:
    [machine] = world.admin.get(f"clusters/{imported}/machines").json
    answer = world.act(imported, "abort-import")
    assert (answer.status_code, answer.json["kind"]) == (202, "cluster-destroy"), answer.text
    wait_until(lambda: world.admin.get(f"clusters/{imported}").status_code == 404, 60, "the end of the cluster")
    wait_until(lambda: world.admin.get(f"machines/{machine['id']}").status_code == 404, 60, "the end of the machine")


def test_a_dry_run_names_the_machines_that_would_go(world: World, imported: str) -> None:
    [machine] = world.admin.get(f"clusters/{imported}/machines").json
    document = world.act(imported, "abort-import", "?dry_run=true").json
    assert document["state"] == "planned"
    assert document["_dry_run"]["also_deleted"] == [{"type": types.LINKS, "id": machine["id"]}]
    assert world.admin.get(f"clusters/{imported}").json["metadata"]["phase"] == "running"


def test_an_import_that_has_ended_is_not_given_up(world: World, imported: str) -> None:
    assert world.act(imported, "unlock").status_code == 200
    assert "has ended" in problem(world.act(imported, "abort-import"), 409, "conflict")["detail"]


def test_a_cluster_that_was_not_imported_is_not_given_up(world: World) -> None:
    assert "is not being imported" in problem(world.act(CLUSTER, "abort-import"), 409, "conflict")["detail"]
    problem(world.act("none", "abort-import"), 404, "not-found")
