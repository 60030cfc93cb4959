"""The action manifest-sync: bring the manifests that Talos started Kubernetes with up to date.

Talos applies them once. Upgrades and patches change them on the control planes; Omni compares these with the objects in
Kubernetes, and applies them. It streams what it does; the work ends when the stream is left.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, ClassVar

from marshmallow import fields, validate

from omni_gateway.sdk import OmniClient, Problem, Role, SpecSchema
from omni_gateway.sdk import fields as wire
from omni_gateway.sdk.actions import Action, DryRunResult, StepsResponse
from omni_gateway.sdk.adapters import find, object_url
from omni_gateway.sdk.omni import omni_deadline, types
from omni_gateway.sdk.redaction import MASK
from resources.cluster.adapter import ClusterAdapter

#: What Omni itself takes where a client names none, as omnictl does.
DEFAULT_POLICY = "ADOPT_IF_NO_INVENTORY"
DEFAULT_RECONCILE_SECONDS = 30.0
MAX_RECONCILE_SECONDS = 600.0
#: Time for everything but the wait for rollouts.
_WORK_SECONDS = 60.0
UNCHANGED, PLANNED, APPLIED, ROLLOUT = "unchanged", "planned", "applied", "rollout"


class ClusterManifestSyncActionSchema(SpecSchema):
    """How manifests are applied; all of it is for Talos 1.13 and later, which applies them on the server's side."""

    body_optional: ClassVar[bool] = True
    inventory_policy = fields.String(
        load_default=DEFAULT_POLICY,
        validate=validate.OneOf(["MUST_MATCH", DEFAULT_POLICY, "ADOPT_ALL"]),
        metadata={
            "description": "Which objects are changed: those that were applied this way before (`MUST_MATCH`), also"
            " those that nobody applied this way (the default), or all of that name",
            "example": DEFAULT_POLICY,
        },
    )
    reconcile_timeout = wire.Duration(
        load_default=f"{DEFAULT_RECONCILE_SECONDS:g}s",
        metadata={
            "description": "How long Omni waits for what was changed to run, at most 10 minutes",
            "example": "30s",
        },
    )
    force_conflicts = fields.Boolean(
        load_default=False,
        metadata={"description": "Take fields over that another client of Kubernetes manages", "example": False},
    )
    prune = fields.Boolean(
        load_default=False,
        metadata={"description": "Remove objects whose manifest is there no more", "example": False},
    )


class ClusterManifestSyncStepSchema(SpecSchema):
    """A manifest that was compared or applied, or that was waited for."""

    path = fields.String(
        metadata={
            "description": "Kind, namespace and name of the object, as Omni has them",
            "example": "apps/v1/DaemonSet/kube-system/kube-proxy",
        }
    )
    outcome = fields.String(
        metadata={
            "enum": [UNCHANGED, PLANNED, APPLIED, ROLLOUT],
            "description": "`unchanged`; `applied`, in a dry run `planned`; `rollout`: what was applied is waited for"
            " until it runs, a further step of the same object",
            "example": APPLIED,
        }
    )
    diff = fields.String(
        metadata={
            "description": f"The change as unified text; empty for an unchanged one, and `{MASK}` for a Secret",
            "example": "-  image: registry.k8s.io/kube-proxy:v1.35.6\n+  image: registry.k8s.io/kube-proxy:v1.35.7\n",
        }
    )


class ClusterManifestSyncSchema(SpecSchema):
    """The outcome of each manifest."""

    manifests = fields.List(
        fields.Nested(ClusterManifestSyncStepSchema), metadata={"description": "The steps, in order"}
    )
    unchanged = wire.Integer(metadata={"description": "Number of manifests that are as they should be", "example": 4})
    changed = wire.Integer(
        metadata={"description": "Number of manifests that were applied, in a dry run would be", "example": 1}
    )


def manifest_sync(adapter: ClusterAdapter, id: str, body: Mapping[str, Any], *, dry_run: bool) -> StepsResponse:
    """Compare a cluster's bootstrap manifests with Kubernetes and, unless it is a dry run, apply them.

    Raises 409 for a cluster whose Kubernetes cannot be reached, 422 for a wait that is too long.
    """
    cluster = adapter.get(id)
    _check_kubernetes(adapter.omni, id)
    seconds = float(body["reconcile_timeout"].removesuffix("s"))
    if not 0 < seconds <= MAX_RECONCILE_SECONDS:
        text = f"Must be more than zero and at most {MAX_RECONCILE_SECONDS:g}s."
        raise Problem(422, "validation", errors={"reconcile_timeout": [text]})

    @contextmanager
    def open_sync() -> Iterator[Iterator[Mapping[str, Any]]]:
        omni_deadline.extend(seconds + _WORK_SECONDS)
        with adapter.omni.management.sync_manifests(
            id,
            dry_run=dry_run,
            inventory_policy=body["inventory_policy"],
            reconcile_timeout=timedelta(seconds=seconds),
            force_conflicts=body["force_conflicts"],
            no_prune=not body["prune"],
            timeout=seconds + _WORK_SECONDS,
        ) as stream:
            yield (_step(item, dry_run=dry_run) for item in stream if item.kind != "unknown")

    def collect(steps: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | DryRunResult:
        answer = {
            "manifests": [*steps],
            "unchanged": sum(step["outcome"] == UNCHANGED for step in steps),
            "changed": sum(step["outcome"] in (PLANNED, APPLIED) for step in steps),
        }
        return DryRunResult(cluster, cluster, answer=answer) if dry_run else answer

    return StepsResponse(open_sync, collect)


def _check_kubernetes(omni: OmniClient, id: str) -> None:
    """Raise 409 unless Omni reaches the cluster's Kubernetes: it would answer with an error of its own connection."""
    status = find(omni, types.CLUSTER_STATUSES, id)
    if find(omni, types.KUBERNETES_STATUSES, id) is None:
        how = "has not answered yet"
    elif status is None or not status.spec.get("kubernetesAPIReady"):
        how = "cannot be reached by Omni"
    else:
        return
    hint = f"GET {object_url('clusters', id, 'status')} shows what it waits for."
    raise Problem(409, "conflict", f"The Kubernetes API of cluster {id!r} {how}.", hint=hint)


def _step(item: Any, *, dry_run: bool) -> dict[str, str]:
    """Return a step; the object itself is left out, and the change of a Secret is masked."""
    if item.kind == "rollout":
        return {"path": item.path, "outcome": ROLLOUT, "diff": ""}
    if item.skipped or not item.diff:
        return {"path": item.path, "outcome": UNCHANGED, "diff": ""}
    diff = MASK if "Secret" in item.path.split("/") else item.diff
    return {"path": item.path, "outcome": PLANNED if dry_run else APPLIED, "diff": diff}


MANIFEST_SYNC = Action(
    "manifest-sync",
    role=Role.OPERATOR,
    summary="Bring the manifests that Talos started Kubernetes with up to date",
    body=ClusterManifestSyncActionSchema,
    example={"inventory_policy": DEFAULT_POLICY, "reconcile_timeout": "30s", "prune": False},
    answers=ClusterManifestSyncSchema,
    steps=ClusterManifestSyncStepSchema,
    description="For after an upgrade of Talos or Kubernetes, or a patch of their configuration: Talos applies its"
    " manifests once and never again. A dry run returns what would change. 409 while Omni cannot reach the cluster's"
    " Kubernetes. A caller who leaves ends the work where it stands.",
    run=manifest_sync,
)
