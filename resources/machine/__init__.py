"""Machines: their state as Omni reports it, the settings of their users, and the actions on them."""

from omni_gateway.sdk import ResourcePlugin, Role
from omni_gateway.sdk.adapters import id_link
from omni_gateway.sdk.clusters import quorum
from resources.machine import selection
from resources.machine.actions import maintenance, power, reset, unique_token
from resources.machine.adapter import MachineAdapter
from resources.machine.documents import logs, metrics, talos_version
from resources.machine.links import cluster_link, machine_set_link
from resources.machine.removal import REMOVAL
from resources.machine.schemas.machine import MachineSchema
from resources.machine.subresources import SUBRESOURCES

plugin = ResourcePlugin(
    name="machines",
    group="Machines",
    example_id="2d1f4a52-8f7e-4a3c-9f0e-0d7b9f3f6a01",
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
    documents=[metrics.METRICS, talos_version.TALOS_VERSION, logs.LOGS],
    actions=[
        power.REBOOT,
        power.SHUTDOWN,
        reset.RESET,
        maintenance.MAINTENANCE,
        power.POWER_ON,
        power.POWER_OFF,
        unique_token.RESET_NODE_UNIQUE_TOKEN,
    ],
    delete_operation=REMOVAL,
    delete_query=quorum.ForceQuery,
    description="Machines that have joined this Omni, members of clusters and free ones: their state as Omni"
    " reports it, with the settings of their users.",
    after_write="`labels`: yours are changed, Omni's own cannot be. `maintenance`: `true` holds the updates of a"
    " cluster's worker back, `false` lets them through. `extensions`: a list for this member alone;"
    " `null` leaves it to its machine set and cluster. All is written, or nothing.",
    after_delete="Omni forgets the machine, which joins again when it still runs with a valid join token. A"
    " control plane takes `force=true`.",
    import_name=__name__,
)
