"""POST /clusters: an empty cluster, or a working one in a single call; and all the ways in which it is refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from omni_gateway.omni import OmniClient, errors
from tests.e2e.cluster_steps import (
    GONE_SECONDS,
    Machines,
    Made,
    Unique,
    Wait,
    end_of,
    new_cluster,
    of_cluster,
    problem,
    talos_versions,
)

MACHINE_SETS = "MachineSets.omni.sidero.dev"
MACHINE_SET_NODES = "MachineSetNodes.omni.sidero.dev"
MACHINE_STATUSES = "MachineStatuses.omni.sidero.dev"
MACHINE_LABELS = "MachineLabels.omni.sidero.dev"
MACHINE_CLASSES = "MachineClasses.omni.sidero.dev"
INSTALL_DISKS = "MachineInstallDiskConfigs.omni.sidero.dev"
NO_MACHINE = "00000000-0000-4000-8000-000000000000"


def test_a_cluster_without_versions_gets_the_newest_that_omni_offers(
    api: httpx.Client, unique: Unique, made: Made, omni: OmniClient
) -> None:
    name = unique("c")
    answer = api.post("clusters", json={"id": name})
    made(f"clusters/{name}")
    assert answer.status_code == 201, answer.text
    assert answer.headers["Location"] == f"/api/v1/clusters/{name}"
    assert answer.headers["Operation-Location"] == f"/api/v1/operations/cluster-create/{name}"
    cluster = answer.json()
    chosen = talos_versions(omni)[cluster["talos_version"]]
    assert "-" not in cluster["talos_version"] and not chosen.get("deprecated")
    assert cluster["kubernetes_version"] in chosen["compatible_kubernetes_versions"]


def test_a_given_kubernetes_version_chooses_a_talos_that_goes_with_it(
    api: httpx.Client, unique: Unique, made: Made, versions: Any
) -> None:
    name = unique("c")
    answer = api.post("clusters", json={"id": name, "kubernetes_version": versions.kubernetes})
    made(f"clusters/{name}")
    assert answer.status_code == 201, answer.text
    assert answer.json()["kubernetes_version"] == versions.kubernetes


def test_a_leading_v_is_accepted_and_taken_off(api: httpx.Client, unique: Unique, made: Made, versions: Any) -> None:
    name = unique("c")
    body = {
        "id": name,
        "talos_version": f"v{versions.talos}",
        "kubernetes_version": f"v{versions.kubernetes}",
        "features": {"enable_workload_proxy": True},
        "backup_configuration": {"interval": "2h", "enabled": True},
        "labels": {"env": "e2e"},
    }
    cluster = api.post("clusters", json=body).json()
    made(f"clusters/{name}")
    assert (cluster["talos_version"], cluster["kubernetes_version"]) == (versions.talos, versions.kubernetes)
    assert cluster["features"]["enable_workload_proxy"] is True
    assert cluster["workload_proxy"] is True
    assert cluster["backup_configuration"] == {"interval": "7200s", "enabled": True}
    assert cluster["labels"] == {"env": "e2e"}
    assert cluster["_links"]["status"] == f"/api/v1/clusters/{name}/status"


def test_the_flat_feature_names_can_be_written(api: httpx.Client, unique: Unique, made: Made) -> None:
    name = unique("c")
    cluster = api.post("clusters", json={"id": name, "workload_proxy": True}).json()
    made(f"clusters/{name}")
    assert cluster["features"]["enable_workload_proxy"] is True


def test_a_cluster_that_is_there_already_is_a_409_that_says_where(
    api: httpx.Client, unique: Unique, made: Made
) -> None:
    name = unique("c")
    api.post("clusters", json={"id": name})
    made(f"clusters/{name}")
    answer = api.post("clusters", json={"id": name})
    problem(answer, 409, "exists")
    assert answer.headers["Location"] == f"/api/v1/clusters/{name}"


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("name with a dot", {"id": "a.b"}, "id"),
    ("name with a space", {"id": "a b"}, "id"),
    ("no version at all", {"talos_version": "latest"}, "talos_version"),
    ("unknown Talos", {"talos_version": "99.0.0"}, "talos_version"),
    ("unknown Kubernetes", {"kubernetes_version": "9.9.9"}, "kubernetes_version"),
    ("unknown field", {"kubernetes_versoin": "1.35.6"}, "kubernetes_versoin"),
    ("number for text", {"talos_version": 1.13}, "talos_version"),
    ("text for a flag", {"features": {"disk_encryption": "yes"}}, "features.disk_encryption"),
    ("unknown feature", {"features": {"warp": True}}, "features.warp"),
    ("bad duration", {"backup_configuration": {"interval": "soon"}}, "backup_configuration.interval"),
    ("short interval", {"backup_configuration": {"interval": "1s"}}, "backup_configuration.interval"),
    ("no interval", {"backup_configuration": {"enabled": True}}, "backup_configuration.interval"),
    ("workers alone", {"workers": [{"machines": [NO_MACHINE]}]}, "control_plane"),
    ("no such machine", {"control_plane": {"machines": [NO_MACHINE]}}, "control_plane.machines.0"),
    ("machine twice", {"control_plane": {"machines": [NO_MACHINE, NO_MACHINE]}}, "control_plane.machines.1"),
    (
        "no such class",
        {"control_plane": {"machine_class": "no-such-class", "machine_count": 1}},
        "control_plane.machine_class",
    ),
    ("class and machines", {"control_plane": {"machines": ["m"], "machine_class": "c"}}, "control_plane.machines"),
    (
        "sets on a locked cluster",
        {"annotations": {"omni.sidero.dev/cluster-locked": ""}, "control_plane": {"machines": [NO_MACHINE]}},
        "annotations",
    ),
    ("set named twice", {"workers": [{"machines": ["x"]}, {"machines": ["y"]}]}, "workers.1"),
    ("bad patch", {"config_patches": [{"name": "p", "data": "machine: ["}]}, "config_patches.0.data"),
    (
        "unknown backup",
        {"control_plane": {"machines": [NO_MACHINE], "bootstrap_spec": {"cluster_uuid": "u", "snapshot": "s"}}},
        "control_plane.bootstrap_spec.cluster_uuid",
    ),
]


@pytest.mark.parametrize(("body", "field"), [item[1:] for item in REFUSED], ids=[item[0] for item in REFUSED])
def test_what_is_wrong_is_refused_by_field_and_nothing_is_written(
    api: httpx.Client, unique: Unique, body: dict[str, Any], field: str
) -> None:
    name = body.get("id") or unique("c")
    answer = api.post("clusters", json={"id": name, **body})
    document = problem(answer, 422, "validation")
    assert field in document["errors"], document
    assert api.get(f"clusters/{name}").status_code == 404


def test_an_incompatible_pair_is_told_the_versions_that_go_together(
    api: httpx.Client, unique: Unique, versions: Any, omni: OmniClient
) -> None:
    body = {"id": unique("c"), "talos_version": versions.talos, "kubernetes_version": "1.2.3"}
    document = problem(api.post("clusters", json=body), 422, "validation")
    known = omni.resources.get("TalosVersions.omni.sidero.dev", versions.talos)["spec"][
        "compatible_kubernetes_versions"
    ]
    newest = max(known, key=lambda version: [int(part) for part in re.findall(r"\d+", version)])
    assert newest in document["errors"]["kubernetes_version"][0]


def test_a_mistyped_field_is_told_its_neighbour(api: httpx.Client, unique: Unique) -> None:
    document = problem(api.post("clusters", json={"id": unique("c"), "talos_versoin": "1.13.7"}), 422, "validation")
    assert "talos_version" in document["errors"]["talos_versoin"][0]


def test_a_reader_may_not_create(reader: httpx.Client, unique: Unique) -> None:
    problem(reader.post("clusters", json={"id": unique("c")}), 403, "forbidden")


def three_machine_cluster(name: str, machines: list[str], versions: Any) -> dict[str, Any]:
    return {
        "id": name,
        **versions.cluster,
        "control_plane": {"machines": machines[:1]},
        "workers": [{"machines": machines[1:], "labels": {"tier": "web"}}],
        "config_patches": [{"name": "sysctl", "data": "machine:\n  sysctls:\n    net.core.somaxconn: '65535'\n"}],
    }


def test_a_dry_run_shows_every_object_and_writes_none(
    api: httpx.Client, unique: Unique, free_machines: Machines, versions: Any
) -> None:
    name, machines = unique("c"), free_machines(3)
    answer = api.post("clusters?dry_run=true", json=three_machine_cluster(name, machines, versions))
    assert answer.status_code == 200, answer.text
    document = answer.json()
    assert document["id"] == name
    assert [(item["type"].split(".")[0], item["id"]) for item in document["_dry_run"]["also"]] == [
        ("ConfigPatches", f"200-cluster-{name}-sysctl"),
        ("MachineSets", f"{name}-control-planes"),
        ("MachineSets", f"{name}-workers"),
        *(("MachineSetNodes", machine) for machine in machines),
    ]
    assert api.get(f"clusters/{name}").status_code == 404


def test_one_call_makes_a_working_cluster(
    api: httpx.Client, unique: Unique, made: Made, free_machines: Machines, versions: Any, wait_until: Wait
) -> None:
    name = unique("c")
    answer = api.post("clusters", json=three_machine_cluster(name, free_machines(3), versions))
    made(f"clusters/{name}")
    assert answer.status_code == 201, answer.text

    operation = end_of(api, answer, wait_until)

    assert operation["state"] == "succeeded", operation
    assert "3 of 3" in operation["progress"]
    assert operation["details"]["phase"] == "RUNNING"
    assert operation["_links"]["target"] == f"/api/v1/clusters/{name}"
    status = api.get(f"clusters/{name}/status").json()
    assert (
        status["ready"] and status["kubernetes_api_ready"] and status["healthy"] == status["machines"]["healthy"] == 3
    )
    sets = api.get(f"clusters/{name}/machinesets").json()
    assert [item["id"] for item in sets] == [f"{name}-control-planes", f"{name}-workers"]
    assert sets[1]["labels"]["tier"] == "web" and sets[1]["update_strategy"] == "Rolling"


MACHINE_PATCH = "machine:\n  network:\n    hostname: first\n"


def cluster_with_everything(machines: list[str], versions: Any) -> dict[str, Any]:
    """Return the body of a cluster of a control plane and a worker with all that a cluster template can say."""
    return {
        **versions.cluster,
        "control_plane": {"machines": machines[:1], "system_extensions": ["siderolabs/gvisor"]},
        "workers": [
            {
                "machines": machines[1:],
                "upgrade_strategy": "Rolling",
                "upgrade_strategy_config": {"rolling": {"max_parallelism": 2}},
            },
            {"name": "later", "machines": []},
        ],
        "machines": [
            {
                "id": machines[0],
                "install_disk": "/dev/vda",
                "labels": {"rack": "12"},
                "config_patches": [{"name": "host name", "data": MACHINE_PATCH}],
                "kernel_args": [],
            },
            {"id": machines[1], "locked": True},
        ],
        "config_patches": [
            {"name": "set a sysctl", "data": "machine:\n  sysctls: {}\n"},
            {"name": "b", "id": f"500-{machines[0]}", "data": "machine:\n  sysctls: {}\n"},
        ],
        "manifests": [
            {"name": "apps", "mode": "one-time", "data": "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: apps\n"}
        ],
        "health_checks": [{"name": "idle", "job": IDLE_JOB, "interval": "30s"}],
        "system_extensions": ["siderolabs/iscsi-tools"],
        "kernel_args": ["console=ttyS0"],
    }


IDLE_JOB = """\
apiVersion: batch/v1
kind: Job
metadata:
  name: idle
  namespace: default
