"""The configuration of omnictl."""

from omni_gateway.sdk.actions import ServicePlugin
from omni_gateway.sdk.adapters import CallAdapter
from resources.omniconfig.document import OMNICONFIG

plugin = ServicePlugin(
    adapter=CallAdapter(),
    name="omniconfig",
    group="Identity and access",
    documents=[OMNICONFIG],
    description="A configuration of omnictl: URL and identity, without a key.",
    import_name=__name__,
)
