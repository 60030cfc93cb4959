"""When things are not as they should be: an unfit cluster, an upgrade turned round, etcd restored from a backup."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from omni_gateway.omni import OmniClient, errors
from tests.e2e.cluster_steps import (
    Machines,
    Made,
    Unique,
    Wait,
    end_of,
    new_cluster,
    once,
    once_known,
    problem,
    running_cluster,
    skip_without_snapshots,
)

pytestmark = pytest.mark.slow

MACHINE_SETS = "MachineSets.omni.sidero.dev"
MANUAL_BACKUPS = "EtcdManualBackups.omni.sidero.dev"
IMPORTING = "omni.sidero.dev/cluster-import-is-in-progress"
LOCKED = "omni.sidero.dev/cluster-locked"


@pytest.fixture
def running(
    api: httpx.Client, unique: Unique, made: Made, free_machines: Machines, versions: Any, wait_until: Wait
) -> str:
    """The name of a cluster of a control plane and a worker that is up."""
    name = unique("c")
    running_cluster(api, made, name, free_machines(2), versions, wait_until)
    return name


def test_an_upgrade_of_a_cluster_that_waits_for_a_machine_is_taken_and_waits_too(
    api: httpx.Client, running: str, versions: Any, omni: OmniClient, wait_until: Wait
) -> None:
    """A node for a machine that does not exist keeps the cluster waiting for it; Omni learns versions before that."""
    once(api, f"clusters/{running}/kubernetes-upgrade", lambda upgrade: upgrade["phase"] == "Done", wait_until)
    labels = {
        "omni.sidero.dev/cluster": running,
        "omni.sidero.dev/machine-set": f"{running}-workers",
        "omni.sidero.dev/role-worker": "",
    }
    omni.resources.create("MachineSetNodes.omni.sidero.dev", f"{running}-nobody", {}, labels=labels)
    wait_until(lambda: not api.get(f"clusters/{running}/status").json()["ready"], what="an unready cluster")
    url = f"clusters/{running}/actions/kubernetes-upgrade"
    answer = once_known(lambda: api.post(url, json={"version": versions.kubernetes_next}), wait_until)
    assert (answer.status_code, answer.json()["state"]) == (202, "running"), answer.text
    omni.resources.remove("MachineSetNodes.omni.sidero.dev", f"{running}-nobody")
    assert end_of(api, answer, wait_until)["state"] == "succeeded"


def test_a_running_upgrade_can_be_turned_round(
    api: httpx.Client, running: str, versions: Any, wait_until: Wait
) -> None:
    url = f"clusters/{running}/actions/kubernetes-upgrade"
    forth = once_known(lambda: api.post(url, json={"version": versions.kubernetes_next}), wait_until)
    assert forth.status_code == 202, forth.text
    wait_until(
        lambda: (
            once(api, f"clusters/{running}/kubernetes-upgrade", bool, wait_until)["phase"] != "Done"
            or end_of(api, forth, wait_until)
        ),
        what="the upgrade's start",
    )
    back = api.post(url, json={"version": versions.kubernetes})
    assert back.status_code == 202, back.text
    assert end_of(api, back, wait_until)["state"] == "succeeded"
    assert api.get(f"clusters/{running}/kubernetes-upgrade").json()["last_upgrade_version"] == versions.kubernetes


def test_unlocking_ends_an_import_too(api: httpx.Client, unique: Unique, made: Made) -> None:
    name = unique("c")
    new_cluster(api, made, name, annotations={LOCKED: "", IMPORTING: "", "kept": "yes"})
    answer = api.post(f"clusters/{name}/actions/unlock")
    assert answer.status_code == 200, answer.text
    assert answer.json()["annotations"] == {"kept": "yes"}


@pytest.fixture
def backup(running: str, api: httpx.Client, omni: OmniClient, wait_until: Wait) -> Iterator[dict[str, str]]:
    """A backup of a running cluster's etcd: the cluster's UUID and the snapshot's name."""
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    omni.resources.create(MANUAL_BACKUPS, running, {"backup_at": now}, namespace="ephemeral")
    backups = wait_until(
        lambda: skip_without_snapshots(omni, running) or api.get(f"clusters/{running}/etcdbackups").json(),
        60,
        "a backup",
    )
    assert backups[0]["size"] > 0 and backups[0]["created_at"]
    uuid = omni.resources.get("ClusterUUIDs.omni.sidero.dev", running)["spec"]["uuid"]
    yield {"cluster_uuid": uuid, "snapshot": backups[0]["snapshot"]}
    omni.resources.teardown(MANUAL_BACKUPS, running, "ephemeral")


def test_a_control_plane_that_runs_cannot_be_restored_and_the_answer_says_what_to_do(
    api: httpx.Client, running: str, backup: dict[str, str]
) -> None:
    body = {"backup": {"snapshot": backup["snapshot"]}}
    document = problem(api.post(f"clusters/{running}/actions/bootstrap", json=body), 409, "conflict")
    assert "delete the machine set first" in document["hint"]


def test_an_empty_cluster_is_set_up_to_start_from_a_backup(
    api: httpx.Client, unique: Unique, made: Made, backup: dict[str, str], omni: OmniClient
) -> None:
    name = unique("c")
    new_cluster(api, made, name)
    url = f"clusters/{name}/actions/bootstrap"

    would_do = api.post(f"{url}?dry_run=true", json={"backup": backup}).json()["_dry_run"]
    assert would_do["diff"] == []
    assert [(item["id"], item["spec"]["bootstrap_spec"]) for item in would_do["also"]] == [
        (f"{name}-control-planes", backup)
    ]
    with pytest.raises(errors.NotFound):
        omni.resources.get(MACHINE_SETS, f"{name}-control-planes")

    answer = api.post(url, json={"backup": backup})
    assert answer.status_code == 202, answer.text
    assert omni.resources.get(MACHINE_SETS, f"{name}-control-planes")["spec"]["bootstrap_spec"] == backup
    assert api.post(url, json={"backup": backup}).status_code == 202


def test_a_new_cluster_can_start_from_a_backup(
    api: httpx.Client,
    unique: Unique,
    made: Made,
    free_machines: Machines,
    backup: dict[str, str],
    versions: Any,
) -> None:
    name = unique("c")
    control_plane = {"machines": free_machines(1), "bootstrap_spec": backup}
    new_cluster(api, made, name, **versions.cluster, control_plane=control_plane)
    (machine_set,) = api.get(f"clusters/{name}/machinesets").json()
    assert machine_set["bootstrap_spec"] == backup
