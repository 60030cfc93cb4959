"""Exposed services: Kubernetes Services that Omni shows, by way of their annotations."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from omni_gateway.omni import OmniClient
from tests.e2e.cluster_steps import GONE_SECONDS, READY_SECONDS, Machines, Unique, Wait, end_of, problem

URL = "exposed-services"
TYPE = "ExposedServices.omni.sidero.dev"
#: The one Service that every cluster has.
API = {"service": "kubernetes", "service_namespace": "default"}


def at(id: str) -> str:
    return f"{URL}/{quote(id, safe='')}"


@pytest.fixture(scope="module")
def cluster(api: httpx.Client, wait_until: Wait, module_machines: Machines, versions: Any) -> Iterator[str]:
    """A running cluster of one machine that may expose services."""
    name = f"e2e-exposing-{secrets.token_hex(3)}"
    body = {
        "id": name,
        **versions.cluster,
        "features": {**versions.cluster["features"], "enable_workload_proxy": True},
        "control_plane": {"machines": module_machines(1)},
    }
    created = api.post("clusters", json=body)
    assert created.status_code == 201, created.text
    try:
        end_of(api, created, wait_until)
        healthy = lambda: api.get(f"loadbalancers/{name}/status").json().get("healthy")  # noqa: E731
        wait_until(healthy, READY_SECONDS, "the API")
        # Kubernetes makes its own Service some time after its API answers.
        planned = {"cluster": name, "port": 30053, **API}
        answer = lambda: api.post(URL, json=planned, params={"dry_run": True})  # noqa: E731
        wait_until(lambda: answer().status_code != 404, READY_SECONDS, "the Service of the API")
        yield name
    finally:
        api.delete(f"clusters/{name}")
        wait_until(lambda: api.get(f"clusters/{name}").status_code == 404, GONE_SECONDS, "the cluster's end")


def _skip_where_nothing_can_be_exposed(operator: httpx.Client, end: dict[str, Any], wait_until: Wait) -> None:
    if "advertised API URL" in end["error"]:
        operator.delete(at(end["id"]))
        wait_until(lambda: operator.get(at(end["id"])).status_code == 404, what="the end of the service")
        pytest.skip(f"needs an Omni at a host name that services can be exposed below: {end['error']}")


@pytest.fixture
def exposed(operator: httpx.Client, cluster: str, wait_until: Wait) -> Iterator[dict[str, Any]]:
    """The cluster's API, exposed; hidden again at the end."""
    answer = operator.post(URL, json={"cluster": cluster, "port": 30053, "label": "Names", **API})
    assert answer.status_code == 202, answer.text
    end = end_of(operator, answer, wait_until)
    _skip_where_nothing_can_be_exposed(operator, end, wait_until)
    assert end["state"] == "succeeded", end
    yield dict(operator.get(at(end["id"])).json())
    operator.delete(at(end["id"]))
    wait_until(lambda: operator.get(at(end["id"])).status_code == 404, what="the end of the service")


def test_a_service_is_exposed_and_omni_holds_it(cluster: str, exposed: dict[str, Any], omni: OmniClient) -> None:
    assert exposed["id"] == f"{cluster}/kubernetes.default/30053"
    assert {key: exposed[key] for key in ("cluster", "port", "label", "error", *API)} == {
        "cluster": cluster,
        "port": 30053,
        "label": "Names",
        "error": "",
        **API,
    }
    assert exposed["url"].startswith("https://")
    assert omni.resources.get(TYPE, exposed["id"])["spec"]["label"] == "Names"


def test_they_are_listed_by_cluster(reader: httpx.Client, cluster: str, exposed: dict[str, Any]) -> None:
    assert [item["id"] for item in reader.get(URL, params={"cluster": cluster}).json()] == [exposed["id"]]
    assert reader.get(URL, params={"cluster": "never"}).json() == []
    assert reader.get(f"clusters/{cluster}/workload-proxy-status").json()["num_exposed_services"] == 1


