"""Platforms that Talos runs on: clouds, metal and single-board computers."""

from omni_gateway.sdk import READ, ResourcePlugin
from resources.platform.adapter import KIND, PlatformAdapter
from resources.platform.schemas import PlatformSchema

plugin = ResourcePlugin(
    name="platforms",
    group="Images and versions",
    example_id="metal",
    singular="platform",
    schema=PlatformSchema,
    adapter=PlatformAdapter(),
    roles=READ,
    filters=(KIND,),
    description="Platforms that Talos runs on: clouds, metal and single-board computers.",
    import_name=__name__,
)
