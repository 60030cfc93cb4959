"""Join tokens under handles: in Omni a token's id is its secret, which must not be in URLs and logs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from omni_gateway.sdk import (
    FieldErrors,
    Listing,
    ListQuery,
    NotFound,
    OmniResourceAdapter,
    Problem,
    Resource,
    ResourceAdapter,
)
from omni_gateway.sdk.adapters import (
    Created,
    find,
    resources_of,
    select,
)
from omni_gateway.sdk.omni import types
from omni_gateway.sdk.redaction import MASK

MAX_NAME_BYTES = 16
HANDLE_LENGTH = 32
_SHOWN = 4
#: Fields of the token's own spec; the other rendered fields are its status.
OWN = ("name", "expiration_time", "revoked")


def handle_of(token: str) -> str:
    """Return the handle of a token, a part of its SHA-256, from which the secret cannot be derived."""
    return hashlib.sha256(token.encode()).hexdigest()[:HANDLE_LENGTH]


class JoinTokenAdapter(ResourceAdapter):
    """JoinTokens with their JoinTokenStatuses; 2 calls."""

    type = types.JOIN_TOKENS
    authorized_by_omni = True
    distinguishes_zero_from_unset = False
    sortable = frozenset({"name", "state", "use_count", "expiration_time"})

    def list(self, query: ListQuery) -> Listing:
        """Return the tokens, masked."""
        statuses = {item.id: item for item in resources_of(self.omni.resources.list(types.JOIN_TOKEN_STATUSES))}
        return select((_shown(token, statuses.get(token.id)) for token in self._tokens()), query, self.sortable)

    def get(self, id: str) -> Resource:
        """Return the token of this handle, masked; ``NotFound`` if there is none."""
        return self._with_status(self.secret(id))

    def secret(self, id: str) -> Resource:
        """Return Omni's own object of a handle, whose id is the secret; ``NotFound`` if there is none."""
        for token in self._tokens():
            if handle_of(token.id) == id:
                return token
        raise NotFound(id)

    def check(self, resource: Resource, existing: Resource | None, extras: Mapping[str, Any]) -> None:
        """Raise 422 for names that Omni refuses, and for fields that its call to create a token does not have."""
        refusals = FieldErrors()
        if len(resource.spec["name"].encode()) > MAX_NAME_BYTES:
            refusals.add("name", f"Must be at most {MAX_NAME_BYTES} bytes.")
        if existing is None:
            for name in ("labels", "annotations"):
                if getattr(resource, name):
                    refusals.add(name, "Cannot be set on creation: PATCH the token afterwards.")
            if resource.spec.get("revoked"):
                refusals.add("revoked", "A new token is valid; revoke it by actions/revoke.")
        refusals.raise_if_any()

    def create(self, resource: Resource, extras: Mapping[str, Any]) -> Created:
        """Create a token and return it with its secret, this one time."""
        ends = resource.spec.get("expiration_time")
        expires = datetime.fromisoformat(ends) if ends else None
        id = self.omni.management.create_join_token(resource.spec["name"], expires=expires)
        # Read by its id, not from the list: the cache is told which object there is now, and shows it from then on.
        token = find(self.omni, types.JOIN_TOKENS, id)
        if token is None:
            raise NotFound(handle_of(id))
        made = self._with_status(token)
        made.spec["token"] = id
        return made

    def replace(self, resource: Resource) -> None:
        """Update name, expiry and revocation at the given version."""
        token = self.secret(resource.id)
        spec = {name: resource.spec[name] for name in OWN if name in resource.spec}
        written = replace(token, spec=spec, labels=resource.labels, annotations=resource.annotations)
        self.omni.resources.update(written.to_omni(), version=resource.version)

    def check_delete(self, resource: Resource) -> None:
        """Raise 409 for the default token, which Omni does not remove."""
        if resource.spec.get("is_default"):
            hint = "POST /api/v1/join-tokens/{id}/actions/make-default on another one first."
            raise Problem(409, "conflict", "The default token cannot be removed.", hint=hint)

    def delete(self, resource: Resource) -> None:
        """Destroy the token: nothing in Omni destroys one that is only torn down."""
        self.check_delete(resource)
        self.omni.resources.delete(types.JOIN_TOKENS, self.secret(resource.id).id)

    def _with_status(self, token: Resource) -> Resource:
        return _shown(token, find(self.omni, types.JOIN_TOKEN_STATUSES, token.id))

    def _tokens(self) -> Sequence[Resource]:
        return resources_of(self.omni.resources.list(types.JOIN_TOKENS))


class DefaultJoinTokenAdapter(OmniResourceAdapter):
    """The one object that names the default token."""

    ID = "default"

    def __init__(self) -> None:
        super().__init__(types.DEFAULT_JOIN_TOKENS)


def _shown(token: Resource, status: Resource | None) -> Resource:
    status_spec = status.spec if status else {}
    spec = {
        **{
            name: value
            for name, value in status_spec.items()
            if name in ("state", "is_default", "use_count", "warnings")
        },
        **{name: value for name, value in token.spec.items() if name in OWN},
        "masked_id": token.id[:_SHOWN] + MASK,
    }
    return replace(token, id=handle_of(token.id), spec=spec)
