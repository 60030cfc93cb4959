"""Steps that the machine tests share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx

from omni_gateway.omni import OmniClient
from omni_gateway.omni import errors as omni_errors
from tests.e2e.cluster_steps import Machines, Made, Unique, Wait, end_of, new_cluster

NO_MACHINE = "00000000-0000-4000-8000-000000000000"
MACHINE_LABELS = "MachineLabels.omni.sidero.dev"
MACHINE_SET_NODES = "MachineSetNodes.omni.sidero.dev"
MACHINE_STATUSES = "MachineStatuses.omni.sidero.dev"
EXTENSIONS_CONFIGURATIONS = "ExtensionsConfigurations.omni.sidero.dev"
MEMBER_SECONDS = 60


@dataclass(frozen=True)
class Members:
    """A cluster and two of its machines."""

    cluster: str
    control_plane: str
    worker: str


def members(
    api: httpx.Client, made: Made, unique: Unique, free_machines: Machines, versions: Any, wait_until: Wait
) -> Members:
    """Make a cluster of a control plane and a worker, and wait until Omni counts both machines as its own."""
    control_plane, worker = free_machines(2)
    name = unique("c")
    body = {
        **versions.cluster,
        "control_plane": {"machines": [control_plane]},
        "workers": [{"machines": [worker]}],
    }
    new_cluster(api, made, name, **body)

    def both_in() -> bool:
        return len(api.get("machines", params={"cluster": name}).json()) == 2

    wait_until(both_in, MEMBER_SECONDS, "both machines in the cluster")
    return Members(name, control_plane, worker)


def annotations_of(omni: OmniClient, type: str, id: str) -> dict[str, str]:
    """Return the annotations that Omni holds."""
    return dict(omni.resources.get(type, id)["metadata"].get("annotations") or {})


def shows_reboots(omni: OmniClient, machine: str) -> bool:
    """Whether Omni sees a reboot of a machine that is in no cluster.

    It does by the boot id, and without one (Omni 1.7) by the stages that Talos reports. An emulated machine that is in
    no cluster reports the same stage throughout, and keeps its connection: nothing tells that it was away.
    """
    snapshot = omni.resources.get("MachineStatusSnapshots.omni.sidero.dev", machine)["spec"]
    kernel = omni.resources.get(MACHINE_STATUSES, machine)["spec"].get("kernel_cmdline", "")
    return bool(snapshot.get("boot_id")) or "talemu=1" not in kernel.split()


def await_reboot(api: httpx.Client, omni: OmniClient, machine: str, order: httpx.Response, wait_until: Wait) -> None:
    """Wait until a machine in no cluster is back: by the operation, or by its Talos where Omni shows no reboot."""

    def answers() -> bool:
        try:
            omni.machines.version(machine)
        except omni_errors.OmniError:
            return False
        return True

    if shows_reboots(omni, machine):
        end_of(api, order, wait_until)
        return
    wait_until(lambda: not answers(), MEMBER_SECONDS, "the machine to go down")
    wait_until(answers, MEMBER_SECONDS, "the machine to come back")


def user_labels(omni: OmniClient, machine: str) -> dict[str, str]:
    """Return the labels that users gave a machine, as Omni holds them."""
    try:
        return dict(omni.resources.get(MACHINE_LABELS, machine)["metadata"].get("labels") or {})
    except omni_errors.NotFound:
        return {}


def own_extensions(omni: OmniClient, machine: str) -> list[dict[str, Any]]:
    """Return the configurations of extensions for one machine, as Omni holds them."""
    selector = f"omni.sidero.dev/cluster-machine = {machine}"
    return omni.resources.list(EXTENSIONS_CONFIGURATIONS, selectors=[selector]).items
