"""Rules of InfraProviders, and of asking one for machines."""

from __future__ import annotations

import re
from collections.abc import Iterator

from omni_gateway.simulator import labels
from omni_gateway.simulator.rules.base import RuleContext, Rules
from omni_gateway.simulator.state.resource import Resource

NAMESPACE = "infra-provider"
_STATUS = "InfraProviderStatuses.omni.sidero.dev"
_MACHINE = "Machines.omni.sidero.dev"
_OF_PROVIDER = labels.PREFIX + "infra-provider-id"
_STATIC = labels.PREFIX + "is-static-infra-provider"
_DNS_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


def create(_: RuleContext, new: Resource) -> Iterator[str]:
    """Check the id."""
    if not _DNS_LABEL.fullmatch(new.id):
        yield "the id of an infra provider must be a DNS label"


def destroy(ctx: RuleContext, old: Resource) -> Iterator[str]:
    """A provider stays while it has machines."""
    has = [res.id for res in ctx.all(_MACHINE) if res.labels.get(_OF_PROVIDER) == old.id and res.phase == "running"]
    if has:
        yield f"the infra provider {old.id!r} has {len(has)} machines: {', '.join(has[:10])}"


RULES = Rules("InfraProviders.omni.sidero.dev", create, destroy=destroy)


def known_provider(ctx: RuleContext, provider: str) -> Iterator[str]:
    """Yield why machines cannot be asked of a provider."""
    if not provider:
        yield "the id of an infra provider is needed"
        return
    status = ctx.find(_STATUS, provider, NAMESPACE)
    if status is None:
        yield f"there is no infra provider {provider!r}"
    elif _STATIC in status.labels:
        yield f"the infra provider {provider!r} has the machines that it has, and makes none"
