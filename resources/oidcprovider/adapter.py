"""Providers in the gateway's own store, and Omni's own one beside them (facts: machine-auth-side 6, AuthConfigs)."""

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
    """The store's providers; the id ``omni`` is the one that Omni was started with, if it was."""

    def items(self, filters: Mapping[str, Any]) -> Sequence[Resource]:
        """Return all providers."""
        own = self._omnis_own()
        return [*super().items(filters), *([own] if own else [])]

    def get(self, id: str) -> Resource:
        """Return one provider."""
        own = self._omnis_own() if id == OMNIS_OWN else None
        return own or super().get(id)

    def check(self, resource: Resource, existing: Resource | None, extras: Mapping[str, Any]) -> None:
        """Make an id of the name where there is none, and refuse one that is taken (409) or Omni's (422)."""
        super().check(resource, existing, extras)
        if resource.spec.get("clusters") is not None and resource.spec.get("clusters_claim"):
            errors = {"clusters": ["Must be null where `clusters_claim` names a claim: one of them decides."]}
            raise Problem(422, "validation", errors=errors)
        if existing is not None:
            return
        if not resource.id:
            resource.id = re.sub(r"[^a-z0-9]+", "-", resource.spec["name"].lower()).strip("-")
            if not resource.id:
                raise Problem(422, "validation", errors={"id": ["Is needed: the name has no letter or digit."]})
            if self.store.documents.find(self.collection, resource.id) is not None:
                raise Problem(409, "exists", f"There is a provider {resource.id!r} already; give an id.")
        if resource.id == OMNIS_OWN:
            raise Problem(422, "validation", errors={"id": [f"{OMNIS_OWN!r} stands for Omni's own provider."]})

    def refuse_owned(self, existing: Resource) -> None:
        """Refuse (403) to change what only Omni's own start-up options can."""
        if existing.spec["source"] == OMNIS_OWN:
            hint = "It is set by the options with which Omni is started."
            raise Problem(403, "forbidden", "Omni's own provider is read-only.", hint=hint)

    def delete(self, resource: Resource) -> None:
        """Remove a provider; its tokens count no more."""
        self.refuse_owned(resource)
        super().delete(resource)

    def _resource(self, document: Any) -> Resource:
        resource = super()._resource(document)
        resource.spec = {**_NO_PATTERNS, **resource.spec, "source": "gateway"}
        return resource

    def _omnis_own(self) -> Resource | None:
        """Read Omni's sign-in settings; only the members named here leave this function, never the secret."""
        config = find(self.omni, types.AUTH_CONFIGS, _CONFIG)
        said = (config.spec.get("oidc") or {}) if config else {}
        if config is None or not said.get("provider_url"):
            return None
        spec = {name: said[key] for key, name in _FROM_OMNI.items() if key in said}
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