spec:
  template:
    spec:
      restartPolicy: Never
      containers:
        - name: idle
          image: busybox
"""


@pytest.mark.needs_type("KubernetesHealthChecks.omni.sidero.dev")
def test_one_call_says_all_that_a_cluster_template_can(
    api: httpx.Client, unique: Unique, made: Made, free_machines: Machines, versions: Any, omni: OmniClient
) -> None:
    name, machines = unique("c"), free_machines(2)

    new_cluster(api, made, name, **cluster_with_everything(machines, versions))

    def specs(type: str) -> dict[str, Any]:
        return {item["metadata"]["id"]: item["spec"] for item in of_cluster(omni, type, name) if not owned(item)}

    assert list(specs("ConfigPatches")) == [
        f"200-cluster-{name}-set a sysctl",
        f"400-cm-{machines[0]}-host name",
        f"500-{machines[0]}",
    ]
    assert specs("ExtensionsConfigurations") == {
        f"schematic-{name}": {"extensions": ["siderolabs/iscsi-tools"]},
        f"schematic-{name}-control-planes": {"extensions": ["siderolabs/gvisor"]},
    }
    assert specs("KubernetesManifestGroups")[f"200-cluster-{name}-apps"]["mode"] == 2
    assert specs("KubernetesHealthChecks")[f"cluster-{name}-idle"] == {"job": IDLE_JOB, "interval": "30s"}
    sets = specs("MachineSets")
    assert sets[f"{name}-workers-later"] == {"update_strategy": 1}
    assert sets[f"{name}-workers"]["upgrade_strategy_config"] == {"rolling": {"max_parallelism": 2}}
    nodes = {node["metadata"]["id"]: node["metadata"] for node in of_cluster(omni, "MachineSetNodes", name)}
    assert nodes[machines[0]]["labels"]["rack"] == "12"
    assert nodes[machines[1]]["annotations"] == {"omni.sidero.dev/locked": ""}
    kernel_args = [omni.resources.get("KernelArgs.omni.sidero.dev", machine)["spec"] for machine in machines]
    assert kernel_args == [{}, {"args": ["console=ttyS0"]}]
    disk = omni.resources.get(INSTALL_DISKS, machines[0])
    assert disk["spec"] == {"disk": "/dev/vda"} and not disk["metadata"].get("annotations")


def owned(item: dict[str, Any]) -> bool:
    """Whether one of Omni's controllers made an object."""
    return bool(item["metadata"].get("owner"))


