"""A Python client generated from ``/openapi.json`` leads a cluster through its life."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.cluster_steps import Machines, Unique
from tests.e2e.conftest import Served, Versions

pytestmark = pytest.mark.slow

NAME = "generated_gateway_client"
SECONDS = 120.0
#: What the generator makes nothing of, by design: files and streams have no model.
RAW = ("application/x-ndjson", "application/yaml", "application/zip")


@pytest.fixture(scope="module")
def generated(served: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Generate the package from the served document; returns what the generator said."""
    folder = tmp_path_factory.mktemp("client")
    document = folder / "openapi.json"
    document.write_bytes(httpx.get(f"{served.url}/openapi.json").content)
    (folder / "config.yaml").write_text("post_hooks: []\n")
    command = [Path(sys.executable).with_name("openapi-python-client"), "generate", "--path", document]
    command += ["--config", folder / "config.yaml", "--meta", "none", "--output-path", folder / NAME]
    made = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=180, check=True)
    sys.path.insert(0, str(folder))
    yield made.stdout + made.stderr
    sys.path.remove(str(folder))


@pytest.fixture
def client(generated: str, served: Served) -> Any:
    kind = importlib.import_module(NAME).AuthenticatedClient
    return kind(base_url=served.url, token=served.tokens["operator"], timeout=httpx.Timeout(30))


def method(path: str) -> Callable[..., Any]:
    """Return the function of an operation that answers with status, headers and the parsed document."""
    return importlib.import_module(f"{NAME}.api.{path}").sync_detailed  # type: ignore[no-any-return]


def model(name: str) -> Any:
    return getattr(importlib.import_module(f"{NAME}.models"), name)


def wait_for(client: Any, kind: str, id: str) -> Any:
    """Follow an operation to its end, as a user of the client would: by long polls."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        operation = method("operations.get_operation")(kind, id, client=client, wait="10s").parsed
        if operation.done:
            return operation
    raise AssertionError(f"{kind} of {id} did not end: {operation}")


def test_the_generator_understands_the_whole_document(generated: str) -> None:
    not_understood = re.findall(r"(?:Unable to process|duplicate|Invalid)[^\n]*", generated)
    unsupported = set(re.findall(r"[Uu]nsupported content[_ ]type ([a-z/+-]+)", generated))
    assert not_understood == []
    assert unsupported <= set(RAW)


def test_a_whole_life_of_a_cluster(
    client: Any, generated: str, unique: Unique, free_machines: Machines, versions: Versions
) -> None:
    machines, name = free_machines(2), unique("client")
    body = model("ClusterCreate").from_dict(
        {
            "id": name,
            **versions.cluster,
            "control_plane": {"machines": machines[:1]},
            "workers": [{"machines": machines[1:]}],
        }
    )
    made = method("clusters.create_cluster")(client=client, body=body)
    assert (made.status_code, made.parsed.id) == (201, name)
    assert wait_for(client, "cluster-create", name).state == "succeeded"

    status = method("clusters.get_cluster_status")(name, client=client).parsed
    assert (str(status.phase), status.ready, status.machines.healthy) == ("RUNNING", True, 2)
    assert [item.id for item in method("clusters.list_clusters")(client=client, search=name).parsed] == [name]

    patch = model("ConfigPatchCreate").from_dict(
        {
            "id": f"{name}-sysctls",
            "data": "machine:\n  sysctls:\n    vm.swappiness: '10'\n",
            "labels": {"omni.sidero.dev/cluster": name},
        }
    )
    assert method("configpatches.create_configpatch")(client=client, body=patch).status_code == 201
    changed = method("clusters.patch_cluster")(
        name, client=client, body=model("ClusterPatch").from_dict({"labels": {"env": "test"}})
    )
    assert changed.parsed.labels.to_dict() == {"env": "test"}

    upgrade = method("clusters.kubernetes_upgrade_cluster")(
        name, client=client, body=model("KubernetesUpgradeAction").from_dict({"version": versions.kubernetes_next})
    )
    assert upgrade.status_code == 202
    assert wait_for(client, "kubernetes-upgrade", name).state == "succeeded"

    assert method("clusters.destroy_cluster")(name, client=client).status_code == 202
    assert wait_for(client, "cluster-destroy", name).state == "succeeded"
    gone = method("clusters.get_cluster")(name, client=client)
    assert (gone.status_code, gone.parsed.code) == (404, "not-found")


def test_a_refusal_is_a_problem_with_the_fields_named(client: Any, generated: str, unique: Unique) -> None:
    body = model("ClusterCreate").from_dict({"id": unique("client"), "talos_version": "0.0.1"})
    answer = method("clusters.create_cluster")(client=client, body=body)
    assert (answer.status_code, str(answer.parsed.code)) == (422, "validation")
    assert "talos_version" in answer.parsed.errors.to_dict()
