"""A cluster by GitOps: a folder of files is all that says what it is, and the gateway is killed twice on the way."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import yaml

from omni_gateway.omni import OmniClient, OmniConfig
from omni_gateway.omni import errors as omni_errors
from omni_gateway.testing.document import Document
from tests.e2e.cluster_steps import READY_SECONDS, Machines, Made, Unique, Wait, changes, end_of, of_cluster, once
from tests.e2e.conftest import LetGo, Served, omni_environ, start_gateway

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

#: A round of the task that compares takes 15 s; after a kill another process takes the task over within half a minute.
ROUND_SECONDS = 120
HOLD = "e2e-gitops"
NODES, PATCHES = "MachineSetNodes", "ConfigPatches"
SYSCTLS = "machine:\n  sysctls:\n    net.core.somaxconn: '65535'\n"
SWAP = "machine:\n  sysctls:\n    vm.swappiness: '10'\n"


@dataclass
class Repository:
    """A folder with a template and the files that it names, as people keep them in Git."""

    folder: Path
    documents: list[dict[str, Any]] = field(default_factory=list)

    def sent(self) -> dict[str, Any]:
        """Return the folder as the arguments of a request."""
        text = yaml.safe_dump_all(self.documents, sort_keys=False)
        (self.folder / "cluster.yaml").write_text(text)
        files = {str(path.relative_to(self.folder)): path.read_text() for path in self.folder.glob("patches/*.yaml")}
        return {"files": {"template": text, **files}}

    def document(self, kind: str) -> dict[str, Any]:
        return next(each for each in self.documents if each["kind"] == kind)


@dataclass
class Pipeline:
    """A caller, and the gateway that it calls: one after the other, of the same store."""

    state_dir: Path
    environ: dict[str, str]
    document: Document
    served: Served

    @property
    def api(self) -> httpx.Client:
        return httpx.Client(
            base_url=f"{self.served.url}/api/v1/",
            headers={"Authorization": f"Bearer {self.served.tokens['operator']}"},
            timeout=60,
            event_hooks={"response": [self.document.check]},
        )

    def start(self) -> None:
        tokens = self.served.tokens
        self.served = start_gateway(self.state_dir, self.environ, ())
        self.served.tokens = tokens


@pytest.fixture
def pipeline(omni_config: OmniConfig, document: Document, tmp_path: Path) -> Iterator[Pipeline]:
    """A gateway of the test's own, and its caller."""
    environ = omni_environ(omni_config)
    running = Pipeline(tmp_path, environ, document, start_gateway(tmp_path, environ, ["operator"]))
    yield running
    running.served.kill()


@pytest.fixture
def repository(unique: Unique, free_machines: Machines, versions: Any, tmp_path: Path) -> Repository:
    """A template of a control plane and a worker, with two patches of all machines."""
    folder = tmp_path / "repository"
    (folder / "patches").mkdir(parents=True)
    (folder / "patches" / "sysctls.yaml").write_text(SYSCTLS)
    (folder / "patches" / "swap.yaml").write_text(SWAP)
    control_plane, worker = free_machines(2)
    cluster = {
        "kind": "Cluster",
        "name": unique("gitops"),
        "kubernetes": {"version": f"v{versions.kubernetes}"},
        "talos": {"version": f"v{versions.talos}"},
        "features": {"useEmbeddedDiscoveryService": versions.embedded_discovery},
        "patches": [{"file": "patches/sysctls.yaml"}, {"file": "patches/swap.yaml"}],
    }
    return Repository(
        folder,
        [
            cluster,
            {"kind": "ControlPlane", "machines": [control_plane]},
            {"kind": "Workers", "machines": [worker]},
        ],
    )


def drift_of(api: httpx.Client, url: str) -> str:
    drift = api.get(url).json()["drift"]
    return drift["state"] if drift else ""


