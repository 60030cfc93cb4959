"""Classes of machines, selected by labels or provisioned by a provider."""

from omni_gateway.sdk import READ_WRITE, ResourcePlugin, Role
from resources.machineclass.adapter import MachineClassAdapter
from resources.machineclass.matches import MachineClassMatchesSchema, MachineClassMatchSchema, match, match_selector
from resources.machineclass.schemas import MachineClassSchema

EXAMPLE = {"id": "metal", "match_labels": ["omni.sidero.dev/platform = metal"]}

plugin = ResourcePlugin(
    name="machineclasses",
    singular="machineclass",
    schema=MachineClassSchema,
    adapter=MachineClassAdapter(),
    roles=READ_WRITE,
    example=EXAMPLE,
    description="Classes of machines, selected by labels or provisioned by a provider",
    import_name=__name__,
)


plugin.action(
    "match", role=Role.READER, summary="List the machines that a class selects now", answers=MachineClassMatchesSchema
)(match)
plugin.action(
    "match",
    role=Role.READER,
    summary="List the machines that selectors would select now",
    body=MachineClassMatchSchema,
    example={"match_labels": ["omni.sidero.dev/platform = metal"]},
    answers=MachineClassMatchesSchema,
    on_collection=True,
)(match_selector)
