"""What omnictl prints and what people keep in git: applied as it stands, and applied again without a change."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from omni_gateway.omni import OmniClient, types

from .conftest import Caller

YAML = {"Content-Type": "application/yaml"}
CLUSTER = """\
metadata:
    namespace: default
    type: Clusters.omni.sidero.dev
    id: {id}
    version: undefined
    owner:
    phase: running
    created: 2026-11-26T23:48:08Z
    updated: 2026-11-26T23:48:08Z
    labels:
        team:
    annotations:
        omni.sidero.dev/managed-by-cluster-templates:
spec:
    kubernetesversion: {kubernetes}
    talosversion: {talos}
    features:
        enableworkloadproxy: false
        diskencryption: false
        useembeddeddiscoveryservice: false
    backupconfiguration:
        interval:
            seconds: 3600
            nanos: 0
        enabled: true
"""
WORKERS = """\
metadata:
    namespace: default
    type: MachineSets.omni.sidero.dev
    id: {id}-workers
    labels:
        omni.sidero.dev/cluster: {id}
        omni.sidero.dev/role-worker:
spec:
    updatestrategy: 1
    machineclass: null
    bootstrapspec: null
    deletestrategy: 0
    updatestrategyconfig: null
    machineallocation: null
"""
PATCH = """\
metadata:
    namespace: default
    type: ConfigPatches.omni.sidero.dev
    id: {id}-patch
    labels:
        omni.sidero.dev/cluster: {id}
spec:
    data: |
        machine:
          network: {{}}
    compresseddata: []
"""
BACKUP = """\
metadata: {{namespace: ephemeral, type: EtcdManualBackups.omni.sidero.dev, id: {id}}}
spec: {{backupat: {{seconds: {now}, nanos: 0}}}}
"""
CLASS = "metadata:\n  type: MachineClasses.omni.sidero.dev\n  id: {id}\n{more}spec: {{matchlabels: [a = b]}}\n"


@pytest.fixture
def name(api: Caller) -> Iterator[str]:
    """A name that is unused; what is made under it is removed."""
    name = f"kept-{uuid4().hex[:6]}"
    yield name
    api.post(f"clusters/{name}/actions/unlock")
    for url in (f"clusters/{name}", f"resources/machineclasses/{name}", f"configpatches/{name}-patch"):
        api.delete(url)


@pytest.fixture
def versions(api: Caller) -> dict[str, str]:
    """Versions that this Omni offers and that go together."""
    talos = api.get("talos-versions?sort=-id&page_size=1").json[0]
    return {"talos": talos["id"], "kubernetes": talos["compatible_kubernetes_versions"][-1]}


@pytest.fixture
def cluster(api: Caller, name: str, versions: dict[str, str]) -> str:
    """The document of a cluster that is there."""
    text = CLUSTER.format(id=name, **versions)
    assert apply(api, text).status_code == 200
    return text


@pytest.fixture
def locked(api: Caller, name: str, cluster: str) -> str:
    """The URL of a cluster that is locked."""
    assert api.post(f"clusters/{name}/actions/lock").status_code == 200
    return f"resources/clusters/{name}"


def apply(api: Caller, text: str, query: str = "") -> Any:
    return api.post(f"apply{query}", data=text, headers=YAML)


def actions(answer: Any) -> list[str]:
    return [item["action"] for item in answer.json["results"]]


def widest(api: Caller) -> tuple[str, str, str]:
    """Return the Talos version with the widest range of Kubernetes, and that range's ends."""

    def minor(version: str) -> int:
        return int(version.split(".")[1])

    found = [
        (item["id"], min(offered, key=minor), max(offered, key=minor))
        for item in api.get("talos-versions?page_size=1000").json
        if (offered := item["compatible_kubernetes_versions"]) and not (item["deprecated"] or item["unsupported"])
    ]
    return max(found, key=lambda one: minor(one[2]) - minor(one[1]))


def is_locked(omni: OmniClient, name: str) -> bool:
    annotations = omni.resources.get(types.CLUSTERS, name)["metadata"].get("annotations") or {}
    return "omni.sidero.dev/cluster-locked" in annotations


def test_rendered_documents_are_applied_once_and_unchanged_from_then_on(
    api: Caller, omni: OmniClient, name: str, versions: dict[str, str]
) -> None:
    documents = (CLUSTER, WORKERS, PATCH, CLASS)
    text = "---\n".join(one.format(id=name, more="", **versions) for one in documents)
    assert actions(apply(api, text)) == ["created"] * 4
    specs = {type: omni.resources.get(type, f"{name}{end}")["spec"] for type, end in HELD}
    tags = [api.get(f"resources/{type}/{name}{end}").headers["ETag"].split("-")[0] for type, end in HELD]
    assert [actions(apply(api, text)) for _ in range(2)] == [["unchanged"] * 4] * 2
    assert specs == {type: omni.resources.get(type, f"{name}{end}")["spec"] for type, end in HELD}
    assert tags == [api.get(f"resources/{type}/{name}{end}").headers["ETag"].split("-")[0] for type, end in HELD]


