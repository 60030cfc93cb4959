"""Classes of machines, selected by labels or provisioned by a provider."""

from omni_gateway.sdk import READ_WRITE, ResourcePlugin
from resources.machineclass.adapter import MachineClassAdapter
from resources.machineclass.matches import MATCH, MATCH_SELECTORS
from resources.machineclass.schemas import MachineClassSchema

EXAMPLE = {"id": "metal", "match_labels": ["omni.sidero.dev/platform = metal"]}

plugin = ResourcePlugin(
    name="machineclasses",
    group="Machines",
    singular="machineclass",
    title="machine class",
    schema=MachineClassSchema,
    adapter=MachineClassAdapter(),
    roles=READ_WRITE,
    actions=[MATCH, MATCH_SELECTORS],
    example=EXAMPLE,
    description="A machine class is machines of a kind, selected by labels or created by an infrastructure"
    " provider. Machine sets can draw from it.",
    after_write="Machine sets that draw from the class take their machines by it; `actions/match` shows which it"
    " selects.",
    after_delete="A class that is in use is refused (422).",
    import_name=__name__,
)
