"""The upgrade actions: they change a version in the Cluster, and Omni's controllers upgrade the machines to it.

Writing ``last_upgrade_version`` back during an upgrade reverses it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from omni_gateway.sdk import (
    Operation,
    Problem,
    Resource,
    Role,
    SpecSchema,
)
from omni_gateway.sdk.actions import Action, DryRunResult, is_too_early
from omni_gateway.sdk.adapters import change, find, object_url
from omni_gateway.sdk.omni import omni_errors
from resources.cluster import upgrade_operations
from resources.cluster.adapter import ClusterAdapter
from resources.cluster.operations import is_bootstrapped
from resources.cluster.upgrade_operations import KUBERNETES, TALOS, Upgrade
from resources.cluster.versions import Parsed, Version

#: How long an upgrade waits until Omni knows the cluster's current version, and how often it asks, in seconds.
TOO_EARLY_SECONDS = 8.0
LOOK_SECONDS = 0.5
TOO_EARLY_RETRY_SECONDS = 5
#: Code of the problem with which Omni refuses a write, or a dry run predicts that it will.
REFUSED = "refused-by-omni"


class KubernetesUpgradeActionSchema(SpecSchema):
    """The Kubernetes version to upgrade to."""

    version = Version(required=True, metadata={"description": "Kubernetes version, with or without `v`"})


class TalosUpgradeActionSchema(SpecSchema):
    """The Talos version to upgrade to, and optionally a Kubernetes version."""

    version = Version(required=True, metadata={"description": "Talos version, with or without `v`"})
    kubernetes_version = Version(
        metadata={"description": "Upgrade Kubernetes too, where the current one is not compatible with the new Talos"}
    )


def upgrade_kubernetes(
    adapter: ClusterAdapter, id: str, body: Mapping[str, Any], *, dry_run: bool
) -> Operation | DryRunResult:
    """Change a cluster's Kubernetes version after Omni's own checks have passed; 409 if they advise against it."""
    versions = {KUBERNETES.field: body["version"]}
    try:
        planned = _upgrade(adapter, id, KUBERNETES, versions, dry_run=True)
    except Problem as problem:
        if dry_run or problem.code != REFUSED:
            raise
        planned = None  # only a prediction: whether a real upgrade is refused, Omni itself decides
    if planned is None or (isinstance(planned, DryRunResult) and planned.after is not planned.before):
        _pre_check(adapter, id, body["version"])
    if dry_run and planned is not None:
        return planned
    return _upgrade(adapter, id, KUBERNETES, versions, dry_run=False)


def upgrade_talos(
    adapter: ClusterAdapter, id: str, body: Mapping[str, Any], *, dry_run: bool
) -> Operation | DryRunResult:
    """Change a cluster's Talos version, and its Kubernetes version too if requested."""
    versions = {TALOS.field: body["version"]}
    if body.get(KUBERNETES.field):
        versions[KUBERNETES.field] = body[KUBERNETES.field]
    return _upgrade(adapter, id, TALOS, versions, dry_run=dry_run)


def _upgrade(
    adapter: ClusterAdapter, id: str, upgrade: Upgrade, versions: Mapping[str, str], *, dry_run: bool
) -> Operation | DryRunResult:
    def mutate(existing: Resource) -> Resource:
        spec = {**existing.spec, **versions}
        return existing if spec == existing.spec else replace(existing, spec=spec)

    try:
        answer = change(adapter, id, mutate, dry_run=dry_run)
    except Problem as problem:
        raise _in_terms_of_the_action(adapter, id, problem, upgrade) from problem
    except omni_errors.InvalidArgument as error:
        raise _refused(adapter, id, upgrade, error) from error
    return answer if isinstance(answer, DryRunResult) else upgrade.read(adapter.omni, id)


def _pre_check(adapter: ClusterAdapter, id: str, version: str) -> None:
    """Run Omni's checks and raise 409 if they fail; a cluster that never ran has no status to check.

    Going back to the version that a running upgrade came from is not checked: it is the way out of a stuck upgrade.
    """
    status = find(adapter.omni, KUBERNETES.status_type, id)
    if status is None and not is_bootstrapped(adapter.omni, id):
        return
    if status is not None and status.spec.get("current_upgrade_version") and _came_from(status) == version:
        return
    try:
        verdict = _verdict(adapter, id, version)
    except omni_errors.InvalidArgument as error:
        raise _refused(adapter, id, KUBERNETES, error) from error
    if not verdict.ok:
        detail = f"Omni's checks advise against it: {verdict.reason}"
        raise Problem(409, "conflict", detail, hint="Fix that first, then try again.")


