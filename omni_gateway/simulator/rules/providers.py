"""Rules of infra providers and of what is asked of them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .. import labels
from ..resource import Resource
from .base import RuleContext, Rules
from .clusters import TALOS_VERSION
from .extensions import names
from .machines import kernel_args

_NAMESPACE = "infra-provider"
_STATUS = "InfraProviderStatuses.omni.sidero.dev"
_PROVIDER_ID = labels.PREFIX + "infra-provider-id"
_STATIC = labels.PREFIX + "is-static-infra-provider"
_DNS_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


def known_provider(ctx: RuleContext, provider: str) -> Iterator[str]:
    """Yield why machines cannot be asked of a provider."""
    if not provider:
        yield "the id of an infra provider is needed"
        return
    status = ctx.find(_STATUS, provider, _NAMESPACE)
    if status is None:
        yield f"there is no infra provider {provider!r}"
    elif _STATIC in status.labels:
        yield f"the infra provider {provider!r} has the machines that it has, and makes none"


def _request_set_contents(ctx: RuleContext, new: Resource) -> Iterator[str]:
    version = new.spec.get("talos_version", "")
    if ctx.find(TALOS_VERSION, version) is None:
        yield f"there is no Talos version {version!r}"
    else:
        yield from names(ctx, new.spec.get("extensions") or [], version)
    yield from kernel_args(new.spec.get("kernel_args") or [])


def _create_request_set(ctx: RuleContext, new: Resource) -> Iterator[str]:
    yield from known_provider(ctx, new.spec.get("provider_id", ""))
    yield from _request_set_contents(ctx, new)


def _update_request_set(ctx: RuleContext, old: Resource, new: Resource) -> Iterator[str]:
    if old.spec.get("provider_data") != new.spec.get("provider_data"):
        yield from known_provider(ctx, new.spec.get("provider_id", ""))
    yield from _request_set_contents(ctx, new)


def _request(_: RuleContext, new: Resource) -> Iterator[str]:
    if not new.labels.get(_PROVIDER_ID):
        yield f"the label {_PROVIDER_ID} is missing"


def _provider(_: RuleContext, new: Resource) -> Iterator[str]:
    if not _DNS_LABEL.fullmatch(new.id):
        yield "the id of an infra provider must be a DNS label"


REQUEST_SET = Rules("MachineRequestSets.omni.sidero.dev", _create_request_set, _update_request_set)
REQUEST = Rules("MachineRequests.omni.sidero.dev", _request)
PROVIDER = Rules("InfraProviders.omni.sidero.dev", _provider)
