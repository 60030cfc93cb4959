"""The system extensions that one machine is told to have: an ExtensionsConfiguration for it alone.

Omni rebuilds the machine's image and upgrades the machine to it (facts: machine-auth-side 3). The most specific
configuration wins entirely, so an empty list means no extensions, and none at all leaves it to set and cluster.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from omni_gateway.sdk import (
    FieldErrors,
    OmniClient,
    Problem,
    Resource,
)
from omni_gateway.sdk.adapters import find
from omni_gateway.sdk.omni import label_names, omni_errors, types
from resources.machine.join import Machine

_NAMED_AT_MOST = 12

#: Whose extensions are meant when no publisher is named.
_PREFIX = "siderolabs/"


def check_names(omni: OmniClient, existing: Machine, wanted: Resource, refusals: FieldErrors) -> None:
    """Note names that are given twice, or that the cluster's Talos version does not have."""
    listed = wanted.spec.get("extensions")
    if not existing.cluster or not listed or listed == existing.spec.get("extensions"):
        return
    full = [full_name(name) for name in listed]
    known = _known(omni, existing.cluster)
    seen = Counter[str]()
    for position, name in enumerate(full):
        seen[name] += 1
        if seen[name] == 2:
            refusals.add(f"extensions.{position}", f"{name!r} is there twice.")
        if known is not None and name not in known:
            offered = ", ".join(sorted(known)[:_NAMED_AT_MOST])
            text = f"The cluster's Talos version has no extension {name!r}; it has {offered} and others."
            refusals.add(f"extensions.{position}", text)


def _known(omni: OmniClient, cluster: str) -> frozenset[str] | None:
    """Return the extensions of the cluster's Talos version; None when Omni has no list of them."""
    found = find(omni, types.CLUSTERS, cluster)
    version = found.spec.get("talos_version", "") if found else ""
    catalogue = find(omni, types.TALOS_EXTENSIONS, version) if version else None
    if catalogue is None:
        return None
    return frozenset(item["name"] for item in catalogue.spec.get("items") or [])


def full_name(name: str) -> str:
    """Return an extension's full name; Omni lets the usual publisher be left out."""
    return name if "/" in name else _PREFIX + name


def check_state(existing: Machine, wanted: Resource) -> None:
    """Raise 409 where there is nothing that extensions could be asked of."""
    if wanted.spec.get("extensions") == existing.spec.get("extensions"):
        return
    if not existing.cluster:
        raise Problem(
            409,
            "conflict",
            f"Machine {existing.id!r} is in no cluster; it runs with the extensions of the image it was booted from.",
            hint="Boot it from an installation medium with these extensions, or put it into a cluster first.",
        )
    if existing.own_extensions is None:
        return
    if existing.own_extensions.owner:
        owner = existing.own_extensions.owner
        raise Problem(403, "omni-forbidden", f"Omni's {owner} owns this machine's list of extensions.")


def write(omni: OmniClient, wanted: Machine) -> None:
    """Make, change or remove the machine's own list; the stale-version error when somebody else wrote meanwhile."""
    own = wanted.own_extensions
    listed = wanted.spec.get("extensions")
    if listed == (own.spec.get("extensions") or [] if own else None):
        return
    if listed is None and own is not None:
        omni.resources.remove(types.EXTENSIONS_CONFIGURATIONS, own.id)
    elif own is not None:
        body = replace(own, spec={**own.spec, "extensions": _full(listed)}).to_omni()
        omni.resources.update(body, version=own.version)
    else:
        _create(omni, wanted, _full(listed))


def _full(listed: Sequence[str] | None) -> list[str]:
    return [full_name(name) for name in listed or ()]


def _create(omni: OmniClient, wanted: Machine, listed: list[str]) -> None:
    id = f"{wanted.id}-extensions"
    labels = {label_names.LABEL_CLUSTER: wanted.cluster, label_names.LABEL_CLUSTER_MACHINE: wanted.id}
    try:
        omni.resources.create(types.EXTENSIONS_CONFIGURATIONS, id, {"extensions": listed}, labels=labels)
    except omni_errors.AlreadyExists:
        left = find(omni, types.EXTENSIONS_CONFIGURATIONS, id)
        if left is None or left.tearing_down:
            raise Problem(409, "conflict", f"{id!r} is still being removed.", hint="Try again.") from None
        body = replace(left, spec={"extensions": listed}, labels=labels).to_omni()
        omni.resources.update(body, version=left.version)
