"""Which versions a cluster may be upgraded to."""

from __future__ import annotations

from omni_gateway.simulator import kinds
from omni_gateway.simulator.controller_runtime.context import Context
from omni_gateway.simulator.controllers.membership import minor, version_key


def kubernetes_candidates(ctx: Context, talos: str, current: str) -> list[str]:
    """Return the Kubernetes versions that a cluster may go to: patches of its minor, and the next minor."""
    known = ctx.find(kinds.TALOS_VERSION, talos)
    compatible = known.spec.get("compatible_kubernetes_versions", []) if known else []
    major, middle = minor(current)
    allowed = ((major, middle), (major, middle + 1))
    return sorted((v for v in compatible if v != current and minor(v) in allowed), key=version_key)


def talos_candidates(ctx: Context, current: str, initial: str, kubernetes: str) -> list[str]:
    """Return the Talos versions that a cluster may go to: none below its first minor, all with its Kubernetes."""
    known = ctx.find(kinds.TALOS_VERSION, current)
    found = []
    for version in known.spec.get("upgradable_talos_versions", []) if known else []:
        target = ctx.find(kinds.TALOS_VERSION, version)
        fits = target is not None and kubernetes in target.spec.get("compatible_kubernetes_versions", [])
        if fits and minor(version) >= minor(initial):
            found.append(version)
    return sorted(found, key=version_key)
