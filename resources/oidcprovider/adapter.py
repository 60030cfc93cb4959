"""Providers in the gateway's own store, and Omni's own one from its AuthConfigs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from omni_gateway.sdk import Problem, Resource
from omni_gateway.sdk.adapters import StoredResourceAdapter, find
from omni_gateway.sdk.omni import types

OMNIS_OWN = "omni"
_CONFIG = "auth-config"
_NO_PATTERNS: Mapping[str, Any] = {"clusters": None, "clusters_claim": ""}
_FROM_OMNI = {"provider_url": "issuer_url", "client_id": "client_id", "scopes": "scopes", "enabled": "enabled"}


class OIDCProviderAdapter(StoredResourceAdapter):
    """The stored providers; the id ``omni`` is the one in Omni's start-up options, if any."""

    def items(self, filters: Mapping[str, Any]) -> Sequence[Resource]:
        """Return all providers."""
        own = self._omni_provider()
        return [*super().items(filters), *([own] if own else [])]

    def get(self, id: str) -> Resource:
        """Return one provider; ``NotFound`` if there is none."""
        own = self._omni_provider() if id == OMNIS_OWN else None
        return own or super().get(id)

    def check(self, resource: Resource, existing: Resource | None, extras: Mapping[str, Any]) -> None:
        """Derive a missing id from the name; raise 409 if that is in use, and 422 for Omni's id."""
        super().check(resource, existing, extras)
        if resource.spec.get("clusters") is not None and resource.spec.get("clusters_claim"):
            errors = {"clusters": ["Must be null if `clusters_claim` is set: give one of them."]}
            raise Problem(422, "validation", errors=errors)
        if existing is not None:
            return
        resource.spec["source"] = "gateway"
        if not resource.id:
            resource.id = re.sub(r"[^a-z0-9]+", "-", resource.spec["name"].lower()).strip("-")
            if not resource.id:
                raise Problem(422, "validation", errors={"id": ["Is needed: the name has no letter or digit."]})
            if self.store.documents.find(self.collection, resource.id) is not None:
                raise Problem(409, "exists", f"There is a provider {resource.id!r} already; give an id.")
        if resource.id == OMNIS_OWN:
            raise Problem(422, "validation", errors={"id": [f"{OMNIS_OWN!r} stands for Omni's own provider."]})

    def refuse_owned(self, existing: Resource) -> None:
        """Raise 403 for Omni's own provider, which only its start-up options change."""
        if existing.spec["source"] == OMNIS_OWN:
            hint = "It is set by the options with which Omni is started."
            raise Problem(403, "forbidden", "Omni's own provider is read-only.", hint=hint)

    def delete(self, resource: Resource) -> None:
        """Remove a provider; its tokens are not accepted any more."""
        self.refuse_owned(resource)
        super().delete(resource)

    def _resource(self, document: Any) -> Resource:
        resource = super()._resource(document)
        resource.spec = {**_NO_PATTERNS, **resource.spec, "source": "gateway"}
        return resource

    def _omni_provider(self) -> Resource | None:
        """Return Omni's sign-in settings, None without OIDC; only the listed members are copied, never the secret."""
        config = find(self.omni, types.AUTH_CONFIGS, _CONFIG)
        settings = (config.spec.get("oidc") or {}) if config else {}
        if config is None or not settings.get("provider_url"):
            return None
        spec = {name: settings[key] for key, name in _FROM_OMNI.items() if key in settings}
        spec = {
            "enabled": False,
            "scopes": [],
            **_NO_PATTERNS,
            **spec,
            "name": "Omni",
            "source": OMNIS_OWN,
            "role_claim": "role",
            "role_mapping": {},
        }
        return Resource(
            OMNIS_OWN,
            spec,
            namespace=self.namespace,
            type=config.type,
            version=config.version,
            owner="omni",
            created=config.created,
            updated=config.updated,
        )