def test_a_change_of_its_words_is_in_omni(operator: httpx.Client, exposed: dict[str, Any], omni: OmniClient) -> None:
    answer = operator.patch(at(exposed["id"]), json={"label": "Renamed", "prefix": "names"})
    assert (answer.status_code, answer.json()["label"], answer.json()["prefix"]) == (200, "Renamed", "names")
    assert "names" in answer.json()["url"]
    assert omni.resources.get(TYPE, exposed["id"])["spec"]["label"] == "Renamed"
    replaced = operator.put(at(exposed["id"]), json={key: exposed[key] for key in ("cluster", "port", *API)})
    assert (replaced.status_code, replaced.json().get("label")) == (200, "kubernetes.default")


def test_what_makes_the_id_never_changes(operator: httpx.Client, exposed: dict[str, Any]) -> None:
    refused = operator.patch(at(exposed["id"]), json={"port": 30054})
    assert "port" in problem(refused, 422, "validation")["errors"]
    assert (
        "labels" in problem(operator.patch(at(exposed["id"]), json={"labels": {"a": "b"}}), 422, "validation")["errors"]
    )


def test_one_port_is_for_one_service(operator: httpx.Client, cluster: str, exposed: dict[str, Any]) -> None:
    other = {"cluster": cluster, "service": "kube-dns", "service_namespace": "kube-system", "port": 30053}
    assert exposed["id"] in problem(operator.post(URL, json=other), 409, "conflict")["detail"]
    problem(operator.post(URL, json={"cluster": cluster, "port": 30053, **API}), 409, "exists")


def test_a_service_has_several_host_ports_each_with_words_of_its_own(
    operator: httpx.Client, cluster: str, exposed: dict[str, Any], wait_until: Wait
) -> None:
    second = {"cluster": cluster, "port": 30099, "service_port": "443", "prefix": "second", **API}
    end = end_of(operator, operator.post(URL, json=second), wait_until)
    assert end["state"] == "succeeded", end

    more = operator.get(at(end["id"])).json()

    assert (more["label"], more["prefix"]) == ("kubernetes.default:30099", "second")
    assert "service_port" not in more
    assert operator.get(at(exposed["id"])).json()["label"] == "Names"
    renamed = operator.patch(at(end["id"]), json={"label": "More"})
    assert (renamed.status_code, renamed.json()["label"]) == (200, "More")
    assert operator.get(at(exposed["id"])).json()["label"] == "Names"
    assert operator.delete(at(end["id"])).status_code in (202, 204)
    wait_until(lambda: operator.get(at(end["id"])).status_code == 404, what="the end of the second port")
    assert operator.get(at(exposed["id"])).status_code == 200


@pytest.fixture
def unusable(operator: httpx.Client, cluster: str, wait_until: Wait) -> Iterator[dict[str, Any]]:
    """The end of the operation that exposes the API under a prefix that Omni cannot use; hidden again at the end."""
    body = {"cluster": cluster, "port": 30070, "prefix": "has-dash", **API}
    end = end_of(operator, operator.post(URL, json=body), wait_until)
    yield end
    operator.delete(at(end["id"]))
    wait_until(lambda: operator.get(at(end["id"])).status_code == 404, what="the end of the service")


def test_a_prefix_that_omni_cannot_use_ends_the_operation_with_its_error(
    operator: httpx.Client, cluster: str, unusable: dict[str, Any]
) -> None:
    shown = operator.get(at(unusable["id"])).json()

    assert (unusable["state"], "has-dash" in unusable["error"]) == ("failed", True)
    # Omni shows no port of a service that it could not expose; since 1.8 the id tells it.
    port = 30070 if unusable["id"].endswith("/30070") else None
    assert ("has-dash" in shown["error"], shown["port"]) == (True, port)
    assert shown["id"] in [item["id"] for item in operator.get(URL, params={"cluster": cluster}).json()]


