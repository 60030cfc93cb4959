"""The gateway's own bearer tokens."""

from omni_gateway.sdk import ADMIN_READ_WRITE, ResourcePlugin
from resources.token.adapter import TokenAdapter
from resources.token.schemas import TokenSchema

EXAMPLE = {"name": "deploy-pipeline", "role": "operator", "ttl": "720h", "clusters": ["staging-*"]}

plugin = ResourcePlugin(
    name="auth/tokens",
    group="Identity and access",
    singular="token",
    schema=TokenSchema,
    adapter=TokenAdapter(),
    roles={verb: role for verb, role in ADMIN_READ_WRITE.items() if verb not in ("replace", "patch")},
    example=EXAMPLE,
    description="Bearer tokens of this gateway, in its own store.",
    after_write="The text of the token is returned once; only a hash of it is stored.",
    after_delete="The token is revoked: every replica refuses it within a second or so.",
    import_name=__name__,
)
