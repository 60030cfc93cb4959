"""InfraProviders with their InfraProviderCombinedStatuses, and the service account of each."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from omni_gateway.sdk import FieldErrors, Listing, ListQuery, OmniClient, OmniResourceAdapter, Problem, Resource
from omni_gateway.sdk.adapters import Created, OmniSource, View, WatchedType, find, resources_of
from omni_gateway.sdk.omni import OmniError, account_keys, omni_errors, types

ROLE = "InfraProvider"
_ID = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\Z")


class InfraProviderSource(OmniSource):
    """The watch of providers, each joined with its status, which has the same id."""

    def __init__(self, adapter: OmniResourceAdapter, query: ListQuery, id: str) -> None:
        super().__init__(adapter, query, id)
        self.triggers = (*self.triggers, WatchedType(types.INFRA_PROVIDER_COMBINED_STATUSES, id=id))

    def build(self, view: View, id: str) -> Resource | None:
        """Return the provider with its status."""
        provider = super().build(view, id)
        return provider and _joined(provider, view.get(types.INFRA_PROVIDER_COMBINED_STATUSES, id))


class InfraProviderAdapter(OmniResourceAdapter):
    """A provider and its service account, made and removed together; the account goes by the provider's id."""

    other_types = (types.INFRA_PROVIDER_COMBINED_STATUSES,)
    restricted_may_write = False
    cacheable_response = True
    watch_source_class = InfraProviderSource

    def __init__(self) -> None:
        super().__init__(types.INFRA_PROVIDERS)

    def list(self, query: ListQuery) -> Listing:
        """Return a page of providers with their statuses; 2 calls."""
        page = super().list(query)
        listed = resources_of(self.omni.resources.list(types.INFRA_PROVIDER_COMBINED_STATUSES))
        statuses = {status.id: status for status in listed}
        return Listing([_joined(item, statuses.get(item.id)) for item in page.items], page.total)

    def get(self, id: str) -> Resource:
        """Return a provider with its status; 2 calls."""
        return _joined(super().get(id), find(self.omni, types.INFRA_PROVIDER_COMBINED_STATUSES, id))

    def check(self, resource: Resource, existing: Resource | None, extras: Mapping[str, Any]) -> None:
        """Raise 422 for ids and keys that Omni refuses, 409 if an account of this name is left of another provider."""
        refusals = FieldErrors()
        if not _ID.match(resource.id):
            refusals.add("id", "Must be a DNS label (a-z, 0-9, -).")
        account_keys.check(extras, refusals)
        refusals.raise_if_any()
        name = account_keys.provider_of(resource.id)
        if has_account(self.omni, resource.id):
            raise Problem(
                409,
                "exists",
                f"There is a service account {name!r} already, and its keys would be the provider's.",
                hint=f"Choose another name, or remove it: `omnictl serviceaccount destroy {name}`.",
            )

    def additional_objects(self, resource: Resource, extras: Mapping[str, Any]) -> Sequence[Resource]:
        """Return the service account."""
        return [_account_of(resource)]

    def create(self, resource: Resource, extras: Mapping[str, Any]) -> Created:
        """Create the provider, then its account; return the key's value. Without an account, no provider is left."""
        public, value = account_keys.make(account_keys.provider_of(resource.id), extras)
        super().create(resource, extras)
        try:
            register(self.omni, resource.id, public)
        except OmniError:
            # An error of the removal would hide the cause. A provider that stays gets its account by `renew`.
            with suppress(OmniError):
                self.omni.resources.remove(self.type, resource.id, self.namespace)
            raise
        return self.with_key(resource, value)

    def with_key(self, provider: Resource, value: str) -> Resource:
        """Return a provider as it is stored, with the value of its new key unless it is empty.

        A provider that Omni does not return yet is returned as it was sent: the value of the key must not be lost.
        """
        with suppress(OmniError):
            provider = self.get(provider.id)
        return replace(provider, spec={**provider.spec, "key": value}) if value else provider

    def also_deleted(self, resource: Resource, options: Mapping[str, Any]) -> Sequence[Resource]:
        """Return the service account."""
        return [_account_of(resource)] if has_account(self.omni, resource.id) else []

    def delete(self, resource: Resource) -> None:
        """Tear the provider down, which Omni may refuse; then remove its account, and the rest of the provider.

        A removal that was interrupted is completed by another one. Newer Omnis remove the account by themselves.
        """
        with self.forbidden_hint(), suppress(omni_errors.NotFound):
            self.omni.resources.teardown(self.type, resource.id, self.namespace)
        try:
            self.omni.management.destroy_service_account(account_keys.provider_of(resource.id))
        except OmniError:
            if has_account(self.omni, resource.id):
                raise
        super().delete(resource)


def has_account(omni: OmniClient, id: str) -> bool:
    """Return whether a provider has a service account; Omni does not list these, so its identity is looked up."""
    return find(omni, types.IDENTITIES, account_keys.identity_of(account_keys.provider_of(id))) is not None


def register(omni: OmniClient, id: str, public: str) -> None:
    """Create the service account of a provider with its first key."""
    omni.management.create_service_account(account_keys.provider_of(id), public, role=ROLE)


def _account_of(provider: Resource) -> Resource:
    spec = {"role": ROLE}
    return Resource(account_keys.provider_of(provider.id), spec, type=types.SERVICE_ACCOUNT_STATUSES)


def _joined(provider: Resource, status: Resource | None) -> Resource:
    """Return a provider with the status that its program reports; Omni keeps its health in a message of its own."""
    reported = dict(status.spec) if status is not None else {}
    health = reported.pop("health", None) or {}
    return replace(provider, spec={**reported, **health})