def test_options_of_a_machine_that_no_set_names_are_refused(
    api: httpx.Client, unique: Unique, free_machines: Machines, versions: Any
) -> None:
    machine, other = free_machines(2)
    body = {"id": unique("c"), **versions.cluster, "control_plane": {"machines": [machine]}}
    document = problem(api.post("clusters", json={**body, "machines": [{"id": other}]}), 422, "validation")
    assert document["errors"] == {"machines.0.id": [f"None of the sets names machine {other!r}."]}


@pytest.fixture
def class_of_one(
    free_machines: Machines, unique: Unique, omni: OmniClient, wait_until: Wait
) -> Iterator[tuple[str, str]]:
    """A machine class that picks one free machine: the class's name, the machine's id."""
    machine, name = free_machines(1)[0], unique("class")
    set_label(omni, machine, name, "yes")
    omni.resources.create(MACHINE_CLASSES, name, {"match_labels": [f"{name} = yes"]})
    wait_until(lambda: omni.resources.list(MACHINE_STATUSES, selectors=[f"{name} = yes"]).total, what="the label")
    yield name, machine
    set_label(omni, machine, name, None)
    wait_until(lambda: torn_down(omni, name), what="the end of the class")


def set_label(omni: OmniClient, machine: str, label: str, value: str | None) -> None:
    """Set a label that a user may set on a machine, or take it off."""
    try:
        held = omni.resources.get(MACHINE_LABELS, machine)
    except errors.NotFound:
        omni.resources.create(MACHINE_LABELS, machine, {}, labels={label: value or ""})
        return
    labels = {key: text for key, text in (held["metadata"].get("labels") or {}).items() if key != label}
    held["metadata"]["labels"] = labels | ({label: value} if value else {})
    omni.resources.update({"spec": {}, **held}, version=None)


