"""Machines: their state as Omni reports it, the settings of their users, and the actions on them."""

from omni_gateway.sdk import ResourcePlugin, Role
from omni_gateway.sdk.adapters import id_link
from omni_gateway.sdk.clusters import quorum
from resources.machine import (
    logs,
    maintenance,
    metrics,
    operations,
    power,
    power_operations,
    reset,
    reset_operation,
    selection,
    talos_version,
)
from resources.machine.adapter import MachineAdapter
from resources.machine.links import cluster_link, machine_set_link
from resources.machine.schemas import MachineSchema
from resources.machine.subresources import SUBRESOURCES

plugin = ResourcePlugin(
    name="machines",
    singular="machine",
    schema=MachineSchema,
    adapter=MachineAdapter(),
    roles={"list": Role.READER, "get": Role.READER, "patch": Role.OPERATOR, "delete": Role.OPERATOR},
    filters=selection.FILTERS,
    subresources=SUBRESOURCES,
    links={
        "cluster": cluster_link,
        "machineset": machine_set_link,
        **{name: id_link("machines", name) for name in ("metrics", "logs", "talos-version")},
    },
    operations=(
        reset_operation.RESET,
        power_operations.REBOOT,
        power_operations.SHUTDOWN,
        power_operations.POWER_ON,
        power_operations.POWER_OFF,
        maintenance.MAINTENANCE,
    ),
    delete_operation=operations.DESTROY,
    delete_query=quorum.ForceQuery,
    description="Machines that have joined this Omni. A PATCH takes `labels` (yours are changed, Omni's own cannot be),"
    " `maintenance` (`true` holds the updates of a cluster's worker back, `false` lets them through) and `extensions`"
    " (a list for this member alone; `null` leaves it to its machine set and cluster): all is written, or nothing."
    " A DELETE makes Omni forget a machine; it joins again when it still runs with a valid join token.",
    import_name=__name__,
)

plugin.computed(
    "metrics",
    role=Role.READER,
    summary="The machine's connection, power and resources",
    answers=metrics.MachineMetricsSchema,
)(metrics.metrics)
plugin.computed(
    "talos-version",
    role=Role.READER,
    summary="The Talos version that the machine should run, and the one that it runs",
    answers=talos_version.MachineTalosVersionSchema,
)(talos_version.talos_version)
plugin.computed(
    "logs",
    role=Role.READER,
    summary="The machine's log: a JSON document a line",
    media_type=logs.NDJSON,
    query=logs.MachineLogsQuery,
    description="Lines are as Talos writes them (`msg`, `talos-level`, `talos-time`, …); join tokens are masked.",
)(logs.logs)

plugin.action(
    "reboot",
    role=Role.OPERATOR,
    summary="Reboot the machine",
    body=power.MachineRebootActionSchema,
    example={"mode": "DEFAULT"},
    operation=True,
    description="409 while the machine is not connected.",
)(power.reboot)
plugin.action(
    "shutdown",
    role=Role.OPERATOR,
    summary="Shut the machine down; it has to be started by hand",
    body=power.MachineShutdownActionSchema,
    example={"force": False},
    operation=True,
    description="409 while the machine is not connected.",
)(power.shutdown)
plugin.action(
    "reset",
    role=Role.OPERATOR,
    summary="Take the machine out of its cluster and wipe it",
    body=reset.MachineResetActionSchema,
    example={"force": False},
    operation=True,
    description="A member's node is taken out of its machine set, and Omni then resets the machine; a control plane"
    " needs `force`, a locked machine or cluster is a 409. A free machine's Talos is asked to reset; it refuses"
    " callers that come through Omni (403).",
)(reset.reset)
plugin.action(
    "maintenance",
    role=Role.OPERATOR,
    summary="Install or upgrade Talos on a free machine",
    body=maintenance.MachineMaintenanceActionSchema,
    example={"operation": "upgrade", "version": "1.13.8"},
    operation=True,
    description="409 for a member of a cluster, and where Omni finds the machine not ready.",
)(maintenance.maintenance)
plugin.action(
    "power-on",
    role=Role.OPERATOR,
    summary="Switch the machine on through its infra provider",
    operation=True,
    description="409 where no infra provider can do it; a dry run cannot check that, only Omni can.",
)(power.power_on)
plugin.action(
    "power-off",
    role=Role.OPERATOR,
    summary="Switch the machine off through its infra provider, and keep it off",
    operation=True,
    description="409 where no infra provider can do it; a dry run cannot check that, only Omni can.",
)(power.power_off)
