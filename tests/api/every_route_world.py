"""A gateway before an Omni that holds at least one object of every kind, and a caller whose answers are all checked."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import yaml

from omni_gateway.app import create_app
from omni_gateway.omni import OmniConfig
from omni_gateway.settings import Settings
from omni_gateway.simulator import kinds
from omni_gateway.simulator.embedded import running_simulator
from omni_gateway.simulator.kinds import namespace_of
from omni_gateway.simulator.state.resource import Resource
from omni_gateway.simulator.state.store import Store as OmnisState
from omni_gateway.store import Store
from omni_gateway.testing.document import Document
from tests.simulator.test_rules import BUNDLE

from .conftest import Caller

CLUSTER, DOOMED, IMPORTED = "held", "doomed", "imported"
IMPORT = {"omni.sidero.dev/cluster-locked": "", "omni.sidero.dev/cluster-import-is-in-progress": ""}
HOLD = "a-test"
PROVIDER = "bare-metal"
#: The machine of the document's examples.
NO_MACHINE = "2d1f4a52-8f7e-4a3c-9f0e-0d7b9f3f6a01"
SERVICE = {"cluster": CLUSTER, "service": "kube-dns", "service_namespace": "kube-system"}
PENDING = "pending-by-hand"
IMAGES = {"node_image_list": [{"node": "n1", "images": ["registry.k8s.io/pause:3.10"]}]}
Wait = Callable[..., Any]


@dataclass
class World:
    """The gateway, as an admin sees it."""

    document: dict[str, Any]
    caller: Caller
    checker: Document
    #: Machines: of the cluster (control plane, worker), and free ones.
    members: list[str]
    free: list[str]

    def ask(
        self, method: str, url: str, body: Any = None, media: str = "application/json", **headers: str
    ) -> httpx.Response:
        """Send a request (``If_Match="…"`` is a header); its answer has been held against the document."""
        path = url if url.startswith("/") else f"/api/v1/{url}"
        said: dict[str, Any] = {"headers": {name.replace("_", "-"): value for name, value in headers.items()}}
        if body is not None:
            said |= {"data": json.dumps(body), "content_type": media}
        answer = getattr(self.caller, method.lower())(path, **said)
        told = httpx.Response(
            answer.status_code,
            headers=list(answer.headers),
            content=answer.data,
            request=httpx.Request(method.upper(), f"http://gateway{path}"),
        )
        answer.close()
        self.checker.check(told)
        self.checker.check_lines(told)
        return told

    def operations(self, method: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Return the document's operations of a method: path below the API's base, and operation."""
        for path, item in self.document["paths"].items():
            if method in item and path.startswith("/api/v1/"):
                yield path.removeprefix("/api/v1/"), item[method]

    def ids(self, collection: str) -> list[str]:
        """Return the ids of what a collection holds; of the one object that it may be instead, that one's."""
        told = self.ask("GET", collection).json()
        return [item["id"] for item in told] if isinstance(told, list) else [told["id"]]

    def example(self, operation: dict[str, Any]) -> Any:
        """Return what the document shows as a body, about this world's cluster and machines."""
        content = operation.get("requestBody", {}).get("content", {})
        if "application/json" not in content:
            return None
        text = json.dumps(content["application/json"]["example"]).replace("my-cluster", CLUSTER)
        return json.loads(text.replace(NO_MACHINE, self.free[-1]))


def one(url: str, id: str) -> str:
    """Return the URL of one object."""
    return f"{url}/{quote(id, safe='')}"


@contextmanager
def world_of_everything(state_dir: Path, wait_until: Wait) -> Iterator[World]:
    """Start it and fill it."""
    with running_simulator(fleet=12, speed=60, db=None) as simulator:
        omni = OmniConfig(endpoint=simulator.endpoint, service_account_key=simulator.key)
        settings = Settings(omni=omni, state_dir=state_dir, rate_limit="off")
        app = create_app(settings)
        caller = Caller(app.test_client(), Store(settings.database_url).tokens.create("all", "admin", None)[1])
        document = app.test_client().get("/openapi.json").json
        free = [item["id"] for item in caller.get("machines?label_selector=omni.sidero.dev/available").json]
        world = World(document, caller, Document(document), free[:2], free[2:])
        _clusters(world, simulator.store, wait_until)
        _what_controllers_make(world, simulator.store)
        _what_callers_make(world, wait_until)
        yield world


