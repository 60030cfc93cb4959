"""Links: the tunnels between machines and Omni."""

from omni_gateway.sdk import OmniResourceAdapter, ResourcePlugin, Role
from omni_gateway.sdk.adapters import id_link
from omni_gateway.sdk.omni import types
from resources.link.schemas import LinkSchema

plugin = ResourcePlugin(
    name="links",
    group="Machines",
    example_id="2d1f4a52-8f7e-4a3c-9f0e-0d7b9f3f6a01",
    singular="link",
    schema=LinkSchema,
    adapter=OmniResourceAdapter(
        types.LINKS, sortable=("connected", "last_endpoint", "node_subnet"), id_is_of="machine"
    ),
    roles={"list": Role.READER, "get": Role.READER, "delete": Role.OPERATOR},
    links={"machine": id_link("machines")},
    description="The tunnel between a machine and Omni (SideroLink, which is WireGuard), by the machine's id."
    " Omni makes it when the machine joins.",
    after_delete="Omni forgets the machine, which joins again when it still runs with a valid join token.",
    import_name=__name__,
)
