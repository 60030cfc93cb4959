"""Rules of InfraProviders, and of asking one for machines."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .. import labels
from ..resource import Resource
from .base import RuleContext, Rules

NAMESPACE = "infra-provider"
_STATUS = "InfraProviderStatuses.omni.sidero.dev"
_STATIC = labels.PREFIX + "is-static-infra-provider"
_DNS_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


def create(_: RuleContext, new: Resource) -> Iterator[str]:
    """Check the id."""
    if not _DNS_LABEL.fullmatch(new.id):
        yield "the id of an infra provider must be a DNS label"


RULES = Rules("InfraProviders.omni.sidero.dev", create)


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
