"""Tokens in the gateway's own store; a revoked one is deleted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from omni_gateway.sdk import FieldErrors, NotFound, Resource
from omni_gateway.sdk.adapters import CallAdapter, Created, StaleVersion

_MIN_LIFE = timedelta(minutes=1)
_MAX_LIFE = timedelta(days=3650)


class TokenAdapter(CallAdapter):
    """Create, list and revoke tokens."""

    type = "Tokens"
    namespace = "gateway"
    authorized_by_omni = False
    sortable = frozenset({"name", "role", "created_at", "expires_at", "last_used_at"})

    def items(self, filters: Mapping[str, Any]) -> Sequence[Resource]:
        """Return every token that is not revoked."""
        return [_resource(token) for token in self.store.tokens.list()]

    def get(self, id: str) -> Resource:
        """Return one token; raises :class:`NotFound`, also for a revoked one."""
        token = self.store.tokens.find(id)
        if token is None:
            raise NotFound(id)
        return _resource(token)

    def check(self, resource: Resource, existing: Resource | None, extras: Mapping[str, Any]) -> None:
        """Raise 422 for an id, a lifetime out of bounds, and an admin of some clusters: admin actions concern all."""
        super().check(resource, existing, extras)
        refusals = FieldErrors()
        if resource.id:
            refusals.add("id", "The gateway chooses it.")
        if "ttl" in extras and not _MIN_LIFE <= _life(extras) <= _MAX_LIFE:
            refusals.add("ttl", "Must be 1m to 87600h (3650 days).")
        if resource.spec.get("clusters") is not None and resource.spec["role"] == "admin":
            refusals.add("role", "A token restricted to some clusters can be reader or operator.")
        refusals.raise_if_any()

    def create(self, resource: Resource, extras: Mapping[str, Any]) -> Created:
        """Create the token and return its text, of which only a hash is stored."""
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
    """Return a token as a resource, without its text and hash."""
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
