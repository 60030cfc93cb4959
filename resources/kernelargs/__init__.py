"""Additional kernel arguments of machines, by machine."""

from omni_gateway.sdk import (
    READ_WRITE,
    OmniResourceAdapter,
    ResourcePlugin,
    SubResource,
)
from omni_gateway.sdk.adapters import id_filter, id_link
from omni_gateway.sdk.omni import types
from resources.kernelargs.schemas import KernelArgsSchema, KernelArgsStatusSchema

EXAMPLE = {"id": "2d1f4a52-8f7e-4a3c-9f0e-0d7b9f3f6a01", "args": ["console=ttyS0"]}

plugin = ResourcePlugin(
    name="kernel-args",
    group="Machines",
    example_id="2d1f4a52-8f7e-4a3c-9f0e-0d7b9f3f6a01",
    singular="kernel-args",
    title="set of kernel arguments",
    plural_title="kernel arguments",
    schema=KernelArgsSchema,
    adapter=OmniResourceAdapter(types.KERNEL_ARGS, id_filter="machine"),
    roles=READ_WRITE,
    filters=(id_filter("machine"),),
    subresources=[
        SubResource(
            "status",
            OmniResourceAdapter(types.KERNEL_ARGS_STATUSES),
            KernelArgsStatusSchema,
            "Current and wanted kernel arguments",
            comes_later=True,
        )
    ],
    links={"machine": id_link("machines")},
    example=EXAMPLE,
    description="Additional kernel arguments of one machine, in its image. Its id is the machine's.",
    after_write="Omni puts an image with these arguments on the machine, which reboots: follow `status`.",
    after_delete="Omni puts an image without additional arguments on the machine, which reboots.",
    import_name=__name__,
)
