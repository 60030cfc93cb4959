"""Rules of MachineRequestSets."""

from __future__ import annotations

from collections.abc import Iterator

from omni_gateway.simulator.rules.base import RuleContext, Rules
from omni_gateway.simulator.rules.clusters import TALOS_VERSION
from omni_gateway.simulator.rules.extensions import names
from omni_gateway.simulator.rules.infraproviders import known_provider
from omni_gateway.simulator.rules.kernelargs import arguments
from omni_gateway.simulator.state.resource import Resource


def create(ctx: RuleContext, new: Resource) -> Iterator[str]:
    """Check provider, version, extensions and kernel arguments."""
    yield from known_provider(ctx, new.spec.get("provider_id", ""))
    yield from _contents(ctx, new)


def update(ctx: RuleContext, old: Resource, new: Resource) -> Iterator[str]:
    """Check version, extensions and kernel arguments; the provider only when its data changes."""
    if old.spec.get("provider_data") != new.spec.get("provider_data"):
        yield from known_provider(ctx, new.spec.get("provider_id", ""))
    yield from _contents(ctx, new)


RULES = Rules("MachineRequestSets.omni.sidero.dev", create, update)


def _contents(ctx: RuleContext, new: Resource) -> Iterator[str]:
    version = new.spec.get("talos_version", "")
    known = ctx.find(TALOS_VERSION, version)
    if known is None:
        yield f"there is no Talos version {version!r}"
    elif known.spec.get("deprecated") or known.spec.get("unsupported"):
        yield f"the Talos version {version} is not supported any more"
    else:
        yield from names(ctx, new.spec.get("extensions") or [], version)
    yield from arguments(new.spec.get("kernel_args") or [])
