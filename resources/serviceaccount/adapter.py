"""Service accounts, by Omni's management calls: the underlying objects cannot be written."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from omni_gateway.sdk import FieldErrors, NotFound, Resource
from omni_gateway.sdk.adapters import CallAdapter, Created
from omni_gateway.sdk.omni import account_keys, types

#: How long to wait until Omni lists a new account or key, and the polling interval, in seconds.
LISTED_SECONDS, POLL_SECONDS = 5.0, 0.05
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\Z")


class ServiceAccountAdapter(CallAdapter):
    """Accounts by their short names; a full identity is accepted too."""

    type = types.SERVICE_ACCOUNT_STATUSES
    namespace = types.SERVICE_ACCOUNT_STATUSES.namespace
    sortable = frozenset({"role", "last_active"})

    def items(self, filters: Mapping[str, Any]) -> Sequence[Resource]:
        """Return every account with its public keys."""
        return [
            Resource(
                account.name,
                {
                    "role": account.role,
                    "roles": [account.role],
                    "created_at": min((text for key in account.keys if (text := _text(key.created))), default=None),
                    "identity": account_keys.identity_of(account.name),
                    "last_active": account.last_active,
                    "public_keys": [
                        {
                            "id": key.id,
                            "expiration": _text(key.expires),
                            "created": _text(key.created),
                            "last_used": _text(key.last_used),
                        }
                        for key in account.keys
                    ],
                },
                type=self.type,
                namespace=self.namespace,
            )
            for account in self.omni.management.list_service_accounts()
        ]

    def canonical(self, id: str) -> str:
        """Return the short name."""
        return account_keys.short_name(id)

    def check(self, resource: Resource, existing: Resource | None, extras: Mapping[str, Any]) -> None:
        """Raise 422 for names, roles and keys that Omni would refuse with ``Unknown``."""
        super().check(resource, existing, extras)
        refusals = FieldErrors()
        if resource.id.startswith(account_keys.PROVIDER) or resource.spec.get("role") == "InfraProvider":
            # Omni lists no accounts of providers, so here one could not be read or removed again.
            refusals.add("role", "POST /api/v1/infra-providers makes a provider and its account.")
        elif not _NAME.match(resource.id):
            refusals.add("id", "Must be a DNS label (a-z, 0-9, -).")
        account_keys.check(extras, refusals)
        refusals.raise_if_any()

    def create(self, resource: Resource, extras: Mapping[str, Any]) -> Created:
        """Register the account with its first key and return the key's value, which is not stored."""
        public, value = account_keys.make(resource.id, extras)
        key = self.omni.management.create_service_account(resource.id, public, role=resource.spec["role"])
        return self.with_key(resource, key, value)

    def delete(self, resource: Resource) -> None:
        """Remove the account; its keys are invalid at once."""
        self.omni.management.destroy_service_account(resource.id)

    def with_key(self, account: Resource, key: str, value: str) -> Resource:
        """Return an account as Omni lists it, with the value of its new key ``key`` unless it is empty.

        Omni lists an account, and a new key, a moment after the call. If that takes too long, the account is returned
        as it was sent: the value of the key must not be lost.
        """
        result = self._listed(account.id, key)
        if result is None:
            spec = {**account.spec, "identity": account_keys.identity_of(account.id)}
            result = Resource(account.id, spec, type=self.type, namespace=self.namespace)
        if value:
            result.spec["key"] = value
        return result

    def _listed(self, name: str, key: str) -> Resource | None:
        deadline = time.monotonic() + LISTED_SECONDS
        while True:
            with suppress(NotFound):
                account = self.get(name)
                if key in [item["id"] for item in account.spec["public_keys"]]:
                    return account
            if time.monotonic() > deadline:
                return None
            time.sleep(POLL_SECONDS)


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat().replace("+00:00", "Z") if moment else None
