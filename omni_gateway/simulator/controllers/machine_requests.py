"""Machine request sets: creates as many MachineRequests as the set wants. Providers are not simulated."""

from __future__ import annotations

import secrets

from omni_gateway.simulator import kinds, labels
from omni_gateway.simulator.controller_runtime.context import Context, Controller, by_id, by_label
from omni_gateway.simulator.state.resource import Resource

_SUFFIX_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"
_SUFFIX_LENGTH = 6
_COPIED = ("talos_version", "extensions", "kernel_args", "meta_values", "provider_data", "grpc_tunnel")
MAX_REQUESTS = 1000
"""The most requests made for one set."""

FINALIZER = "MachineRequestSetStatusController"


class MachineRequests(Controller):
    """Key: a machine request set's id."""

    name = FINALIZER
    inputs = {
        kinds.MACHINE_REQUEST_SET: by_id,
        kinds.MACHINE_REQUEST: by_label(labels.MACHINE_REQUEST_SET),
    }

    def reconcile(self, ctx: Context, key: str) -> None:
        """Create and remove requests until their number is right; remove all when the set ends."""
        wanted = ctx.find(kinds.MACHINE_REQUEST_SET, key)
        if wanted is None:
            return
        requests = ctx.all(kinds.MACHINE_REQUEST, machine_request_set=key)
        if wanted.phase == "running":
            if FINALIZER not in wanted.finalizers:
                ctx.store.add_finalizer(wanted.key, FINALIZER)
            count = min(int(wanted.spec.get("machine_count") or 0), MAX_REQUESTS)
            self._adjust(ctx, wanted, requests, count)
            return
        for request in requests:
            ctx.teardown(request)
            self._finish(ctx, request)
        if not ctx.all(kinds.MACHINE_REQUEST, machine_request_set=key):
            ctx.release(wanted, FINALIZER)

    def _adjust(self, ctx: Context, wanted: Resource, requests: list[Resource], count: int) -> None:
        alive = [request for request in requests if request.phase == "running"]
        for request in alive[max(count, 0) :]:
            ctx.teardown(request)
        for request in requests:
            self._finish(ctx, request)
        marks = {labels.MACHINE_REQUEST_SET: wanted.id, labels.INFRA_PROVIDER: str(wanted.spec.get("provider_id", ""))}
        spec = {name: wanted.spec[name] for name in _COPIED if wanted.spec.get(name)}
        for _ in range(count - len(alive)):
            suffix = "".join(secrets.choice(_SUFFIX_ALPHABET) for _ in range(_SUFFIX_LENGTH))
            ctx.write(kinds.MACHINE_REQUEST, f"{wanted.id}-{suffix}", spec, marks)

    def _finish(self, ctx: Context, request: Resource) -> None:
        """Remove a request that is torn down once its provider holds it no more."""
        now = ctx.find(kinds.MACHINE_REQUEST, request.id)
        if now is not None and now.phase != "running" and not now.finalizers and now.owner == self.name:
            ctx.destroy(kinds.MACHINE_REQUEST, now.id)
