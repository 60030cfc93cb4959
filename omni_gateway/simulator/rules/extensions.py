"""Rules of ExtensionsConfigurations, and of extension names wherever they are given."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from omni_gateway.simulator import labels
from omni_gateway.simulator.rules import locks
from omni_gateway.simulator.rules.base import RuleContext, Rules
from omni_gateway.simulator.state.resource import Resource

TYPE = "ExtensionsConfigurations.omni.sidero.dev"
_KNOWN = "TalosExtensions.omni.sidero.dev"
_PREFIX = "siderolabs/"
_MOST = 256


def create(ctx: RuleContext, new: Resource) -> Iterator[str]:
    """Check cluster and names; an empty list needs neither."""
    wanted: list[str] = new.spec.get("extensions") or []
    if not wanted:
        return
    name = new.labels.get(labels.CLUSTER, "")
    cluster = ctx.find(locks.CLUSTER, name) if name else None
    if cluster is None:
        yield f"there is no cluster {name!r}" if name else f"the label {labels.CLUSTER} is missing"
        return
    yield from names(ctx, wanted, str(cluster.spec.get("talos_version", "")))


def update(ctx: RuleContext, _: Resource, new: Resource) -> Iterator[str]:
    """Check as at the start."""
    yield from create(ctx, new)


RULES = Rules(TYPE, create, update)


def names(ctx: RuleContext, wanted: Sequence[str], talos_version: str) -> Iterator[str]:
    """Yield the problems of extension names for a Talos version; the vendor's prefix may be left out."""
    if len(wanted) > _MOST:
        yield f"more than {_MOST} extensions"
        return
    known = ctx.find(_KNOWN, talos_version.removeprefix("v"))
    there = {item.get("name") for item in known.spec.get("items", ())} if known is not None else set()
    full = [name if "/" in name else _PREFIX + name for name in wanted]
    for name in sorted({name for name in full if full.count(name) > 1}):
        yield f"the extension {name!r} is given more than once"
    for name in full:
        if name not in there:
            yield f"Talos {talos_version} has no extension {name!r}"
