"""The gateway's identity and permissions in Omni, and the caller's identity in the gateway."""

from omni_gateway.sdk import Role
from omni_gateway.sdk.actions import ServicePlugin
from omni_gateway.sdk.adapters import CallAdapter
from resources.whoami.schemas import WhoamiSchema
from resources.whoami.whoami import whoami

plugin = ServicePlugin(
    adapter=CallAdapter(),
    name="auth/whoami",
    description="The identity with which Omni is called, its permissions, and the caller of the request",
    import_name=__name__,
)

plugin.computed(
    "",
    role=Role.READER,
    summary="Identities in Omni and in the gateway",
    answers=WhoamiSchema,
    on_collection=True,
    cluster_independent=True,
)(whoami)
