"""Steps that the cluster tests share."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from omni_gateway.omni import OmniClient
from omni_gateway.omni import errors as omni_errors

Made = Callable[[str], str]
Unique = Callable[[str], str]
Machines = Callable[[int], list[str]]
Wait = Callable[..., Any]

#: Real machines take minutes, the embedded Omni's a second.
READY_SECONDS = 600
#: Machines of a real Omni are wiped before a cluster is gone.
GONE_SECONDS = 180
ROOM_SECONDS = 30


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Assert that an answer is this problem document, and return it."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    document: dict[str, Any] = answer.json()
    assert document["code"] == code, document
    return document


def at(api: httpx.Client, url: str) -> str:
    """Return a relative URL that the API gave as one that this client can follow."""
    return str(api.base_url.join(url))


def end_of(api: httpx.Client, answer: httpx.Response, wait_until: Wait) -> dict[str, Any]:
    """Follow the operation that an answer names, and return it as it ended."""
    assert answer.is_success, answer.text
    url = at(api, answer.headers["Operation-Location"])

    def ended() -> dict[str, Any] | None:
        now = api.get(f"{url}?wait=5s")
        assert now.status_code == 200, now.text
        document: dict[str, Any] = now.json()
        return document if document["done"] else None

    operation: dict[str, Any] = wait_until(ended, READY_SECONDS, f"the end of {url}")
    return operation


def once_known(ask: Callable[[], httpx.Response], wait_until: Wait) -> httpx.Response:
    """Ask again while Omni does not know yet which version a new cluster runs."""

    def known() -> httpx.Response | None:
        answer = ask()
        return None if answer.status_code == 409 and answer.json()["code"] == "too-early" else answer

    answer: httpx.Response = wait_until(known, READY_SECONDS, "Omni to know the cluster's version")
    return answer


def once(api: httpx.Client, url: str, holds: Callable[[dict[str, Any]], bool], wait_until: Wait) -> dict[str, Any]:
    """Read a document that Omni makes, and fills, some time after the cluster is ready, as what it asks Kubernetes."""

    def settled() -> dict[str, Any] | None:
        answer = api.get(url)
        if answer.status_code == 404:
            return None
        assert answer.status_code == 200, answer.text
        document: dict[str, Any] = answer.json()
        return document if holds(document) else None

    document: dict[str, Any] = wait_until(settled, READY_SECONDS, url)
    return document


@contextmanager
def changes(api: httpx.Client, url: str) -> Iterator[Iterator[str]]:
    """Watch a URL: the lines of its changes. Streams of other tests are noticed to have ended at their next beat."""
    deadline = time.monotonic() + ROOM_SECONDS
    while True:
        with api.stream("GET", url, headers={"Accept": "application/x-ndjson"}) as stream:
            if stream.status_code != 503 or time.monotonic() > deadline:
                assert stream.status_code == 200, stream.read()
                yield (line for line in stream.iter_lines() if line.strip())
                return
        time.sleep(0.5)


def new_cluster(api: httpx.Client, made: Made, name: str, **body: Any) -> dict[str, Any]:
    """Create a cluster that is removed when the test ends."""
    answer = api.post("clusters", json={"id": name, **body})
    assert answer.status_code == 201, answer.text
    made(f"clusters/{name}")
    cluster: dict[str, Any] = answer.json()
    return cluster


def running_cluster(
    api: httpx.Client, made: Made, name: str, machines: list[str], versions: Any, wait_until: Wait
) -> None:
    """Create a cluster of one control plane and workers, and wait until it is up."""
    body = {
        "id": name,
        **versions.cluster,
        "control_plane": {"machines": machines[:1]},
        "workers": [{"machines": machines[1:]}] if machines[1:] else [],
    }
    answer = api.post("clusters", json=body)
    assert answer.status_code == 201, answer.text
    made(f"clusters/{name}")
    operation = end_of(api, answer, wait_until)
    assert operation["state"] == "succeeded", operation


def skip_without_snapshots(omni: OmniClient, cluster: str) -> bool:
    """Skip, by name, where the machines' Talos takes no snapshots of etcd, as an emulated one; False otherwise."""
    try:
        status = omni.resources.get("EtcdBackupStatuses.omni.sidero.dev", cluster, "metrics")["spec"]
    except omni_errors.NotFound:
        return False
    if "EtcdSnapshot not implemented" in (status.get("error") or ""):
        pytest.skip(f"needs machines whose Talos takes snapshots of etcd: {status['error']}")
    return False


def of_cluster(omni: OmniClient, type: str, cluster: str) -> list[dict[str, Any]]:
    """Return Omni's objects of a type that belong to a cluster."""
    return omni.resources.list(f"{type}.omni.sidero.dev", selectors=[f"omni.sidero.dev/cluster = {cluster}"]).items


def talos_versions(omni: OmniClient) -> dict[str, Any]:
    """Return version → spec of every Talos that Omni knows."""
    return {item["metadata"]["id"]: item["spec"] for item in omni.resources.list("TalosVersions.omni.sidero.dev").items}
