"""Upgrading a cluster: in Omni that is a changed version in the Cluster, which its controllers then make true.

Writing ``last_upgrade_version`` back while an upgrade runs turns it round.
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
    SpecSchema,
)
from omni_gateway.sdk.actions import DryRunResult, is_too_early
from omni_gateway.sdk.adapters import change, find, object_url
from omni_gateway.sdk.omni import omni_errors
from resources.cluster.adapter import ClusterAdapter
from resources.cluster.operations import is_bootstrapped
from resources.cluster.upgrade_operations import KUBERNETES, TALOS, Upgrade
from resources.cluster.versions import Parsed, Version

#: How long an upgrade waits for Omni to learn what the cluster runs, and how often it asks.
TOO_EARLY_SECONDS = 8.0
LOOK_SECONDS = 0.5
TOO_EARLY_RETRY_SECONDS = 5
#: Code of a problem by which Omni refuses a write, or by which a dry run says that it will.
REFUSED = "refused-by-omni"


class KubernetesUpgradeActionSchema(SpecSchema):
    """Which Kubernetes to move to."""

    version = Version(required=True, metadata={"description": "Kubernetes version, with or without `v`"})


class TalosUpgradeActionSchema(SpecSchema):
    """Which Talos to move to."""

    version = Version(required=True, metadata={"description": "Talos version, with or without `v`"})
    kubernetes_version = Version(
        metadata={"description": "Move Kubernetes as well, where the present one does not go with the new Talos"}
    )


def upgrade_kubernetes(
    adapter: ClusterAdapter, id: str, body: Mapping[str, Any], *, dry_run: bool
) -> Operation | DryRunResult:
    """Move a cluster to another Kubernetes version, once Omni's own checks say that it can."""
    versions = {KUBERNETES.field: body["version"]}
    try:
        planned = _upgrade(adapter, id, KUBERNETES, versions, dry_run=True)
    except Problem as problem:
        if dry_run or problem.code != REFUSED:
            raise
        planned = None  # a prediction of what Omni will say; of a real upgrade Omni itself is the judge
    if planned is None or (isinstance(planned, DryRunResult) and planned.after is not planned.before):
        _pre_check(adapter, id, body["version"])
    if dry_run and planned is not None:
        return planned
    return _upgrade(adapter, id, KUBERNETES, versions, dry_run=False)


def upgrade_talos(
    adapter: ClusterAdapter, id: str, body: Mapping[str, Any], *, dry_run: bool
) -> Operation | DryRunResult:
    """Move a cluster to another Talos version, and Kubernetes with it where that is asked for."""
    versions = {TALOS.field: body["version"]}
    if body.get(KUBERNETES.field):
        versions[KUBERNETES.field] = body[KUBERNETES.field]
    return _upgrade(adapter, id, TALOS, versions, dry_run=dry_run)


def _upgrade(
    adapter: ClusterAdapter, id: str, upgrade: Upgrade, versions: Mapping[str, str], *, dry_run: bool
) -> Operation | DryRunResult:
    def by(existing: Resource) -> Resource:
        spec = {**existing.spec, **versions}
        return existing if spec == existing.spec else replace(existing, spec=spec)

    try:
        answer = change(adapter, id, by, dry_run=dry_run)
    except Problem as problem:
        raise _in_terms_of_the_action(adapter, id, problem, upgrade) from problem
    except omni_errors.InvalidArgument as error:
        raise _refused(adapter, id, upgrade, error) from error
    return answer if isinstance(answer, DryRunResult) else upgrade.read(adapter.omni, id)


def _pre_check(adapter: ClusterAdapter, id: str, version: str) -> None:
    """Ask Omni whether the cluster is fit for it, where it can tell: a cluster that never ran has no status to ask.

    Going back to the version that a running upgrade came from is not asked: it is the way out of a stuck one.
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
        raise Problem(409, "conflict", detail, hint="Mend that first, then try again.")


def _verdict(adapter: ClusterAdapter, id: str, version: str) -> Any:
    """Ask for Omni's verdict; wait, but not for long, where it does not know yet what the cluster runs.

    That is so for some seconds after a cluster came up. A 409 ``too-early`` problem when it takes longer.
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
            # What it says before it has any status of the cluster's Kubernetes.
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
    """Name the field as the action's body does, ``version``, and say which versions Omni offers."""
    field = upgrade.field
    if problem.errors and field in problem.errors:
        problem.errors = {("version" if name == field else name): texts for name, texts in problem.errors.items()}
        problem.hint = problem.hint or _offers(adapter, id, upgrade)
    elif problem.code == REFUSED:
        problem.hint = problem.hint or _offers(adapter, id, upgrade)
    return problem


def _refused(adapter: ClusterAdapter, id: str, upgrade: Upgrade, error: omni_errors.InvalidArgument) -> Problem:
    """Return Omni's refusal of a version, with the versions that it offers instead."""
    hint = _offers(adapter, id, upgrade)
    return Problem(422, REFUSED, error.detail, hint=hint, grpc_code="INVALID_ARGUMENT")


def _offers(adapter: ClusterAdapter, id: str, upgrade: Upgrade) -> str:
    """Say which versions Omni offers a cluster; it lists them once it knows what the cluster runs."""
    status = find(adapter.omni, upgrade.status_type, id)
    offered = (status.spec.get("upgrade_versions") or []) if status else []
    if offered:
        return f"Omni offers: {', '.join(sorted(offered, key=Parsed.of, reverse=True))}."
    url = object_url("clusters", id, upgrade.kind)
    return f"Omni offers no versions yet: it has not found out what the cluster runs. GET {url} lists them later."
