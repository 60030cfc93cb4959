"""Who the gateway is to Omni, what it may do there, and who the caller is to the gateway."""

from omni_gateway.sdk import Role
from omni_gateway.sdk.actions import ServicePlugin
from omni_gateway.sdk.adapters import CallAdapter
from resources.whoami.schemas import WhoamiSchema
from resources.whoami.whoami import whoami

plugin = ServicePlugin(
    adapter=CallAdapter(),
    name="auth/whoami",
    description="The identity by which Omni is called, what it may do there, and whose token the request came with",
    import_name=__name__,
)

plugin.computed(
    "",
    role=Role.READER,
    summary="Who calls Omni, and who calls the gateway",
    answers=WhoamiSchema,
    on_collection=True,
    cluster_independent=True,
)(whoami)