HELD = (
    (types.CLUSTERS, ""),
    (types.MACHINE_SETS, "-workers"),
    (types.CONFIG_PATCHES, "-patch"),
    (types.MACHINE_CLASSES, ""),
)


def test_an_unchanged_document_keeps_version_and_tag(api: Caller, name: str) -> None:
    text = CLASS.format(id=name, more="")
    apply(api, text)
    before = api.get(f"resources/machineclasses/{name}")
    apply(api, text)
    after = api.get(f"resources/machineclasses/{name}")
    assert (after.headers["ETag"], after.json["metadata"]) == (before.headers["ETag"], before.json["metadata"])


def test_a_dry_run_of_what_is_there_shows_no_difference(api: Caller, cluster: str) -> None:
    answer = apply(api, cluster, "?dry_run=true")
    assert [(item["action"], item["diff"]) for item in answer.json["results"]] == [("unchanged", [])]


def test_an_empty_label_is_the_empty_text(api: Caller, omni: OmniClient, name: str, cluster: str) -> None:
    assert omni.resources.get(types.CLUSTERS, name)["metadata"]["labels"] == {"team": ""}


def test_a_time_and_a_duration_are_taken_as_messages(api: Caller, omni: OmniClient, name: str, cluster: str) -> None:
    now = int(datetime.now(UTC).timestamp())
    text = BACKUP.format(id=name, now=now)
    assert [actions(apply(api, text, query)) for query in ("?dry_run=true", "")] == [["created"]] * 2
    held = omni.resources.get(types.ETCD_MANUAL_BACKUPS, name)["spec"]["backup_at"]
    assert datetime.fromisoformat(held).timestamp() == now
    assert omni.resources.get(types.CLUSTERS, name)["spec"]["backup_configuration"]["interval"] == "3600s"


@pytest.mark.parametrize(
    ("written", "text"),
    [("12", "12"), ("true", "true"), ("yes", "yes"), ("1.10", "1.10"), ("0x1f", "0x1f"), ("9" * 30, "9" * 30)],
)
def test_a_label_keeps_the_text_that_stands_in_the_yaml(
    api: Caller, omni: OmniClient, name: str, written: str, text: str
) -> None:
    apply(api, CLASS.format(id=name, more=f"  labels: {{rack: {written}}}\n"))
    assert omni.resources.get(types.MACHINE_CLASSES, name)["metadata"]["labels"] == {"rack": text}


def test_an_id_of_digits_is_a_text(api: Caller, omni: OmniClient) -> None:
    id = str(uuid4().int)[:12]
    assert apply(api, CLASS.format(id=id, more="")).json["results"][0]["id"] == id
    assert omni.resources.get(types.MACHINE_CLASSES, id)["metadata"]["id"] == id
    api.delete(f"resources/machineclasses/{id}")


def test_a_text_field_keeps_the_text_that_stands_in_the_yaml(api: Caller) -> None:
    text = "metadata: {type: Clusters.omni.sidero.dev, id: x}\nspec: {talosversion: 1.10, kubernetesversion: 1.30}\n"
    errors = apply(api, text, "?dry_run=true").json["results"][0]["problem"]["errors"]
    assert "Omni knows no Talos 1.10;" in errors["spec.talos_version"][0]


def test_anchors_aliases_and_merge_keys_are_taken(api: Caller, omni: OmniClient, name: str) -> None:
    text = CLASS.format(id=name, more="  labels: &l {a: b, c: d}\n  annotations: {<<: *l, c: e}\n")
    assert actions(apply(api, text)) == ["created"]
    metadata = omni.resources.get(types.MACHINE_CLASSES, name)["metadata"]
    assert (metadata["labels"], metadata["annotations"]) == ({"a": "b", "c": "d"}, {"a": "b", "c": "e"})


@pytest.mark.parametrize("type", ["machineclass", "MachineClass", "MC", "machineclasses.omni"])
def test_a_type_may_have_any_name_that_omnictl_knows(api: Caller, name: str, type: str) -> None:
    text = CLASS.format(id=name, more="").replace("MachineClasses.omni.sidero.dev", type)
    assert actions(apply(api, text)) == ["created"]


