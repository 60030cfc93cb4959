"""Schematics: recipes of Talos images, named by their content."""

from omni_gateway.sdk import READ, ResourcePlugin, Role
from resources.schematic.adapter import SchematicAdapter
from resources.schematic.schemas import SchematicSchema

EXAMPLE = {"talos_version": "1.13.7", "extensions": ["siderolabs/qemu-guest-agent"]}

plugin = ResourcePlugin(
    name="schematics",
    group="Images and versions",
    singular="schematic",
    schema=SchematicSchema,
    adapter=SchematicAdapter(),
    roles={**READ, "create": Role.OPERATOR},
    create_may_return_existing=True,
    example=EXAMPLE,
    description="A schematic is a recipe of a Talos image, named by its content; it never changes, and the image"
    " factory stores it. Lists have those of the fleet and those created here.",
    after_write="Machines that boot an image of it join this Omni.",
    import_name=__name__,
)
