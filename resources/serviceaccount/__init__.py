"""Service accounts: identities of scripts, CI jobs and infrastructure providers in Omni."""

from omni_gateway.sdk import ADMIN_READ_WRITE, ResourcePlugin
from resources.serviceaccount.adapter import ServiceAccountAdapter
from resources.serviceaccount.renew import RENEW
from resources.serviceaccount.schemas import ServiceAccountSchema

EXAMPLE = {"id": "automation", "role": "Operator", "ttl": "720h"}

plugin = ResourcePlugin(
    name="auth/service-accounts",
    group="Identity and access",
    singular="service-account",
    schema=ServiceAccountSchema,
    adapter=ServiceAccountAdapter(),
    roles={verb: role for verb, role in ADMIN_READ_WRITE.items() if verb not in ("replace", "patch")},
    actions=[RENEW],
    example=EXAMPLE,
    description="Identities of scripts, CI jobs and infrastructure providers in Omni.",
    after_write="The gateway creates the key pair and returns the private half once; a caller may send a public"
    " key of its own instead. A lost answer is repeated for the same `Idempotency-Key`; an account"
    " whose key is lost gets another one by `renew`.",
    after_delete="Omni no longer accepts the account's keys.",
    import_name=__name__,
)
