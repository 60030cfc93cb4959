"""Settings of infrastructure providers' machines, by machine."""

from omni_gateway.sdk import READ_WRITE, OmniResourceAdapter, ResourcePlugin
from omni_gateway.sdk.adapters import id_filter, id_link
from omni_gateway.sdk.omni import types
from resources.inframachineconfig.schemas import InfraMachineConfigSchema

EXAMPLE = {"id": "2d1f4a52-8f7e-4a3c-9f0e-0d7b9f3f6a01", "acceptance_status": "ACCEPTED"}

plugin = ResourcePlugin(
    name="infra-machine-configs",
    group="Machines",
    singular="infra-machine-config",
    schema=InfraMachineConfigSchema,
    adapter=OmniResourceAdapter(types.INFRA_MACHINE_CONFIGS, id_filter="machine"),
    roles=READ_WRITE,
    filters=(id_filter("machine"),),
    links={"machine": id_link("machines")},
    example=EXAMPLE,
    description="A user's settings of a machine that a bare-metal infrastructure provider manages: acceptance,"
    " power and kernel arguments. Its id is the machine's.",
    after_write="The provider acts on it: an accepted machine is wiped before its first use, then powered as the"
    " settings say.",
    after_delete="The settings return to their defaults. Those of an accepted machine that is still linked are"
    " refused (422).",
    import_name=__name__,
)
