"""Installation media: Omni's own catalogue, and users' configurations."""

from omni_gateway.sdk import READ_WRITE, ResourcePlugin
from resources.installationmedia.adapter import KIND, InstallationMediaAdapter
from resources.installationmedia.download import DOWNLOAD, DOWNLOAD_URL
from resources.installationmedia.schemas import InstallationMediaSchema

EXAMPLE = {"id": "rack-7", "architecture": "AMD64", "talos_version": "1.13.7"}

plugin = ResourcePlugin(
    name="installation-medias",
    group="Images and versions",
    singular="installation-media",
    title="installation medium",
    plural_title="installation media",
    schema=InstallationMediaSchema,
    adapter=InstallationMediaAdapter(),
    roles=READ_WRITE,
    filters=(KIND,),
    actions=[DOWNLOAD_URL],
    documents=[DOWNLOAD],
    example=EXAMPLE,
    description="Media that machines are installed from: Omni's own catalogue (read-only), and configurations of"
    " users. `download-url` creates the image and returns its URL; `download` sends the image.",
    after_write="A configuration changes no machine: images are made of it. Omni's catalogue is refused (403).",
    after_delete="Images that were made of it stay valid. Omni's catalogue is refused (403).",
    import_name=__name__,
)