def torn_down(omni: OmniClient, machine_class: str) -> bool:
    """Remove a class; Omni refuses while a machine set uses it."""
    try:
        omni.resources.teardown(MACHINE_CLASSES, machine_class)
    except errors.NotFound:
        return True
    except errors.InvalidArgument:
        return False
    return True


def test_a_class_with_too_few_free_machines_is_refused(
    api: httpx.Client, unique: Unique, class_of_one: tuple[str, str], versions: Any
) -> None:
    body = {
        "id": unique("c"),
        **versions.cluster,
        "control_plane": {"machine_class": class_of_one[0], "machine_count": 2},
    }
    document = problem(api.post("clusters", json=body), 422, "validation")
    assert "1 free" in document["errors"]["control_plane.machine_count"][0]


def test_machines_can_come_from_a_class(
    api: httpx.Client,
    unique: Unique,
    class_of_one: tuple[str, str],
    omni: OmniClient,
    wait_until: Wait,
    versions: Any,
) -> None:
    (machine_class, machine), name = class_of_one, unique("c")
    body = {"id": name, **versions.cluster, "control_plane": {"machine_class": machine_class, "machine_count": 1}}
    api.post("clusters", json=body).raise_for_status()
    (machine_set,) = api.get(f"clusters/{name}/machinesets").json()
    assert machine_set["machine_allocation"] == {
        "name": machine_class,
        "machine_count": 1,
        "allocation_type": "Static",
    }
    nodes = wait_until(lambda: of_cluster(omni, "MachineSetNodes", name), what="a machine from the class")
    assert [node["metadata"]["id"] for node in nodes] == [machine]
    end_of(api, api.post(f"clusters/{name}/actions/destroy"), wait_until)


