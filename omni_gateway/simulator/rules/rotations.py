"""Rules of RotateTalosCAs and RotateKubernetesCAs, which have the same."""

from __future__ import annotations

from collections.abc import Iterator

from omni_gateway.simulator.rules.base import RuleContext, Rules
from omni_gateway.simulator.state.resource import Resource

_STATUS = "ClusterSecretsRotationStatuses.omni.sidero.dev"


def update(ctx: RuleContext, old: Resource, _: Resource) -> Iterator[str]:
    """No second rotation while one is under way; the cluster need not exist."""
    yield from destroy(ctx, old)


def destroy(ctx: RuleContext, old: Resource) -> Iterator[str]:
    """Refuse the removal while the rotation runs."""
    status = ctx.find(_STATUS, old.id)
    if status is not None and status.spec.get("phase"):
        yield "a rotation is under way"


TALOS = Rules("RotateTalosCAs.omni.sidero.dev", update=update, destroy=destroy)
KUBERNETES = Rules("RotateKubernetesCAs.omni.sidero.dev", update=update, destroy=destroy)
