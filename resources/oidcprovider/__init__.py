"""The OpenID Connect providers whose tokens the gateway accepts, and the one by which Omni's users sign in."""

from omni_gateway.sdk import READ, ResourcePlugin, Role
from resources.oidcprovider.adapter import OIDCProviderAdapter
from resources.oidcprovider.check import test_provider
from resources.oidcprovider.schemas import OIDCProviderSchema, ProviderTestSchema

EXAMPLE = {
    "id": "corporate",
    "name": "Corporate sign-in",
    "issuer_url": "https://login.example.com",
    "client_id": "omni-gateway",
    "role_claim": "groups",
    "role_mapping": {"platform-admins": "admin", "developers": "reader"},
}

plugin = ResourcePlugin(
    name="oidc/providers",
    singular="oidc-provider",
    schema=OIDCProviderSchema,
    adapter=OIDCProviderAdapter("oidc/providers", sortable=frozenset({"name", "issuer_url", "enabled"})),
    roles={**READ, **dict.fromkeys(("create", "replace", "patch", "delete"), Role.ADMIN)},
    example=EXAMPLE,
    description="OpenID Connect providers, stored by the gateway itself; Omni's own one is in the list, read-only.",
    import_name=__name__,
)

plugin.action(
    "test",
    role=Role.ADMIN,
    summary="Test a provider: discovery, key set, keys",
    answers=ProviderTestSchema,
    description="Fetches the provider's documents without caches, by the same rules as for its tokens, and"
    " answers 200 whether they are valid or not. Nothing is written, so `dry_run` changes nothing.",
)(test_provider)
