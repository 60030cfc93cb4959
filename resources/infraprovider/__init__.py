"""Infrastructure providers: what makes machines for Omni, each with a service account of its own."""

from omni_gateway.sdk import READ_WRITE, ResourcePlugin, Role
from resources.infraprovider.adapter import InfraProviderAdapter
from resources.infraprovider.renew import RENEW
from resources.infraprovider.schemas import InfraProviderSchema

EXAMPLE = {"id": "bare-metal", "ttl": "720h"}

plugin = ResourcePlugin(
    name="infra-providers",
    group="Machines",
    singular="infra-provider",
    title="infrastructure provider",
    schema=InfraProviderSchema,
    adapter=InfraProviderAdapter(),
    roles={
        "list": READ_WRITE["list"],
        "get": READ_WRITE["get"],
        "create": Role.ADMIN,
        "delete": Role.ADMIN,
    },
    actions=[RENEW],
    example=EXAMPLE,
    description="Programs that make machines for Omni, or manage its bare-metal machines. Each calls Omni with a"
    " service account `infra-provider:{id}` of its own.",
    after_write="Makes the provider and its service account, whose key is returned once: as"
    " `OMNI_SERVICE_ACCOUNT_KEY` it is what the provider's program is started with. If the account cannot be made, the"
    " provider is removed again. A lost answer is repeated for the same `Idempotency-Key`; `renew` gives another key.",
    after_delete="Removes the service account too. Omni refuses it (422) while machines of the provider are there.",
    import_name=__name__,
)
