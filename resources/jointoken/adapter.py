"""Join tokens under handles: Omni names them by their secret (facts: machine-auth-detail 4.5)."""

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

LONGEST_NAME_BYTES = 16
HANDLE_LENGTH = 32
_SHOWN = 4
#: Members of the token's own spec; the rest of what is shown is its status.
OWN = ("name", "expiration_time", "revoked")


def handle_of(token: str) -> str:
    """Return the name that a token has here: it gives nothing of the secret away."""
    return hashlib.sha256(token.encode()).hexdigest()[:HANDLE_LENGTH]


class JoinTokenAdapter(ResourceAdapter):
    """JoinTokens with their JoinTokenStatuses, in two calls."""

    type = types.JOIN_TOKENS
    authorized_by_omni = True
    sortable = frozenset({"name", "state", "use_count", "expiration_time"})

    def list(self, query: ListQuery) -> Listing:
        """Return the tokens, masked."""
        statuses = {item.id: item for item in resources_of(self.omni.resources.list(types.JOIN_TOKEN_STATUSES))}
        return select((_shown(token, statuses.get(token.id)) for token in self._tokens()), query, self.sortable)

    def get(self, id: str) -> Resource:
        """Return the token of this handle, masked."""
        token = self.secret(id)
        return _shown(token, find(self.omni, types.JOIN_TOKEN_STATUSES, token.id))

    def secret(self, id: str) -> Resource:
        """Return Omni's own object behind a handle: its id is the secret."""
        for token in self._tokens():
            if handle_of(token.id) == id:
                return token
        raise NotFound(id)

    def check(self, resource: Resource, existing: Resource | None, extras: Mapping[str, Any]) -> None:
        """Refuse (422) names that Omni refuses, and what its call for making a token cannot say."""
        refusals = FieldErrors()
        if len(resource.spec["name"].encode()) > LONGEST_NAME_BYTES:
            refusals.add("name", f"Must be at most {LONGEST_NAME_BYTES} bytes.")
        if existing is None:
            for name in ("labels", "annotations"):
                if getattr(resource, name):
                    refusals.add(name, "Can be given to a token that is there: PATCH it.")
            if resource.spec.get("revoked"):
                refusals.add("revoked", "A new token is good; revoke it by actions/revoke.")
        refusals.raise_if_any()

    def create(self, resource: Resource, extras: Mapping[str, Any]) -> Created:
        """Make a token and tell it this once."""
        ends = resource.spec.get("expiration_time")
        expires = datetime.fromisoformat(ends) if ends else None
        token = self.omni.management.create_join_token(resource.spec["name"], expires=expires)
        made = self.get(handle_of(token))
        made.spec["token"] = token
        return made

    def replace(self, resource: Resource) -> None:
        """Write name, expiry and revocation over the token at the version given."""
        token = self.secret(resource.id)
        spec = {name: resource.spec[name] for name in OWN if name in resource.spec}
        written = replace(token, spec=spec, labels=resource.labels, annotations=resource.annotations)
        self.omni.resources.update(written.to_omni(), version=resource.version)

    def check_delete(self, resource: Resource) -> None:
        """Raise 409 for the default token, which Omni keeps."""
        if resource.spec.get("is_default"):
            hint = "POST /api/v1/join-tokens/{id}/actions/make-default on another one first."
            raise Problem(409, "conflict", "The default token cannot be removed.", hint=hint)

    def delete(self, resource: Resource) -> None:
        """Remove the token: a teardown alone would leave it there for ever."""
        self.check_delete(resource)
        self.omni.resources.delete(types.JOIN_TOKENS, self.secret(resource.id).id)

    def _tokens(self) -> Sequence[Resource]:
        return resources_of(self.omni.resources.list(types.JOIN_TOKENS))


class DefaultJoinTokenAdapter(OmniResourceAdapter):
    """The one object that names the default token."""

    ID = "default"

    def __init__(self) -> None:
        super().__init__(types.DEFAULT_JOIN_TOKENS)


def _shown(token: Resource, status: Resource | None) -> Resource:
    said = status.spec if status else {}
    spec = {
        **{name: value for name, value in said.items() if name in ("state", "is_default", "use_count", "warnings")},
        **{name: value for name, value in token.spec.items() if name in OWN},
        "masked_id": token.id[:_SHOWN] + MASK,
    }
    return replace(token, id=handle_of(token.id), spec=spec)