def _clusters(world: World, state: OmnisState, wait_until: Wait) -> None:
    """Bring one cluster up, and take one down that Omni does not let go."""
    body = {
        "id": CLUSTER,
        "features": {"enable_workload_proxy": True},
        "control_plane": {"machines": world.members[:1]},
        "workers": [{"machines": world.members[1:]}],
    }
    assert world.ask("POST", "clusters", body).status_code == 201
    doomed = {"id": DOOMED, "control_plane": {"machines": [world.free.pop()]}}
    assert world.ask("POST", "clusters", doomed).status_code == 201
    for name in (CLUSTER, DOOMED):
        wait_until(lambda name=name: world.ask("GET", f"operations/cluster-create/{name}").json()["done"], 60, name)
    for kind, id in ((kinds.CLUSTER, DOOMED), (kinds.MACHINE_SET, f"{DOOMED}-control-planes")):
        state.add_finalizer((namespace_of(kind), kind, id), HOLD)
    assert world.ask("DELETE", f"clusters/{DOOMED}").status_code == 202
    for url in (f"clusters/{DOOMED}", f"machinesets/{DOOMED}-control-planes"):
        wait_until(lambda url=url: world.ask("GET", f"{url}/destroy-status").status_code == 200, 30, url)
    secrets = {"id": IMPORTED, "spec": {"data": yaml.safe_dump(BUNDLE)}}
    assert world.ask("POST", "resources/importedclustersecrets", secrets).status_code == 201
    assert world.ask("POST", "clusters", {"id": IMPORTED, "annotations": IMPORT}).status_code == 201
    labels = {"omni.sidero.dev/cluster": IMPORTED, "omni.sidero.dev/role-controlplane": ""}
    planes = {"id": f"{IMPORTED}-control-planes", "labels": labels}
    assert world.ask("POST", "machinesets", planes).status_code == 201
    wait_until(lambda: world.ask("GET", f"clusters/{IMPORTED}/status").json().get("taints"), 30, "the taint")
    wait_until(lambda: world.ask("GET", f"loadbalancers/{CLUSTER}/status").json().get("healthy"), 60, "its API")
    wait_until(lambda: world.ask("GET", f"clusters/{CLUSTER}/kubernetes-upgrade").status_code == 200, 60, "its status")


def _what_controllers_make(world: World, state: OmnisState) -> None:
    """Put into Omni's state what comes and goes too quickly to be met, and what the simulator has no source of."""
    label = {"omni.sidero.dev/cluster": CLUSTER}
    pulled = {"processed_count": 1, "total_count": 1, "request_version": "1"}
    for namespace, kind, id, spec, labels, owner in (
        ("default", kinds.IMAGE_PULL_REQUEST, CLUSTER, IMAGES, label, "KubernetesUpgradeStatusController"),
        ("default", kinds.IMAGE_PULL_STATUS, CLUSTER, pulled, label, "ImagePullStatusController"),
        ("ephemeral", "PendingMachines.omni.sidero.dev", PENDING, {"node_public_key": "k"}, {}, ""),
        ("infra-provider", "InfraProviderStatuses.omni.sidero.dev", PROVIDER, {"name": PROVIDER}, {}, ""),
    ):
        if state.find(namespace, kind, id) is None:
            state.create(Resource(namespace, kind, id, spec, labels, owner=owner), owner=owner)


def _what_callers_make(world: World, wait_until: Wait) -> None:
    """Ask for what a caller can have, and wait for what follows from it."""
    worker = world.members[1]
    assert world.ask("POST", "etcdbackups", {"cluster": CLUSTER}).status_code == 202
    wait_until(lambda: world.ask("GET", "etcdbackups").json(), 30, "the backup")
    assert world.ask("PATCH", f"machines/{worker}", {"maintenance": True, "labels": {"a": "b"}}).status_code == 200
    patch = {
        "id": "held-back",
        "labels": {"omni.sidero.dev/cluster": CLUSTER},
        "data": "machine:\n  sysctls:\n    vm.swappiness: '7'\n",
    }
    assert world.ask("POST", "configpatches", patch).status_code == 201
    assert world.ask("POST", "exposed-services", {**SERVICE, "port": 30053}).status_code == 202
    for url in (f"machines/{worker}/pending-updates", f"machines/{world.members[0]}/config-diff"):
        wait_until(lambda url=url: world.ask("GET", url).json(), 30, url)
    for url in ("exposed-services", "ongoingtasks"):
        wait_until(lambda url=url: world.ask("GET", url).json(), 30, url)
