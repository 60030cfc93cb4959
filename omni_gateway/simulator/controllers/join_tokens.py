"""Status of join tokens: state, and the number of machines that joined by each."""

from __future__ import annotations

from datetime import UTC, datetime

from omni_gateway.simulator import kinds
from omni_gateway.simulator.controller_runtime.context import Context, Controller, Spec, always, by_id
from omni_gateway.simulator.state.resource import Resource
from omni_gateway.simulator.state.store import Store

FINALIZER = "JoinTokenStatusController"
_ACTIVE, _REVOKED, _EXPIRED = 1, 2, 3


def _token_of(_: Store, res: Resource) -> tuple[str, ...]:
    return (str(res.spec.get("join_token", "")),)


class JoinTokens(Controller):
    """Key: a token's id, which is the secret itself."""

    name = "JoinTokenStatusController"
    inputs = {kinds.JOIN_TOKEN: by_id, kinds.EMULATED_MACHINE: _token_of, kinds.DEFAULT_JOIN_TOKEN: always("")}

    def reconcile(self, ctx: Context, key: str) -> None:
        """Write the token's status; a token that is torn down loses it, and stays until it is destroyed."""
        if not key:
            for token in ctx.all(kinds.JOIN_TOKEN):
                self.reconcile(ctx, token.id)
            return
        found = ctx.find(kinds.JOIN_TOKEN, key)
        if found is None or found.phase != "running":
            ctx.destroy(kinds.JOIN_TOKEN_STATUS, key)
            if found is not None:
                ctx.release(found, FINALIZER)
            return
        default = ctx.find(kinds.DEFAULT_JOIN_TOKEN, "default")
        spec: Spec = {
            "state": self._state(ctx, found),
            "is_default": default is not None and default.spec.get("token_id") == key,
            "use_count": sum(res.spec["join_token"] == key for res in ctx.all(kinds.EMULATED_MACHINE)),
            "name": found.spec.get("name", ""),
        }
        if found.spec.get("expiration_time"):
            spec["expiration_time"] = found.spec["expiration_time"]
        ctx.write(kinds.JOIN_TOKEN_STATUS, key, spec)

    def _state(self, ctx: Context, token: Resource) -> int:
        if token.spec.get("revoked"):
            return _REVOKED
        expires = token.spec.get("expiration_time")
        if expires:
            left = (datetime.fromisoformat(expires) - datetime.now(UTC)).total_seconds()
            if left <= 0:
                return _EXPIRED
            ctx.after(left * ctx.speed)  # a token's life is measured by the clock on the wall
        return _ACTIVE
