"""The system extensions of a single machine: an ExtensionsConfiguration for it alone.

Omni rebuilds the machine's image with them and upgrades the machine to it. The most specific configuration replaces the
others: an empty list means no extensions; without a list the machine set and the cluster decide.
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

_MAX_NAMED = 12

#: The publisher of an extension whose name has none.
_PREFIX = "siderolabs/"


def check_names(omni: OmniClient, existing: Machine, wanted: Resource, refusals: FieldErrors) -> None:
    """Add to ``refusals`` the names given twice, or not available for the cluster's Talos version."""
    listed = wanted.spec.get("extensions")
    if not existing.cluster or not listed or listed == existing.spec.get("extensions"):
        return
    full = [full_name(name) for name in listed]
    known = _known(omni, existing.cluster)
    seen = Counter[str]()
    for position, name in enumerate(full):
        seen[name] += 1
        if seen[name] == 2:
            refusals.add(f"extensions.{position}", f"{name!r} is listed twice.")
        if known is not None and name not in known:
            offered = ", ".join(sorted(known)[:_MAX_NAMED])
            text = f"The cluster's Talos version has no extension {name!r}; it has {offered} and others."
            refusals.add(f"extensions.{position}", text)


def _known(omni: OmniClient, cluster: str) -> frozenset[str] | None:
    """Return the extensions of the cluster's Talos version; None if Omni has no list of them."""
    found = find(omni, types.CLUSTERS, cluster)
    version = found.spec.get("talos_version", "") if found else ""
    catalogue = find(omni, types.TALOS_EXTENSIONS, version) if version else None
    if catalogue is None:
        return None
    return frozenset(item["name"] for item in catalogue.spec.get("items") or [])


def full_name(name: str) -> str:
    """Return an extension's full name, ``<publisher>/<name>``; the default publisher may be left out."""
    return name if "/" in name else _PREFIX + name


def check_state(existing: Machine, wanted: Resource) -> None:
    """Raise 409 for a machine in no cluster, and 403 if a controller of Omni owns its list."""
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
    """Create, update or remove the machine's own list; raises the stale-version error after a concurrent write."""
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
        existing = find(omni, types.EXTENSIONS_CONFIGURATIONS, id)
        if existing is None or existing.tearing_down:
            raise Problem(409, "conflict", f"{id!r} is still being removed.", hint="Try again.") from None
        body = replace(existing, spec={"extensions": listed}, labels=labels).to_omni()
        omni.resources.update(body, version=existing.version)