def test_a_machine_that_is_taken_is_refused_before_anything_is_written(
    api: httpx.Client, unique: Unique, made: Made, free_machines: Machines, versions: Any
) -> None:
    machines, first, second = free_machines(2), unique("c"), unique("c")
    new_cluster(api, made, first, **versions.cluster, control_plane={"machines": machines[:1]})
    body = {
        "id": second,
        **versions.cluster,
        "control_plane": {"machines": [machines[1]]},
        "workers": [{"machines": [machines[0]]}],
    }
    document = problem(api.post("clusters", json=body), 422, "validation")
    assert first in document["errors"]["workers.0.machines.0"][0]
    assert api.get(f"clusters/{second}").status_code == 404


@pytest.mark.needs_type(INSTALL_DISKS)
def test_a_failure_half_way_takes_back_what_was_made_and_says_so(
    api: httpx.Client,
    unique: Unique,
    made: Made,
    free_machines: Machines,
    omni: OmniClient,
    wait_until: Wait,
    versions: Any,
) -> None:
    """Another client takes the last machine after the checks: when the new Cluster shows, before its nodes do."""
    machines, rival, name = free_machines(2), unique("rival"), unique("c")
    rival_set = f"{rival}-workers"
    new_cluster(api, made, rival, **versions.cluster)
    labels = {"omni.sidero.dev/cluster": rival, "omni.sidero.dev/role-worker": ""}
    omni.resources.create(MACHINE_SETS, rival_set, {}, labels=labels)
    node_labels = {**labels, "omni.sidero.dev/machine-set": rival_set}
    patches = [{"name": f"p{number}", "data": "machine:\n  sysctls: {}\n"} for number in range(40)]
    body = {"id": name, **versions.cluster, "control_plane": {"machines": machines}, "config_patches": patches}
    body["machines"] = [{"id": machine, "install_disk": "/dev/vdb"} for machine in machines]
    omni.resources.create(INSTALL_DISKS, machines[0], {"disk": "/dev/vda"})

    with ThreadPoolExecutor(1) as others:
        snatched = others.submit(snatch, omni, name, machines[1], node_labels)
        answer = api.post("clusters", json=body)
        snatched.result(30)

    document = problem(answer, 409, "exists")
    assert document["failed"] == {"type": MACHINE_SET_NODES, "id": machines[1]}
    undone = [item["id"] for item in document["undone"]]
    assert undone[0] == machines[0] and undone[-1] == name and f"{name}-control-planes" in undone
    assert len(undone) == 45
    assert omni.resources.get(INSTALL_DISKS, machines[0])["spec"] == {"disk": "/dev/vda"}
    with pytest.raises(errors.NotFound):
        omni.resources.get(INSTALL_DISKS, machines[1])
    wait_until(lambda: api.get(f"clusters/{name}").status_code == 404, GONE_SECONDS, "the end of the cluster")
    wait_until(lambda: not of_cluster(omni, "MachineSets", name), what="the end of its machine sets")
    wait_until(lambda: not of_cluster(omni, "ConfigPatches", name), what="the end of its patches")
    assert [item["metadata"]["id"] for item in of_cluster(omni, "MachineSetNodes", rival)] == [machines[1]]


def snatch(omni: OmniClient, cluster: str, machine: str, labels: dict[str, str]) -> None:
    with omni.resources.watch("Clusters.omni.sidero.dev", timeout=20) as events:
        for event in events:
            if event.resource and event.resource["metadata"]["id"] == cluster:
                omni.resources.create(MACHINE_SET_NODES, machine, {}, labels=labels)
                return