def test_a_prefix_that_omni_cannot_use_can_be_changed(operator: httpx.Client, unusable: dict[str, Any]) -> None:
    mended = operator.patch(at(unusable["id"]), json={"prefix": "nodash"})

    assert mended.status_code == 200, mended.text
    if "advertised API URL" in mended.json()["error"]:
        pytest.skip(f"needs an Omni at a host name that services can be exposed below: {mended.json()['error']}")
    assert (mended.json()["error"], mended.json()["prefix"]) == ("", "nodash")


def test_a_hidden_service_is_gone(operator: httpx.Client, exposed: dict[str, Any], gone: Any, wait_until: Wait) -> None:
    assert operator.delete(at(exposed["id"]) + "?dry_run=true").json()["state"] == "planned"
    assert operator.delete(at(exposed["id"])).status_code in (202, 204)
    wait_until(lambda: gone(TYPE, exposed["id"]), what="the end of the service")
    operation = operator.get(f"operations/exposed-service-destroy/{quote(exposed['id'], safe='')}").json()
    assert operation["state"] == "succeeded"


def test_a_dry_run_exposes_nothing(operator: httpx.Client, cluster: str) -> None:
    answer = operator.post(f"{URL}?dry_run=true", json={"cluster": cluster, "port": 30060, **API})
    assert answer.status_code == 200, answer.text
    # Before Omni 1.8 an id has no port.
    assert answer.json()["id"].removesuffix("/30060") == f"{cluster}/kubernetes.default"
    assert operator.get(URL, params={"cluster": cluster}).json() == []


def test_a_service_that_is_not_there_is_a_404(operator: httpx.Client, cluster: str) -> None:
    body = {"cluster": cluster, "service": "never", "port": 30061}
    assert "default/never" in problem(operator.post(URL, json=body), 404, "not-found")["detail"]


def test_a_cluster_that_exposes_nothing_is_told_how(
    api: httpx.Client, made: Any, unique: Unique, versions: Any
) -> None:
    name = unique("hidden")
    api.post("clusters", json={"id": name})
    made(f"clusters/{name}")
    body = {"cluster": name, "service": "web", "port": 30062}
    assert "enable_workload_proxy" in problem(api.post(URL, json=body), 409, "conflict")["hint"]


def test_a_cluster_that_does_not_answer_is_told(api: httpx.Client, made: Any, unique: Unique) -> None:
    name = unique("asleep")
    api.post("clusters", json={"id": name, "features": {"enable_workload_proxy": True}})
    made(f"clusters/{name}")
    answer = api.post(URL, json={"cluster": name, "service": "web", "port": 30063})
    assert answer.status_code in (502, 503), answer.text


def test_a_cluster_that_is_not_there_is_a_404(operator: httpx.Client) -> None:
    problem(operator.post(URL, json={"cluster": "never", "service": "web", "port": 30064}), 404, "not-found")
    for method in ("get", "patch", "delete"):
        json = {"json": {}} if method == "patch" else {}
        problem(operator.request(method, at("never/web.default/1"), **json), 404, "not-found")


@pytest.mark.parametrize(
    "wrong",
    [
        {"port": 0},
        {"port": 70000},
        {"port": "80"},
        {"service": "Web"},
        {"service_namespace": "a/b"},
        {"prefix": "-x"},
        {"service_port": "A"},
    ],
)
def test_what_is_wrong_is_named(operator: httpx.Client, wrong: dict[str, Any]) -> None:
    body = {"cluster": "any", "service": "web", "port": 30065, **wrong}
    assert set(problem(operator.post(URL, json=body), 422, "validation")["errors"]) == set(wrong)


def test_readers_write_nothing(reader: httpx.Client, anonymous: httpx.Client) -> None:
    assert reader.post(URL, json={}).status_code == 403
    assert reader.delete(at("x/y.z/1")).status_code == 403
    assert anonymous.get(URL).status_code == 401


def test_a_new_service_needs_a_port(operator: httpx.Client, cluster: str) -> None:
    document = problem(operator.post(URL, json={"cluster": cluster, "port": None, **API}), 422, "validation")

    assert "port" in document["errors"]
