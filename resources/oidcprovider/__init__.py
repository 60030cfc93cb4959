"""The OpenID Connect providers whose tokens count here, and the one that Omni itself signs its users in with."""

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
    description="OpenID Connect providers, kept by the gateway itself; Omni's own one is in the list, read-only.",
    import_name=__name__,
)

plugin.action(
    "test",
    role=Role.ADMIN,
    summary="Try a provider: discovery, key set, keys",
    answers=ProviderTestSchema,
    description="Fetches the provider's documents past every cache, by the rules that hold when its tokens come, and"
    " answers 200 whether they serve or not. Nothing is written, so `dry_run` changes nothing.",
)(test_provider)
