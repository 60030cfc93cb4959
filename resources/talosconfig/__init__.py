"""The talosconfig of all clusters."""

from omni_gateway.sdk.actions import ServicePlugin
from omni_gateway.sdk.adapters import CallAdapter
from resources.talosconfig.document import TALOSCONFIG

plugin = ServicePlugin(
    adapter=CallAdapter(),
    name="talosconfig",
    group="Identity and access",
    documents=[TALOSCONFIG],
    description="A configuration of talosctl for all of Omni's machines; that of one cluster is its `talosconfig`.",
    import_name=__name__,
)
