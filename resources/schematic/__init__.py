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
    description="Recipes of Talos images. A schematic is named by its content and never changes; the image factory"
    " stores it. POST creates one whose machines join this Omni; lists have those of the fleet and those created here.",
    import_name=__name__,
)
