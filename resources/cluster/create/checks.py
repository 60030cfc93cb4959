"""Checks of a new cluster's machine sets, made before the first write."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from omni_gateway.sdk import FieldErrors, OmniClient, Resource
from omni_gateway.sdk.adapters import Scope, find, resources_of
from omni_gateway.sdk.clusters import cluster_lock, talos_fit
from omni_gateway.sdk.omni import label_names, omni_errors, types
from resources.cluster.create.backups import check_backup
from resources.cluster.create.parts import NewSet, Part, parts_of, sets_of
from resources.cluster.create.record import OF_MACHINES
from resources.cluster.schemas.create import MAX_MACHINES, UNLIMITED

#: Label terms that a machine must match before Omni allocates it for a class.
_ALLOCATABLE = (
    label_names.LABEL_AVAILABLE,
    label_names.LABEL_READY_TO_USE,
    label_names.LABEL_REPORTING_EVENTS,
    f"!{label_names.LABEL_NO_MANUAL_ALLOCATION}",
)


def check_composition(
    omni: OmniClient, scope: Scope, cluster: Resource, extras: Mapping[str, Any], refusals: FieldErrors
) -> None:
    """Add the errors of the sets, their machines, classes and patches to ``refusals``.

    The messages name no cluster out of ``scope``.
    """
    sets = sets_of(cluster.id, extras)
    parts = parts_of(cluster.id, extras)
    if sum(len(new.machines) for new in sets) > MAX_MACHINES:
        refusals.add("workers", f"At most {MAX_MACHINES} machines in one request; add the others later.")
        return
    if sets and not extras.get("control_plane"):
        refusals.add("control_plane", "Missing: workers need a control plane.")
    named = {machine for new in sets for machine in new.machines}
    for number, machine in enumerate(extras.get("machines") or ()):
        if machine["id"] not in named:
            refusals.add(f"machines.{number}.id", f"None of the sets names machine {machine['id']!r}.")
    if parts and cluster_lock.takes_no_change(cluster):
        refusals.add("annotations", "A locked cluster takes no machine sets: lock it after they are created.")
    _check_distinct(parts, refusals)
    _check_ids_free(omni, scope, parts, refusals)
    _check_patches(omni, parts, refusals)
    if sets:
        fit = talos_fit.TalosFit.of(omni, cluster.spec.get("talos_version", ""))
        for new in sets:
            _check_machines(omni, scope, new, fit, refusals)
        _check_classes(omni, sets, fit, refusals)
    if (extras.get("control_plane") or {}).get("bootstrap_spec"):
        check_backup(omni, extras["control_plane"]["bootstrap_spec"], "control_plane.bootstrap_spec", refusals)


def _check_distinct(parts: Sequence[Part], refusals: FieldErrors) -> None:
    first: dict[tuple[str, str], str] = {}
    for part in parts:
        key = (part.resource.type, part.resource.id)
        if key in first:
            refusals.add(part.field, f"Named twice: {part.resource.id!r} is in {first[key]} already.")
        first.setdefault(key, part.field)


def _check_ids_free(omni: OmniClient, scope: Scope, parts: Iterable[Part], refusals: FieldErrors) -> None:
    for part in parts:
        if part.resource.type in OF_MACHINES:
            continue
        taken = find(omni, part.resource.type, part.resource.id)
        if taken is None:
            continue
        if part.resource.type == types.MACHINE_SET_NODES:
            owner = taken.labels.get(label_names.LABEL_MACHINE_SET) if _in_scope(scope, taken) else None
            text = f": it belongs to {owner!r}." if owner else "."
            refusals.add(part.field, f"Machine {taken.id!r} is not free{text}")
        else:
            refusals.add(part.field, f"{taken.type} {taken.id!r} exists already.")


def _in_scope(scope: Scope, taken: Resource) -> bool:
    return scope.allows(taken.labels.get(label_names.LABEL_CLUSTER, ""))


def _check_patches(omni: OmniClient, parts: Iterable[Part], refusals: FieldErrors) -> None:
    for part in parts:
        if part.resource.type != types.CONFIG_PATCHES:
            continue
        try:
            omni.management.validate_config(part.resource.spec["data"])
        except omni_errors.InvalidArgument as error:
            refusals.add(f"{part.field}.data", error.detail)


def _check_machines(
    omni: OmniClient, scope: Scope, new: NewSet, fit: talos_fit.TalosFit, refusals: FieldErrors
) -> None:
    for number, machine in enumerate(new.machines):
        field = f"{new.field}.machines.{number}"
        status = find(omni, types.MACHINE_STATUSES, machine)
        if status is None:
            refusals.add(field, f"There is no machine {machine!r}.")
        elif cluster := status.spec.get("cluster"):
            text = f": it belongs to cluster {cluster!r}." if scope.allows(cluster) else "."
            refusals.add(field, f"Machine {machine!r} is not free{text}")
        elif refusal := fit.refusal(status):
            refusals.add(field, refusal)


def _check_classes(omni: OmniClient, sets: Sequence[NewSet], fit: talos_fit.TalosFit, refusals: FieldErrors) -> None:
    named = {machine for new in sets for machine in new.machines}
    free: Counter[str] = Counter()
    for new in sets:
        if not new.machine_class:
            continue
        found = find(omni, types.MACHINE_CLASSES, new.machine_class)
        if found is None:
            refusals.add(f"{new.field}.machine_class", f"There is no machine class {new.machine_class!r}.")
            continue
        if found.spec.get("auto_provision"):
            _check_provisioned(new, refusals)
            continue
        if new.machine_class not in free:
            free[new.machine_class] = len(_free_in_class(omni, found, fit) - named)
        _check_enough(new, free, refusals)


def _check_provisioned(new: NewSet, refusals: FieldErrors) -> None:
    if new.options["machine_count"] == UNLIMITED:
        text = f"Class {new.machine_class!r} provisions its machines, so it needs a number."
        refusals.add(f"{new.field}.machine_count", text)


def _check_enough(new: NewSet, free: Counter[str], refusals: FieldErrors) -> None:
    """Check a set's count, and deduct it from its class: several sets may use one class."""
    count = new.options["machine_count"]
    available = max(free[new.machine_class], 0)
    if count != UNLIMITED and count > available:
        text = f"Class {new.machine_class!r} has {available} free machines left, {count} are requested."
        refusals.add(f"{new.field}.machine_count", text)
    if count != UNLIMITED:
        free[new.machine_class] -= count


def _free_in_class(omni: OmniClient, machine_class: Resource, fit: talos_fit.TalosFit) -> set[str]:
    """Return the ids of the free machines that Omni could allocate for a class; its entries are alternatives."""
    selectors = [f"{entry},{','.join(_ALLOCATABLE)}" for entry in machine_class.spec.get("match_labels") or ()]
    if not selectors:
        return set()
    page = omni.resources.list(types.MACHINE_STATUSES, selectors=selectors)
    return {status.id for status in resources_of(page) if fit.refusal(status) is None}
