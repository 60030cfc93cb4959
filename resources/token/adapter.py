"""Tokens in the gateway's own store; a revoked one is not there any more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from omni_gateway.sdk import FieldErrors, NotFound, Resource
from omni_gateway.sdk.adapters import CallAdapter, Created, StaleVersion

_SHORTEST = timedelta(minutes=1)
_LONGEST = timedelta(days=3650)


class TokenAdapter(CallAdapter):
    """Make, list and revoke tokens."""

    type = "Tokens"
    namespace = "gateway"
    authorized_by_omni = False
    sortable = frozenset({"name", "role", "created_at", "expires_at", "last_used_at"})

    def items(self, filters: Mapping[str, Any]) -> Sequence[Resource]:
        """Return every token that is not revoked."""
        return [_resource(token) for token in self.store.tokens.list()]

    def get(self, id: str) -> Resource:
        """Return one token; :class:`NotFound` for one that is revoked too."""
        token = self.store.tokens.find(id)
        if token is None:
            raise NotFound(id)
        return _resource(token)

    def check(self, resource: Resource, existing: Resource | None, extras: Mapping[str, Any]) -> None:
        """Refuse (422) an id, a life out of bounds, and an admin of some clusters: what takes one is about all."""
        super().check(resource, existing, extras)
        refusals = FieldErrors()
        if resource.id:
            refusals.add("id", "The gateway chooses it.")
        if "ttl" in extras and not _SHORTEST <= _life(extras) <= _LONGEST:
            refusals.add("ttl", "Must be 1m to 87600h (3650 days).")
        if resource.spec.get("clusters") is not None and resource.spec["role"] == "admin":
            refusals.add("role", "A token that is held to some clusters can be reader or operator.")
        refusals.raise_if_any()

    def create(self, resource: Resource, extras: Mapping[str, Any]) -> Created:
        """Make the token and tell its text, which nobody keeps."""
        spec = resource.spec
        life = _life(extras) if "ttl" in extras else None
        token, secret = self.store.tokens.create(spec["name"], spec["role"], life, spec.get("clusters"))
        made = _resource(token)
        made.spec["token"] = secret
        return made

    def delete(self, resource: Resource) -> None:
        """Revoke the token: every worker and replica refuses it within a second or so."""
        if not self.store.tokens.revoke(resource.id):
            raise StaleVersion(resource.id)


def _life(extras: Mapping[str, Any]) -> timedelta:
    return timedelta(seconds=float(extras["ttl"].removesuffix("s")))


def _resource(token: Any) -> Resource:
    """Tell of a token; its text and its hash are not among what is known."""
    spec = {
        "name": token.name,
        "role": token.role,
        "clusters": None if token.clusters is None else list(token.clusters),
        "created_at": _text(token.created),
        "expires_at": _text(token.expires),
        "last_used_at": _text(token.last_used),
    }
    created = _text(token.created)
    return Resource(token.id, spec, namespace=TokenAdapter.namespace, type=TokenAdapter.type, created=created)


def _text(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z") if moment else None
