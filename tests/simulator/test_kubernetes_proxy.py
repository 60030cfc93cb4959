"""The simulated Kubernetes API: who may come in, and what it does with Services."""

from __future__ import annotations

import base64
import gzip
from typing import Any

import httpx
import pytest

from omni_gateway.simulator import kinds
from omni_gateway.simulator.controller_runtime.context import Context
from omni_gateway.simulator.controllers.exposed_services import PREFIX, ExposedServices
from omni_gateway.simulator.kubernetes import tokens
from omni_gateway.simulator.kubernetes.proxy import KubernetesProxy
from omni_gateway.simulator.state.resource import Resource
from omni_gateway.simulator.state.store import Store

DNS = "/api/v1/namespaces/kube-system/services/kube-dns"
ALIAS = "omni.sidero.dev/exposed-service-alias"
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
    return tokens.sign(said, "u-u-i-d")


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


def annotate(store: Store, service: str = "kube-system/kube-dns", **notes: str | None) -> None:
    """Set annotations of the exposer on a Service; underscores stand for dashes."""

    def change(res: Resource) -> None:
        said = {PREFIX + key.replace("_", "-"): value for key, value in notes.items()}
        res.annotations = {key: value for key, value in (res.annotations | said).items() if value is not None}

    store.modify("simulator", kinds.KUBERNETES_SERVICE, f"c1/{service}", change)


def shown(store: Store, port: int = 30080) -> Resource:
    """Return what is shown of the DNS service at a host port, after the controller ran."""
    reconcile(store)
    return store.get("default", kinds.EXPOSED_SERVICE, f"c1/kube-dns.kube-system/{port}")


def ids(store: Store) -> list[str]:
    reconcile(store)
    return sorted(res.id.rpartition("/")[2] for res in store.view("default", kinds.EXPOSED_SERVICE))


def test_an_annotated_service_is_exposed(store: Store) -> None:
    reconcile(store)
    annotate(store, port="30080")
    res = shown(store)
    assert (res.spec["port"], res.spec["label"], res.spec["error"]) == (30080, "kube-dns.kube-system", "")
    assert res.spec["url"].startswith(f"https://{res.labels[ALIAS]}-")


def test_two_services_may_name_one_port(store: Store) -> None:
    """Omni does not look for it; the exposer in the cluster has one of them win."""
    reconcile(store)
    annotate(store, port="30080")
    annotate(store, "default/kubernetes", port="30080")
    reconcile(store)
    assert [res.spec["error"] for res in store.view("default", kinds.EXPOSED_SERVICE)] == ["", ""]


@pytest.mark.parametrize("prefix", ["my-dns", "-dns", "dns.x", "d_s", "", "x" * 64])
def test_a_prefix_that_makes_no_host_name_is_an_error_and_no_url(store: Store, prefix: str) -> None:
    reconcile(store)
    annotate(store, port="30080", prefix=prefix)
    res = shown(store)
    if not prefix:  # one is generated instead
        assert (res.spec["error"], bool(res.spec["url"])) == ("", True)
        return
    assert prefix in res.spec["error"]
    assert not res.spec.get("url")
    assert ALIAS not in res.labels


def test_a_prefix_that_goes_bad_takes_the_url_away_and_keeps_the_alias(store: Store) -> None:
    reconcile(store)
    annotate(store, port="30080", prefix="Names")
    assert shown(store).labels[ALIAS] == "names"
    annotate(store, prefix="na-mes")
    res = shown(store)
    assert (res.labels[ALIAS], res.spec["url"], res.spec["port"]) == ("names", "", 30080)
    annotate(store, prefix=None)
    assert shown(store).labels[ALIAS] != "names"
    assert shown(store).spec["error"] == ""


def test_several_host_ports_are_exposed_each_by_itself(store: Store) -> None:
    reconcile(store)
    annotate(
        store, port="30090:dns-tcp, 30080:53,nonsense,70000,30080", label="Names", label_30090="More", prefix="dns"
    )
    first, second = shown(store, 30080), shown(store, 30090)
    assert (first.spec["label"], second.spec["label"]) == ("Names", "More")
    assert (first.labels[ALIAS], first.spec["has_explicit_alias"]) == ("dns", True)
    assert (second.labels[ALIAS] != "dns", second.spec["has_explicit_alias"]) == (True, False)
    annotate(store, prefix_30090="two")
    assert shown(store, 30090).labels[ALIAS] == "two"
    annotate(store, port="30090")
    assert ids(store) == ["30090"]


def test_ports_of_one_service_are_told_apart_by_their_labels(store: Store) -> None:
    reconcile(store)
    annotate(store, port="30080,30090")
    assert shown(store, 30090).spec["label"] == "kube-dns.kube-system:30090"


def test_a_slip_in_the_ports_takes_nothing_down(store: Store) -> None:
    reconcile(store)
    annotate(store, port="30080,30090")
    assert ids(store) == ["30080", "30090"]
    annotate(store, port="3008O")
    assert ids(store) == ["30080", "30090"]
    annotate(store, port=None)
    assert ids(store) == []


def test_a_prefix_is_one_services_alone(store: Store) -> None:
    reconcile(store)
    annotate(store, port="30080", prefix="dns")
    assert shown(store).labels[ALIAS] == "dns"
    annotate(store, "default/kubernetes", port="30081", prefix="DNS")
    reconcile(store)
    res = store.get("default", kinds.EXPOSED_SERVICE, "c1/kubernetes.default/30081")
    assert "'dns'" in res.spec["error"]


@pytest.mark.parametrize(
    ("icon", "is_shown"),
    [(b"<svg/>", True), (gzip.compress(b"<svg/>"), True), (b"not <svg", False), (b"", False)],
    ids=["plain", "packed", "no XML", "empty"],
)
def test_an_icon_is_unpacked_and_must_be_xml(store: Store, icon: bytes, is_shown: bool) -> None:
    reconcile(store)
    annotate(store, port="30080", icon=base64.b64encode(icon).decode())
    assert shown(store).spec["icon_base64"] == (base64.b64encode(b"<svg/>").decode() if is_shown else "")


def test_a_cluster_that_is_gone_exposes_nothing(store: Store, client: httpx.Client) -> None:
    reconcile(store)
    client.patch(DNS, json={"metadata": {"annotations": {PREFIX + "port": "30080"}}}, headers=MERGE)
    reconcile(store)
    store.destroy("default", kinds.CLUSTER, "c1")
    store.destroy("default", kinds.LOAD_BALANCER_STATUS, "c1")
    reconcile(store)
    assert not store.view("default", kinds.EXPOSED_SERVICE)
    assert not store.view("simulator", kinds.KUBERNETES_SERVICE)
