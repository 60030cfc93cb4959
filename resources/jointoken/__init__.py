"""Join tokens, with which machines join this Omni."""

from omni_gateway.sdk import ADMIN_READ_WRITE, ResourcePlugin
from resources.jointoken.actions import MAKE_DEFAULT, REVOKE, UNREVOKE
from resources.jointoken.adapter import JoinTokenAdapter
from resources.jointoken.documents import KERNEL_ARGS, MACHINE_CONFIG
from resources.jointoken.schemas import JoinTokenSchema

EXAMPLE = {"name": "rack-7", "expiration_time": "2030-01-01T00:00:00Z"}

plugin = ResourcePlugin(
    name="join-tokens",
    group="Machines",
    singular="join-token",
    schema=JoinTokenSchema,
    adapter=JoinTokenAdapter(),
    roles=ADMIN_READ_WRITE,
    documents=[MACHINE_CONFIG, KERNEL_ARGS],
    actions=[MAKE_DEFAULT, REVOKE, UNREVOKE],
    example=EXAMPLE,
    description="A join token lets machines join this Omni. In Omni the id is the secret itself, so here the id"
    " is a handle derived from it; the token is returned once, by POST.",
    after_write="Machines that have joined stay, except those that `warnings` names: they need the token when"
    " they connect again.",
    after_delete="No machine can join with the token any more; `warnings` names those that could not connect"
    " again. The default token is refused (409).",
    import_name=__name__,
)
