"""The simulated Kubernetes API: who may come in, and what it does with Services."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from omni_gateway.simulator import kinds, kubernetes_tokens
from omni_gateway.simulator.context import Context
from omni_gateway.simulator.controllers.exposed_services import PREFIX, ExposedServices
from omni_gateway.simulator.kubernetes_proxy import KubernetesProxy
from omni_gateway.simulator.resource import Resource
from omni_gateway.simulator.store import Store

DNS = "/api/v1/namespaces/kube-system/services/kube-dns"
MERGE = {"Content-Type": "application/merge-patch+json"}


@pytest.fixture
def store() -> Any:
    store = Store()
    store.create(Resource("default", kinds.CLUSTER_UUID, "c1", {"uuid": "u-u-i-d"}))
    store.create(Resource("default", kinds.CLUSTER, "c1", {"features": {"enable_workload_proxy": True}}))
    store.create(Resource("default", kinds.LOAD_BALANCER_STATUS, "c1", {"healthy": True}))
    yield store
    store.close()


@pytest.fixture
def proxy(store: Store) -> Any:
    proxy = KubernetesProxy(store)
    proxy.start()
    yield proxy
    proxy.stop()


def token(**claims: Any) -> str:
    said = {"cluster": "c1", "sub": "me", "groups": ["system:masters"], "nbf": 0, "exp": 2**40, **claims}
    return kubernetes_tokens.sign(said, "u-u-i-d")


@pytest.fixture
def client(proxy: KubernetesProxy) -> Any:
    with httpx.Client(base_url=proxy.url, headers={"Authorization": f"Bearer {token()}"}) as client:
        yield client


def reconcile(store: Store) -> None:
    ExposedServices().reconcile(Context(store, ExposedServices.name), "c1")


@pytest.mark.parametrize(
    "credential",
    ["x", "nonsense", "a.b.c", token(exp=1), token(nbf=2**40), token(cluster="c2"), token() + "x", token()[:-3]],
)
def test_who_has_no_token_of_the_cluster_is_refused(proxy: KubernetesProxy, credential: str) -> None:
    answer = httpx.get(proxy.url + DNS, headers={"Authorization": f"Bearer {credential}"})
    assert answer.status_code == 401


def test_who_is_no_master_may_not(proxy: KubernetesProxy) -> None:
    answer = httpx.get(proxy.url + DNS, headers={"Authorization": f"Bearer {token(groups=['dev'])}"})
    assert answer.status_code == 403


def test_an_api_that_is_not_up_does_not_answer(store: Store, client: httpx.Client) -> None:
    store.modify("default", kinds.LOAD_BALANCER_STATUS, "c1", lambda res: res.spec.update(healthy=False))
    assert client.get(DNS).status_code == 502


def test_a_new_cluster_has_the_services_that_every_kubernetes_has(store: Store, client: httpx.Client) -> None:
    reconcile(store)
    assert client.get(DNS).json()["spec"]["ports"] == [{"port": 53}]
    assert client.get("/api/v1/namespaces/default/services/kubernetes").status_code == 200


def test_services_are_made_listed_patched_and_removed(client: httpx.Client) -> None:
    path = "/api/v1/namespaces/default/services"
    made = client.post(path, json={"metadata": {"name": "web"}, "spec": {"ports": [{"port": 80}]}})
    assert (made.status_code, client.post(path, json={"metadata": {"name": "web"}}).status_code) == (201, 409)
    patched = client.patch(f"{path}/web", json={"metadata": {"annotations": {"a": "b"}}}, headers=MERGE)
    assert patched.json()["metadata"]["annotations"] == {"a": "b"}
    assert [item["metadata"]["name"] for item in client.get(path).json()["items"]] == ["web"]
    assert (client.delete(f"{path}/web").status_code, client.get(f"{path}/web").status_code) == (200, 404)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/nodes", 404),
        ("POST", DNS, 405),
        ("DELETE", "/api/v1/namespaces/default/services", 405),
        ("PATCH", DNS, 415),
    ],
)
def test_what_it_cannot_do_is_said(store: Store, client: httpx.Client, method: str, path: str, status: int) -> None:
    reconcile(store)
    assert client.request(method, path, json={}).json()["code"] == status


def test_an_annotated_service_is_exposed_and_the_second_of_one_port_is_told_why(
    store: Store, client: httpx.Client
) -> None:
    reconcile(store)
    for path in (DNS, "/api/v1/namespaces/default/services/kubernetes"):
        client.patch(path, json={"metadata": {"annotations": {PREFIX + "port": "30080"}}}, headers=MERGE)
    reconcile(store)
    shown = {res.id: res.spec["error"] for res in store.view("default", kinds.EXPOSED_SERVICE)}
    assert shown == {
        "c1/kube-dns.kube-system/30080": "",
        "c1/kubernetes.default/30080": "the port 30080 is exposed already",
    }


def test_a_cluster_that_is_gone_exposes_nothing(store: Store, client: httpx.Client) -> None:
    reconcile(store)
    client.patch(DNS, json={"metadata": {"annotations": {PREFIX + "port": "30080"}}}, headers=MERGE)
    reconcile(store)
    store.destroy("default", kinds.CLUSTER, "c1")
    store.destroy("default", kinds.LOAD_BALANCER_STATUS, "c1")
    reconcile(store)
    assert not store.view("default", kinds.EXPOSED_SERVICE)
    assert not store.view("simulator", kinds.KUBERNETES_SERVICE)
