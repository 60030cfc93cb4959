"""What can be read of a cluster, and of one that is empty or not there."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.e2e.cluster_steps import (
    GONE_SECONDS,
    READY_SECONDS,
    Machines,
    Made,
    Unique,
    Wait,
    at,
    once,
    problem,
    running_cluster,
)

PRESENT_AT_ONCE = ["status", "bootstrap", "endpoints", "workload-proxy-status", "talos-upgrade"]
PRESENT_LATER = ["kubernetes-status", "kubernetes-upgrade", "controlplane-status", "destroy-status"]
LISTS = ["kubernetes-nodes", "machinesets", "etcdbackups", "machines", "configpatches"]
FILES = ["kubeconfig", "talosconfig", "support-bundle"]
BELOW = [*PRESENT_AT_ONCE, *PRESENT_LATER, *LISTS, *FILES, "diagnostics", "metrics", "kubernetes-nodes/n1"]


@pytest.mark.parametrize("what", ["", *BELOW])
def test_nothing_can_be_read_of_a_cluster_that_is_not_there(api: httpx.Client, unique: Unique, what: str) -> None:
    problem(api.get(f"clusters/{unique('none')}/{what}".rstrip("/")), 404, "not-found")


@pytest.mark.parametrize("kind", ["cluster-create", "cluster-bootstrap", "kubernetes-upgrade", "talos-upgrade"])
def test_there_is_no_operation_on_a_cluster_that_is_not_there(api: httpx.Client, unique: Unique, kind: str) -> None:
    problem(api.get(f"operations/{kind}/{unique('none')}"), 404, "not-found")


def test_a_cluster_that_is_not_there_counts_as_destroyed(api: httpx.Client, unique: Unique) -> None:
    assert api.get(f"operations/cluster-destroy/{unique('none')}").json()["state"] == "succeeded"


@pytest.fixture(scope="module")
def empty(api: httpx.Client, wait_until: Wait) -> Iterator[str]:
    """A cluster without machine sets."""
    name = f"e2e-empty-{secrets.token_hex(3)}"
    api.post("clusters", json={"id": name, "labels": {"kind": name}}).raise_for_status()
    wait_until(lambda: api.get(f"clusters/{name}/talos-upgrade").status_code == 200, what="its statuses")
    yield name
    api.delete(f"clusters/{name}")
    wait_until(lambda: api.get(f"clusters/{name}").status_code == 404, GONE_SECONDS, "its end")


@pytest.mark.parametrize("what", PRESENT_AT_ONCE)
def test_an_empty_cluster_has_a_status_with_an_entity_tag(
    api: httpx.Client, empty: str, wait_until: Wait, what: str
) -> None:
    url = f"clusters/{empty}/{what}"
    wait_until(lambda: api.get(url).status_code == 200, what=url)
    answer = api.get(url)
    assert answer.json()["id"] == empty
    assert answer.json()["_links"] == {"self": f"/api/v1/{url}", "cluster": f"/api/v1/clusters/{empty}"}
    assert api.get(url, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304


@pytest.mark.parametrize("what", PRESENT_LATER)
def test_what_an_empty_cluster_does_not_have_yet_is_a_404_that_says_so(
    api: httpx.Client, empty: str, what: str
) -> None:
    code = "not-found" if what == "destroy-status" else "not-yet"
    assert "exists" in problem(api.get(f"clusters/{empty}/{what}"), 404, code)["detail"]


@pytest.mark.parametrize("what", LISTS)
def test_the_lists_below_an_empty_cluster_are_empty(api: httpx.Client, empty: str, what: str) -> None:
    answer = api.get(f"clusters/{empty}/{what}")
    assert answer.status_code == 200, answer.text
    assert answer.json() == [] or what == "configpatches"
    assert "X-Pagination" in answer.headers


def test_diagnostics_are_empty_when_there_is_nothing_to_say(api: httpx.Client, empty: str) -> None:
    answer = api.get(f"clusters/{empty}/diagnostics")
    assert answer.status_code == 200, answer.text
    assert answer.json()["nodes"] == []


def test_metrics_of_an_empty_cluster_are_zeros(api: httpx.Client, empty: str) -> None:
    metrics = api.get(f"clusters/{empty}/metrics").json()
    assert metrics["machines"] == {"total": 0, "healthy": 0, "connected": 0, "requested": 0}
    assert metrics["ready"] is False and set(metrics["features"].values()) <= {0, 1}


def test_an_empty_cluster_is_created_but_not_bootstrapped(api: httpx.Client, empty: str) -> None:
    created = api.get(f"operations/cluster-create/{empty}").json()
    bootstrapped = api.get(f"operations/cluster-bootstrap/{empty}").json()
    assert created["state"] == "succeeded" and "control plane" in created["progress"]
    assert bootstrapped["state"] == "running" and bootstrapped["details"] == {"bootstrapped": False}


def test_nobody_is_destroying_a_cluster_at_rest(api: httpx.Client, empty: str) -> None:
    problem(api.get(f"operations/cluster-destroy/{empty}"), 404, "not-found")


def test_clusters_are_listed_by_label(api: httpx.Client, empty: str) -> None:
    listed = api.get("clusters", params={"label_selector": f"kind={empty}", "fields": "id"}).json()
    assert [item["id"] for item in listed] == [empty]


def test_a_kubeconfig_for_people_is_yaml_that_nobody_keeps(reader: httpx.Client, empty: str) -> None:
    answer = reader.get(f"clusters/{empty}/kubeconfig")
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"].startswith("application/yaml")
    assert answer.headers["Cache-Control"] == "no-store"
    assert f"{empty}-kubeconfig.yaml" in answer.headers["Content-Disposition"]
    assert "apiVersion: v1" in answer.text and empty in answer.text


def test_a_talosconfig_is_yaml_that_nobody_keeps(reader: httpx.Client, empty: str) -> None:
    answer = reader.get(f"clusters/{empty}/talosconfig")
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"].startswith("application/yaml")
    assert answer.headers["Cache-Control"] == "no-store"
    assert "contexts" in answer.text


SERVICE_ACCOUNT = {"service_account": "true", "user": "ci", "ttl": "1h", "groups": "system:masters,dev"}


def test_a_service_accounts_kubeconfig_is_for_operators(reader: httpx.Client, empty: str) -> None:
    document = problem(reader.get(f"clusters/{empty}/kubeconfig", params=SERVICE_ACCOUNT), 403, "forbidden")
    assert "operator" in document["detail"]


def test_a_kubeconfig_that_holds_a_token_is_in_the_audit_and_one_for_people_is_not(
    operator: httpx.Client, api: httpx.Client, empty: str, wait_until: Wait
) -> None:
    plain = operator.get(f"clusters/{empty}/kubeconfig")
    answer = operator.get(f"clusters/{empty}/kubeconfig", params=SERVICE_ACCOUNT)
    assert (plain.status_code, answer.status_code) == (200, 200)
    query = {"request_id": answer.headers["X-Request-ID"]}
    (entry,) = wait_until(lambda: api.get("audit", params=query).json(), what="the entry")
    assert (entry["method"], entry["object_id"], entry["status"]) == ("GET", empty, 200)
    assert api.get("audit", params={"request_id": plain.headers["X-Request-ID"]}).json() == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"user": None}, "user"),
        ({"ttl": None}, "ttl"),
        ({"ttl": "soon"}, "ttl"),
        ({"ttl": "0s"}, "ttl"),
        ({"ttl": "100000h"}, "ttl"),
        ({"groups": ",".join("a" * 33)}, "groups"),
        ({"grant_type": "auto"}, "grant_type"),
        ({"service_account": "false"}, "user"),
        ({"service_account": "maybe"}, "service_account"),
    ],
)
def test_a_kubeconfig_that_cannot_be_made_is_refused_by_parameter(
    operator: httpx.Client, empty: str, change: dict[str, Any], field: str
) -> None:
    params = {name: value for name, value in {**SERVICE_ACCOUNT, **change}.items() if value is not None}
    document = problem(operator.get(f"clusters/{empty}/kubeconfig", params=params), 422, "validation")
    assert field in document["errors"]


def test_a_support_bundle_is_for_operators(reader: httpx.Client, empty: str) -> None:
    problem(reader.get(f"clusters/{empty}/support-bundle"), 403, "forbidden")


@pytest.fixture
def running(
    api: httpx.Client, unique: Unique, made: Made, free_machines: Machines, versions: Any, wait_until: Wait
) -> tuple[str, list[str]]:
    """A cluster of a control plane and a worker that is up: its URL, its machines."""
    name, machines = unique("c"), free_machines(2)
    running_cluster(api, made, name, machines, versions, wait_until)
    return f"clusters/{name}", machines


def all_ready(status: dict[str, Any]) -> bool:
    """Whether Omni has seen both nodes, ready and with their static pods."""
    return sum(node["ready"] for node in status["nodes"]) == 2 and bool(status["static_pods"])


def test_kubernetes_nodes_are_put_together_from_what_omni_knows(
    api: httpx.Client, running: tuple[str, list[str]], versions: Any, wait_until: Wait
) -> None:
    below, machines = running
    status = once(api, f"{below}/kubernetes-status", all_ready, wait_until)
    nodes = api.get(f"{below}/kubernetes-nodes").json()
    assert {node["name"] for node in nodes} == {node["nodename"] for node in status["nodes"]}
    assert {node["machine"] for node in nodes} == set(machines)
    assert all(node["ready"] and node["kubelet_version"] == versions.kubernetes for node in nodes)
    control_plane = next(node for node in nodes if node["machine"] == machines[0])
    assert {pod["app"] for pod in control_plane["static_pods"]} >= {"kube-apiserver"}
    one = api.get(at(api, control_plane["_links"]["self"])).json()
    assert one["static_pods"] == control_plane["static_pods"]
    problem(api.get(f"{below}/kubernetes-nodes/no-such-node"), 404, "not-found")


def test_a_watch_of_kubernetes_nodes_tells_those_that_are_there(
    api: httpx.Client, running: tuple[str, list[str]], wait_until: Wait
) -> None:
    below, machines = running
    # A node has its machine once Omni knows the identity of that.
    nodes = lambda: {node["machine"] for node in api.get(f"{below}/kubernetes-nodes").json()}  # noqa: E731
    wait_until(lambda: nodes() == set(machines), READY_SECONDS, "the nodes")
    with api.stream("GET", f"{below}/kubernetes-nodes", headers={"Accept": "application/x-ndjson"}) as stream:
        events = [json.loads(line) for _, line in zip(range(3), stream.iter_lines(), strict=False)]
    assert [event["type"] for event in events] == ["ADDED", "ADDED", "BOOKMARK"]
    assert {event["object"]["machine"] for event in events[:2]} == set(machines)


def test_a_running_cluster_can_be_read_through_and_through(
    api: httpx.Client, operator: httpx.Client, running: tuple[str, list[str]], wait_until: Wait
) -> None:
    below, machines = running
    conditions = api.get(f"{below}/controlplane-status").json()
    assert conditions["id"] == f"{below.split('/')[1]}-control-planes"
    assert conditions["_links"]["self"] == f"/api/v1/{below}/controlplane-status"
    assert {item["type"] for item in conditions["conditions"]} >= {"Etcd"}
    assert api.get(f"{below}/bootstrap").json()["bootstrapped"] is True
    assert len(api.get(f"{below}/endpoints").json()["management_addresses"]) == 1
    once(api, f"{below}/kubernetes-upgrade", lambda upgrade: upgrade["phase"] == "Done", wait_until)
    assert api.get(f"{below}/talos-upgrade").json()["phase"] == "Done"
    kubernetes = once(api, f"{below}/kubernetes-status", all_ready, wait_until)
    assert [(node["ready"], node["kubelet"]) for node in kubernetes["nodes"]] == [(True, True)] * 2
    assert [item["pods"] for item in kubernetes["static_pods"]] == [
        item["static_pods"] for item in kubernetes["static_pods"]
    ]
    assert {pod["app"] for pod in kubernetes["static_pods"][0]["pods"]} >= {"kube-apiserver"}
    metrics = api.get(f"{below}/metrics").json()
    assert metrics["machines"]["healthy"] == 2 and metrics["unhealthy"] == 0 and metrics["phase"] == "RUNNING"
    members = api.get(f"{below}/machines")
    assert members.status_code == 200, members.text
    assert {item["id"] for item in members.json()} == set(machines)
    token = operator.get(f"{below}/kubeconfig", params=SERVICE_ACCOUNT)
    assert token.status_code == 200 and "token:" in token.text
    bundle = operator.get(f"{below}/support-bundle", timeout=120)
    assert bundle.headers["Content-Type"] == "application/zip" and bundle.content.startswith(b"PK")
