"""The removal of a patch, for the rare one that a finalizer holds."""

from __future__ import annotations

from omni_gateway.sdk import OmniClient, Operation, OperationKind, Problem, Resource, object_url, omni_errors
from resources.configpatch import names

KIND = "configpatch-destroy"


def read_destroy(omni: OmniClient, id: str) -> Operation:
    """Tell how far the removal is; a patch that nobody is removing has no such operation (404)."""
    target = object_url("configpatches", id)
    try:
        patch = Resource.from_omni(omni.resources.get(names.CONFIG_PATCHES, id))
    except omni_errors.NotFound:
        return Operation(KIND, id, "succeeded", "There is no such patch (any more).", target=target)
    if not patch.tearing_down:
        raise Problem(404, "not-found", f"Nobody is removing configuration patch {id!r}.")
    progress = f"Held by {', '.join(sorted(patch.finalizers)) or 'nobody'}."
    return Operation(KIND, id, "running", progress, target=target, details={"finalizers": list(patch.finalizers)})


DESTROY = OperationKind(KIND, read_destroy, "A configuration patch being removed; `succeeded` when it is not there")