def _verdict(adapter: ClusterAdapter, id: str, version: str) -> Any:
    """Return the result of Omni's checks, retrying for up to ``TOO_EARLY_SECONDS``.

    For some seconds after a cluster came up Omni does not know its version yet. Raises 409 ``too-early`` if it takes
    longer.
    """
    ends = time.monotonic() + TOO_EARLY_SECONDS
    while True:
        try:
            return adapter.omni.management.kubernetes_upgrade_pre_checks(id, version)
        except omni_errors.FailedPrecondition as error:
            if not is_too_early(error):
                raise
            reason = error.detail
        except omni_errors.Unknown as error:
            # Omni's answer before it has any status of the cluster's Kubernetes.
            if find(adapter.omni, KUBERNETES.status_type, id) is not None:
                raise
            reason = error.detail
        if time.monotonic() + LOOK_SECONDS > ends:
            raise _too_early(reason)
        time.sleep(LOOK_SECONDS)


def _too_early(reason: str) -> Problem:
    return Problem(
        409,
        "too-early",
        f"Omni does not know yet which Kubernetes the cluster runs: {reason}",
        hint="It learns that some seconds after the cluster came up. Send the same request again then.",
        headers={"Retry-After": str(TOO_EARLY_RETRY_SECONDS)},
    )


def _came_from(status: Resource) -> str:
    return str(status.spec.get("last_upgrade_version", ""))


def _in_terms_of_the_action(adapter: ClusterAdapter, id: str, problem: Problem, upgrade: Upgrade) -> Problem:
    """Rename the field to that of the action's body, ``version``, and add the versions that Omni offers as hint."""
    field = upgrade.field
    if problem.errors and field in problem.errors:
        problem.errors = {("version" if name == field else name): texts for name, texts in problem.errors.items()}
        problem.hint = problem.hint or _offers(adapter, id, upgrade)
    elif problem.code == REFUSED:
        problem.hint = problem.hint or _offers(adapter, id, upgrade)
    return problem


def _refused(adapter: ClusterAdapter, id: str, upgrade: Upgrade, error: omni_errors.InvalidArgument) -> Problem:
    """Return a 422 problem for Omni's refusal of a version, with the versions that it offers instead."""
    hint = _offers(adapter, id, upgrade)
    return Problem(422, REFUSED, error.detail, hint=hint, grpc_code="INVALID_ARGUMENT")


def _offers(adapter: ClusterAdapter, id: str, upgrade: Upgrade) -> str:
    """Return a hint with the versions that Omni offers a cluster; it lists them once it knows the current version."""
    status = find(adapter.omni, upgrade.status_type, id)
    offered = (status.spec.get("upgrade_versions") or []) if status else []
    if offered:
        return f"Omni offers: {', '.join(sorted(offered, key=Parsed.of, reverse=True))}."
    url = object_url("clusters", id, upgrade.kind)
    return f"Omni offers no versions yet: it has not found out what the cluster runs. GET {url} lists them later."


KUBERNETES_UPGRADE = Action(
    "kubernetes-upgrade",
    role=Role.OPERATOR,
    summary="Move the cluster to another Kubernetes version",
    body=KubernetesUpgradeActionSchema,
    example={"version": "1.35.7"},
    operation=upgrade_operations.KUBERNETES_UPGRADE,
    description="Omni's own checks run first; where they advise against it the answer is 409 with their reason."
    " To reverse a running upgrade, name the version that it came from.",
    run=upgrade_kubernetes,
)
TALOS_UPGRADE = Action(
    "talos-upgrade",
    role=Role.OPERATOR,
    summary="Move the cluster's machines to another Talos version",
    body=TalosUpgradeActionSchema,
    example={"version": "1.13.8"},
    operation=upgrade_operations.TALOS_UPGRADE,
    description="The Kubernetes version must be compatible with the new Talos: if it is not, name another one in"
    " `kubernetes_version`.",
    run=upgrade_talos,
)