def test_a_cluster_lives_by_its_template_though_the_gateway_is_killed_twice(
    pipeline: Pipeline,
    repository: Repository,
    made: Made,
    omni: OmniClient,
    versions: Any,
    let_go: LetGo,
    wait_until: Wait,
) -> None:
    name = repository.document("Cluster")["name"]
    url = f"cluster-templates/{name}"
    api = pipeline.api
    made(f"clusters/{name}")

    def patches(what: str) -> list[dict[str, Any]]:
        return [item for item in of_cluster(omni, PATCHES, name) if what in item["spec"].get("data", "")]

    def push(**headers: str) -> httpx.Response:
        answer = pipeline.api.put(url, headers=headers, **repository.sent())
        assert answer.is_success, answer.text
        return answer

    def healthy() -> dict[str, Any] | None:
        status: dict[str, Any] = api.get(f"operations/cluster-template-status/{name}?wait=5s").json()
        return status if status["state"] == "succeeded" else None

    # What CI does with a change: it says what is wrong with the first one.
    control_plane = repository.document("ControlPlane")
    control_plane["machine"] = control_plane.pop("machines")
    checked = api.post("cluster-templates/actions/validate", **repository.sent()).json()
    assert (checked["valid"], checked["faults"][0]["document"], checked["faults"][0]["field"]) == (False, 1, "machine")
    assert "machines" in checked["faults"][0]["message"]
    control_plane["machines"] = control_plane.pop("machine")
    checked = api.post("cluster-templates/actions/validate", **repository.sent()).json()
    assert checked == {"valid": True, "faults": []}

    # It is merged, and the cluster comes up.
    assert push(**{"If-None-Match": "*"}).status_code == 201
    synced = api.post(f"{url}/actions/sync")
    assert end_of(api, synced, wait_until)["state"] == "succeeded"
    up = wait_until(healthy, READY_SECONDS, "a healthy cluster")
    assert [len(each["machines"]) for each in up["details"]["machine_sets"]] == [1, 1]

    # It drifts by hand, and the template's watch says so.
    [sysctls] = [each["metadata"]["id"] for each in patches("somaxconn")]
    of_sysctls = f"configpatches/{quote(sysctls, safe='')}"
    assert api.patch(url, json={"sync": "report"}).status_code == 200
    with changes(api, url) as lines:
        by_hand = api.patch(of_sysctls, json={"data": SYSCTLS.replace("65535", "128")})
        assert by_hand.status_code == 200, by_hand.text
        deadline = time.monotonic() + ROUND_SECONDS
        for line in lines:
            event = json.loads(line)
            drift = (event.get("object") or {}).get("drift") or {"state": ""}
            if drift["state"] == "drifted":
                break
            assert time.monotonic() < deadline, line
    assert [(each["id"], each["action"]) for each in drift["objects"]] == [(sysctls, "updated")]

    # From now on the gateway mends it, also what is done while the gateway is not there.
    assert api.patch(url, json={"sync": "enforce"}).status_code == 200
    wait_until(lambda: drift_of(api, url) == "none", ROUND_SECONDS, "the end of the drift")
    assert api.get(of_sysctls).json()["data"] == SYSCTLS
    pipeline.served.kill()
    [before] = patches("somaxconn")
    omni.resources.remove(f"{PATCHES}.omni.sidero.dev", sysctls)
    pipeline.start()
    wait_until(
        lambda: [each for each in patches("somaxconn") if each["metadata"]["created"] != before["metadata"]["created"]],
        ROUND_SECONDS,
        "the patch to be made again",
    )

    # An upgrade is a change of the template like any other.
    repository.document("Cluster")["kubernetes"]["version"] = f"v{versions.kubernetes_next}"
    assert push().json()["sync"] == "enforce"
    api = pipeline.api
    once(
        api,
        f"clusters/{name}/kubernetes-upgrade",
        lambda upgrade: upgrade["last_upgrade_version"] == versions.kubernetes_next and upgrade["phase"] == "Done",
        wait_until,
    )

    # The worker goes, and a patch. The gateway is killed while the worker leaves, before it has answered; the pipeline
    # sends its request again.
    assert api.patch(url, json={"sync": "manual"}).status_code == 200
    [worker] = repository.document("Workers")["machines"]
    del repository.document("Cluster")["patches"][1]
    repository.document("Workers")["machines"] = []
    push()
    with held(omni, worker, let_go, wait_until), ThreadPoolExecutor(1) as threads:
        answer = threads.submit(api.post, f"{url}/actions/sync")
        wait_until(lambda: is_leaving(omni, worker), what="the worker to leave")
        pipeline.served.kill()
        with suppress(httpx.TransportError):  # on a busy machine it may have answered
            answer.result()
        pipeline.start()
        api = pipeline.api
        synced = api.post(f"{url}/actions/sync")
        stages = {stage["name"]: stage["state"] for stage in synced.json()["stages"]}
        assert (synced.status_code, stages["machine sets and members gone"]) == (202, "running"), synced.text
        assert len(patches("swappiness")) == 1, "no machine is configured anew while one leaves"
    assert end_of(api, synced, wait_until)["state"] == "succeeded"
    assert patches("swappiness") == []
    assert {each["action"] for each in api.post(f"{url}/actions/diff").json()["objects"]} == {"unchanged"}

    # It is not needed any more.
    removed = api.post(f"{url}/actions/delete-cluster")
    assert end_of(api, removed, wait_until)["state"] == "succeeded"
    assert api.get(f"clusters/{name}").status_code == 404
    assert api.delete(url).status_code == 204


