"""Requests for machines of an infrastructure provider."""

from omni_gateway.sdk import (
    READ_WRITE,
    OmniResourceAdapter,
    ResourcePlugin,
    SubResource,
)
from omni_gateway.sdk.omni import types
from resources.machinerequestset.adapter import MachineRequestSetAdapter
from resources.machinerequestset.schemas import MachineRequestSetSchema, MachineRequestSetStatusSchema

EXAMPLE = {"id": "more-metal", "provider_id": "bare-metal", "machine_count": 2, "talos_version": "1.13.7"}

plugin = ResourcePlugin(
    name="machine-request-sets",
    group="Machines",
    singular="machine-request-set",
    schema=MachineRequestSetSchema,
    adapter=MachineRequestSetAdapter(),
    roles=READ_WRITE,
    subresources=[
        SubResource(
            "status",
            OmniResourceAdapter(types.MACHINE_REQUEST_SET_STATUSES),
            MachineRequestSetStatusSchema,
            "Status of the machine request set",
            comes_later=True,
        )
    ],
    example=EXAMPLE,
    description="A request for a number of machines from an infrastructure provider.",
    after_write="The provider creates or removes machines until there are as many: follow `machines`.",
    after_delete="The provider removes the machines that it created for it.",
    import_name=__name__,
)
