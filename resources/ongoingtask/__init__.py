"""What Omni is busy with."""

from omni_gateway.sdk import READ, ResourcePlugin
from resources.ongoingtask.adapter import RESOURCE, OngoingTaskAdapter
from resources.ongoingtask.schemas import OngoingTaskSchema

plugin = ResourcePlugin(
    name="ongoingtasks",
    singular="ongoingtask",
    schema=OngoingTaskSchema,
    adapter=OngoingTaskAdapter(),
    roles=READ,
    filters=(RESOURCE,),
    description="What Omni is busy with",
    import_name=__name__,
)