@contextmanager
def held(omni: OmniClient, member: str, let_go: LetGo, wait_until: Wait) -> Iterator[None]:
    """Keep a member from going while the block runs."""

    def written() -> bool:
        found = omni.resources.get(f"{NODES}.omni.sidero.dev", member)
        found["metadata"]["finalizers"] = [*(found["metadata"].get("finalizers") or []), HOLD]
        with suppress(omni_errors.StaleVersion):  # Omni's controllers may write it at the same moment
            omni.resources.update(found, version=None)
            return True
        return False

    wait_until(written, 30, "the member's finalizers")
    try:
        yield
    finally:
        let_go(f"{NODES}.omni.sidero.dev", member, HOLD)


def is_leaving(omni: OmniClient, member: str) -> bool:
    return bool(omni.resources.get(f"{NODES}.omni.sidero.dev", member)["metadata"]["phase"] == "tearingDown")


def test_an_install_disk_is_kept_by_what_this_omni_has_for_it(
    operator: httpx.Client, unique: Unique, made: Made, free_machines: Machines, versions: Any, wait_until: Wait
) -> None:
    name, [machine] = unique("gitops"), free_machines(1)
    documents = [
        {
            "kind": "Cluster",
            "name": name,
            "kubernetes": {"version": f"v{versions.kubernetes}"},
            "talos": {"version": f"v{versions.talos}"},
            "features": {"useEmbeddedDiscoveryService": versions.embedded_discovery},
        },
        {"kind": "ControlPlane", "machines": [machine]},
        {"kind": "Machine", "name": machine, "install": {"disk": "/dev/vda"}},
    ]
    made(f"clusters/{name}")
    synced = operator.post("cluster-templates/actions/sync", json={"documents": documents})
    assert end_of(operator, synced, wait_until)["state"] == "succeeded"

    again = operator.post("cluster-templates/actions/diff", json={"documents": documents})
    exported = operator.get(f"clusters/{name}/exported-template")

    assert {each["action"] for each in again.json()["objects"]} == {"unchanged"}, again.text
    [of_machine] = [each for each in exported.json()["documents"] if each["kind"] == "Machine"]
    assert (of_machine["install"], exported.json()["inexact"]) == ({"disk": "/dev/vda"}, [])
