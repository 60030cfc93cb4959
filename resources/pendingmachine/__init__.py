"""Pending machines: they have connected, and Omni has not let them join yet."""

from omni_gateway.sdk import OmniResourceAdapter, ResourcePlugin, Role
from omni_gateway.sdk.omni import types
from resources.pendingmachine.schemas import PendingMachineSchema

plugin = ResourcePlugin(
    name="pending-machines",
    group="Machines",
    singular="pending-machine",
    schema=PendingMachineSchema,
    adapter=OmniResourceAdapter(
        types.PENDING_MACHINES, sortable=("connected", "last_endpoint", "node_subnet"), id_is_of="machine"
    ),
    roles={"list": Role.READER, "get": Role.READER, "delete": Role.OPERATOR},
    description="Machines that have connected and have not joined yet: Omni verifies their identity first.",
    after_delete="Omni forgets the attempt; the machine tries again while it runs.",
    import_name=__name__,
)
