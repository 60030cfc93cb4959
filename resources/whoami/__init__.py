"""The gateway's identity and permissions in Omni, and the caller's identity in the gateway."""

from omni_gateway.sdk.actions import ServicePlugin
from omni_gateway.sdk.adapters import CallAdapter
from resources.whoami.whoami import WHOAMI

plugin = ServicePlugin(
    adapter=CallAdapter(),
    name="auth/whoami",
    group="Identity and access",
    tag_title="Who am I",
    documents=[WHOAMI],
    description="The identity with which Omni is called, its permissions there, and the caller of the request.",
    import_name=__name__,
)
