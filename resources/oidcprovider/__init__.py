"""The OpenID Connect providers whose tokens the gateway accepts, and the one by which Omni's users sign in."""

from omni_gateway.sdk import READ, ResourcePlugin, Role
from resources.oidcprovider.adapter import OIDCProviderAdapter
from resources.oidcprovider.check import TEST
from resources.oidcprovider.schemas import OIDCProviderSchema

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
    group="Identity and access",
    singular="oidc-provider",
    title="OIDC provider",
    schema=OIDCProviderSchema,
    adapter=OIDCProviderAdapter(
        "oidc/providers",
        sortable=frozenset({"name", "issuer_url", "enabled"}),
        max_objects=1000,  # each worker holds all of them in memory, to look tokens up
    ),
    roles={**READ, **dict.fromkeys(("create", "replace", "patch", "delete"), Role.ADMIN)},
    actions=[TEST],
    example=EXAMPLE,
    description="OpenID Connect providers whose tokens this gateway accepts, in its own store. Omni's own one is"
    " in the list, read-only.",
    after_write="`actions/test` checks whether the provider's tokens can be verified.",
    after_delete="Tokens of the provider are no longer accepted.",
    import_name=__name__,
)
