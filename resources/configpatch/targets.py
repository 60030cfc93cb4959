"""The target of a patch: the cluster, machine set or machine named by its labels, which Omni does not check.

A patch for a cluster that does not exist would have no effect, so the labels are checked before a write.
"""

from __future__ import annotations

from collections.abc import Sequence

from marshmallow import fields, validate

from omni_gateway.sdk import (
    Filter,
    ListQuery,
    OmniClient,
    Problem,
    Resource,
)
from omni_gateway.sdk.adapters import label_filter, object_url
from omni_gateway.sdk.omni import label_names, omni_errors, types

FILTERS = (
    label_filter(
        "cluster", label_names.LABEL_CLUSTER, "Only patches of this cluster, its machine sets and its machines"
    ),
    label_filter("machineset", label_names.LABEL_MACHINE_SET, "Only patches of this machine set"),
    Filter(
        "machine",
        "Only patches of this one machine, by either of the labels `cluster-machine` and `machine`",
        field=fields.String(validate=validate.Regexp(r"[^\s,()=!<>]{1,1024}\Z", error="Must be a machine's id.")),
        names_machine=True,
    ),
)


def selectors(query: ListQuery) -> Sequence[str]:
    """Return the label queries of a list; Omni returns objects that match any of them.

    A machine is named by one of two labels, so a query for one becomes two.
    """
    base = query.selector.to_omni() if query.selector else ""
    machine = query.filters.get("machine")
    if machine is None:
        return [base] if base else []
    terms = (f"{label} = {machine}" for label in (label_names.LABEL_CLUSTER_MACHINE, label_names.LABEL_MACHINE))
    return [f"{base},{term}" if base else term for term in terms]


def check_labels(omni: OmniClient, patch: Resource, existing: Resource | None) -> None:
    """Raise 422, by label, for labels that would leave a patch without effect, or that only Omni may set."""
    before = existing.labels if existing else {}
    errors: dict[str, list[str]] = {}
    if label_names.LABEL_SYSTEM_PATCH in patch.labels and label_names.LABEL_SYSTEM_PATCH not in before:
        errors[_field(label_names.LABEL_SYSTEM_PATCH)] = [
            "Marks patches that Omni creates itself; yours cannot have it."
        ]
    for label, type, must_exist in (
        (label_names.LABEL_CLUSTER, types.CLUSTERS, True),
        (label_names.LABEL_MACHINE_SET, types.MACHINE_SETS, False),
    ):
        if label in patch.labels and patch.labels[label] != before.get(label):
            text = _wrong_target(omni, type, patch.labels[label], must_exist=must_exist, new=existing is None)
            if text:
                errors[_field(label)] = [text]
    if errors:
        raise Problem(422, "validation", errors=errors)


def _wrong_target(omni: OmniClient, type: str, id: str, *, must_exist: bool, new: bool) -> str | None:
    """Return the error of a label's target; None if there is none.

    A machine set may be created after its patches, a cluster must exist before. Omni accepts no new patches for either
    while it is being removed.
    """
    what = "cluster" if type == types.CLUSTERS else "machine set"
    try:
        target = Resource.from_omni(omni.resources.get(type, id)) if id else None
    except omni_errors.NotFound:
        target = None
    if target is None:
        return f"There is no {what} {id!r}." if must_exist else None
    return f"The {what} {id!r} is being removed." if new and target.tearing_down else None


def _field(label: str) -> str:
    return f"labels.{label}"


def machine_link(patch: Resource) -> str | None:
    """Link to the one machine that a patch is for, whichever label names it."""
    id = patch.labels.get(label_names.LABEL_CLUSTER_MACHINE) or patch.labels.get(label_names.LABEL_MACHINE)
    return object_url("machines", id) if id else None
