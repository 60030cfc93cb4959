"""Ongoing tasks of Omni."""

from omni_gateway.sdk import READ, ResourcePlugin
from resources.ongoingtask.adapter import RESOURCE, OngoingTaskAdapter
from resources.ongoingtask.schemas import OngoingTaskSchema

plugin = ResourcePlugin(
    name="ongoingtasks",
    group="Operations",
    singular="ongoingtask",
    title="ongoing task",
    schema=OngoingTaskSchema,
    adapter=OngoingTaskAdapter(),
    roles=READ,
    filters=(RESOURCE,),
    description="Work that Omni's controllers do now: upgrades, removals, rotations of certificate authorities. A"
    " task goes away when it has ended.",
    import_name=__name__,
)