@pytest.mark.parametrize("kind", ["Cluster", "ControlPlane", "Workers", "Machine"])
def test_a_cluster_template_is_told_that_it_is_one(api: Caller, kind: str) -> None:
    answer = apply(api, f"kind: {kind}\nname: example\ntalos: {{version: v1.9.0}}\n")
    problem = answer.json["results"][0]["problem"]
    assert "cluster template" in problem["detail"]
    assert "/api/v1/cluster-templates/actions/sync" in problem["hint"]


@pytest.mark.parametrize(
    ("type", "spec", "path"),
    [
        ("ConfigPatches", {"data": {"machine": {}}}, "spec.data"),
        ("MachineRequestSets", {"machinecount": "three"}, "spec.machine_count"),
        ("AccessPolicies", {"rules": "all"}, "spec.rules"),
        ("JoinTokens", {"revoked": "true"}, "spec.revoked"),
        ("Clusters", {"backupconfiguration": "12h"}, "spec.backup_configuration"),
        ("Clusters", {"backupconfiguration": {"interval": {"hours": 12}}}, "spec.backup_configuration.interval"),
        ("MachineSets", {"update_strategy": 77}, "spec.update_strategy"),
        ("ConfigPatches", {"compressed_data": "Zm8="}, "spec.compressed_data"),
        ("MachineStatusLabels", {"x": 1}, "spec"),
    ],
)
@pytest.mark.parametrize("query", ["?dry_run=true", ""], ids=["dry run", "real run"])
def test_a_value_of_another_type_is_a_422_that_names_the_field(
    api: Caller, type: str, spec: dict[str, Any], path: str, query: str
) -> None:
    answer = api.post(f"apply{query}", json={"metadata": {"type": type, "id": "x"}, "spec": spec})
    problem = answer.json["results"][0]["problem"]
    assert (answer.status_code, list(problem["errors"])) == (422, [path])


@pytest.mark.parametrize(
    "changes",
    [
        {"kubernetes_version": "two minors up"},
        {"features": {"disable_public_discovery_service": True}},
        {"features": {"disk_encryption": True}},
    ],
    ids=["two minors up", "public discovery alone", "late encryption"],
)
def test_a_dry_run_refuses_a_cluster_that_omni_will_refuse(api: Caller, name: str, changes: dict[str, Any]) -> None:
    talos, oldest, newest = widest(api)
    assert apply(api, CLUSTER.format(id=name, talos=talos, kubernetes=oldest)).status_code == 200
    changes = {"kubernetes_version": newest} if "kubernetes_version" in changes else changes
    for url, body in ((f"resources/clusters/{name}", {"spec": changes}), (f"clusters/{name}", changes)):
        dry, real = api.patch(f"{url}?dry_run=true", json=body), api.patch(url, json=body)
        assert (dry.status_code, dry.json["code"]) == (422, "refused-by-omni"), dry.text
        assert (real.status_code, real.json["code"]) == (422, "refused-by-omni"), real.text


@pytest.mark.parametrize("query", ["", "&atomic=true"])
def test_a_dry_run_skips_what_belongs_to_a_document_that_fails(
    api: Caller, name: str, versions: dict[str, str], query: str
) -> None:
    wrong = CLUSTER.format(id=name, talos="99.1.2", kubernetes=versions["kubernetes"])
    text = "---\n".join([wrong, WORKERS.format(id=name), CLASS.format(id=name, more="")])
    dry, real = apply(api, text, f"?dry_run=true{query}"), apply(api, text, f"?dry_run=false{query}")
    assert actions(dry) == actions(real) == ["failed", "skipped", "not-written" if query else "created"]
    assert [item.get("problem", {}).get("errors") for item in dry.json["results"]] == [
        item.get("problem", {}).get("errors") for item in real.json["results"]
    ]


def test_what_names_a_cluster_of_the_same_request_comes_after_it(
    api: Caller, name: str, versions: dict[str, str]
) -> None:
    labelled = CLASS.format(id=name, more=f"  labels: {{omni.sidero.dev/cluster: {name}}}\n")
    wrong = CLUSTER.format(id=name, talos="99.1.2", kubernetes=versions["kubernetes"])
    for query in ("?dry_run=true", ""):
        assert actions(apply(api, f"{labelled}---\n{wrong}", query)) == ["skipped", "failed"]
    assert api.get(f"resources/machineclasses/{name}").status_code == 404


def test_a_dry_run_knows_what_omni_keeps_to_itself(api: Caller) -> None:
    body = {"id": "x", "spec": {}}
    dry, real = (api.post(f"resources/machinestatuses{query}", json=body) for query in ("?dry_run=true", ""))
    assert (dry.status_code, dry.json["code"]) == (real.status_code, real.json["code"]) == (403, "omni-forbidden")


@pytest.mark.parametrize("method", ["put", "patch"])
@pytest.mark.parametrize("kind", ["resources/machineclasses", "machineclasses"])
def test_a_put_or_patch_that_changes_nothing_does_not_write(api: Caller, name: str, method: str, kind: str) -> None:
    apply(api, CLASS.format(id=name, more=""))
    read = api.get(f"{kind}/{name}")
    body = {key: value for key, value in read.json.items() if not key.startswith("_")}
    answer = getattr(api, method)(f"{kind}/{name}", json=body)
    assert answer.status_code == 200, answer.text
    assert (answer.headers["ETag"], answer.json["metadata"]) == (read.headers["ETag"], read.json["metadata"])


def test_a_put_that_spells_out_zero_values_does_not_write(api: Caller, name: str) -> None:
    spec = {"provider_id": "x", "machine_count": 0, "kernel_args": [], "grpc_tunnel": "UNSET", "provider_data": ""}
    body = {"id": name, "spec": {"match_labels": ["a = b"]}}
    assert api.post("resources/machineclasses", json=body).status_code == 201, spec
    read = api.get(f"resources/machineclasses/{name}")
    body["spec"]["auto_provision"] = None  # type: ignore[index]
    answer = api.put(f"resources/machineclasses/{name}", json=body)
    assert answer.headers["ETag"] == read.headers["ETag"]


def test_an_apply_that_does_not_name_the_lock_keeps_it(
    api: Caller, omni: OmniClient, name: str, cluster: str, locked: str
) -> None:
    assert actions(apply(api, cluster)) == ["unchanged"]
    assert is_locked(omni, name)


def test_an_apply_that_changes_a_locked_cluster_is_refused_and_keeps_the_lock(
    api: Caller, omni: OmniClient, name: str, cluster: str, locked: str
) -> None:
    answer = apply(api, cluster.replace("enableworkloadproxy: false", "enableworkloadproxy: true"))
    assert answer.json["results"][0]["problem"]["code"] == "conflict"
    assert is_locked(omni, name)


@pytest.mark.parametrize("annotations", [None, {}], ids=["null", "an empty object"])
def test_a_patch_of_all_annotations_keeps_the_lock(
    api: Caller, omni: OmniClient, name: str, locked: str, annotations: Any
) -> None:
    for url in (locked, f"clusters/{name}"):
        api.patch(url, json={"annotations": annotations})
        assert is_locked(omni, name)


def test_a_put_that_does_not_name_the_lock_keeps_it(api: Caller, omni: OmniClient, name: str, locked: str) -> None:
    for url in (locked, f"clusters/{name}"):
        body = {key: value for key, value in api.get(url).json.items() if key != "annotations"}
        api.put(url, json=body)
        assert is_locked(omni, name)


@pytest.mark.parametrize("method", ["put", "patch"])
@pytest.mark.parametrize("kind", ["resources/clusters", "clusters"])
def test_null_for_the_lock_takes_it_off(
    api: Caller, omni: OmniClient, name: str, locked: str, method: str, kind: str
) -> None:
    url, off = f"{kind}/{name}", {"omni.sidero.dev/cluster-locked": None}
    body = {**api.get(url).json, "annotations": off} if method == "put" else {"annotations": off}
    answer = getattr(api, method)(url, json=body)
    assert answer.status_code == 200, answer.text
    assert not is_locked(omni, name)


@pytest.mark.parametrize(("value", "stays"), [("", True), ("null", False), ("~", False)])
def test_an_apply_takes_a_lock_off_by_a_null_that_is_spelled_out(
    api: Caller, omni: OmniClient, name: str, cluster: str, locked: str, value: str, stays: bool
) -> None:
    text = cluster.replace("annotations:\n", f"annotations:\n        omni.sidero.dev/cluster-locked: {value}\n")
    assert apply(api, text).status_code == 200
    assert is_locked(omni, name) is stays


def test_a_difference_never_moves_an_annotation(api: Caller, name: str) -> None:
    apply(api, CLASS.format(id=name, more="  annotations: {a: ''}\n"))
    body = {"annotations": {"a": None, "b": ""}}
    diff = api.patch(f"resources/machineclasses/{name}?dry_run=true", json=body).json["_dry_run"]["diff"]
    assert diff == [
        {"op": "remove", "path": "/annotations/a"},
        {"op": "add", "path": "/annotations/b", "value": ""},
    ]


def test_null_is_the_empty_text_of_a_label(api: Caller, name: str) -> None:
    body = {"id": name, "labels": {"a": None}, "annotations": {"b": None}, "spec": {"match_labels": ["a = b"]}}
    answer = api.post("resources/machineclasses", json=body)
    assert (answer.json["labels"], answer.json["annotations"]) == ({"a": ""}, {"b": ""})
