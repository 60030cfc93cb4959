"""Rotation of a cluster's certificate authorities: started by a write of the object, shown in phases."""

from __future__ import annotations

from omni_gateway.simulator import kinds, labels
from omni_gateway.simulator.controller_runtime.context import Context, Controller, Spec, by_id
from omni_gateway.simulator.controllers.cluster_secrets import KUBERNETES_CA_AT, TALOS_CA_AT, note_time
from omni_gateway.simulator.state.resource import Resource

OK, PRE_ROTATE, ROTATE, POST_ROTATE = range(4)
PHASE_SECONDS = 3.0
_STEPS = {
    PRE_ROTATE: "the machines come to trust the new authority",
    ROTATE: "the machines get certificates of the new authority",
    POST_ROTATE: "the machines forget the old authority",
}
_COMPONENTS = (
    (1, kinds.ROTATE_TALOS_CA, labels.PREFIX + "rotate-talos-ca-version"),
    (2, kinds.ROTATE_KUBERNETES_CA, labels.PREFIX + "rotate-kubernetes-ca-version"),
)


_REPLACED = {1: TALOS_CA_AT, 2: KUBERNETES_CA_AT}


class SecretRotation(Controller):
    """Key: a cluster's id. Which version of a request was served last is an annotation of the status."""

    name = "SecretRotationStatusController"
    inputs = {
        kinds.CLUSTER: by_id,
        kinds.ROTATE_TALOS_CA: by_id,
        kinds.ROTATE_KUBERNETES_CA: by_id,
        kinds.CLUSTER_SECRETS_ROTATION_STATUS: by_id,
    }

    def reconcile(self, ctx: Context, key: str) -> None:
        """Begin a requested rotation, one authority at a time, and go to the phase that is due; pause under a lock."""
        status = ctx.find(kinds.CLUSTER_SECRETS_ROTATION_STATUS, key)
        cluster = ctx.running(kinds.CLUSTER, key)
        if status is None or cluster is None:
            return
        phase = int(status.spec.get("phase", OK))
        if phase == OK:
            self._begin(ctx, status)
        elif labels.CLUSTER_LOCKED in cluster.annotations:
            paused = {"step": "waiting for the cluster to be unlocked", "status": f"paused in phase {phase} of 3"}
            ctx.patch(status.type, key, lambda res: res.spec.update(paused))
        elif ctx.passed(status.updated, PHASE_SECONDS):
            component = int(status.spec["component"])
            following = phase + 1 if phase < POST_ROTATE else OK
            if following == OK:
                note_time(ctx.store, key, _REPLACED[component])
            self._write(ctx, status, following, component, dict(status.annotations))

    def _begin(self, ctx: Context, status: Resource) -> None:
        for component, kind, annotation in _COMPONENTS:
            request = ctx.running(kind, status.id)
            if request is not None and status.annotations.get(annotation) != str(request.version):
                marks = {**status.annotations, annotation: str(request.version)}
                self._write(ctx, status, PRE_ROTATE, component, marks)
                return

    def _write(self, ctx: Context, status: Resource, phase: int, component: int, marks: dict[str, str]) -> None:
        spec: Spec = {}
        if phase != OK:
            spec = {"phase": phase, "component": component, "step": _STEPS[phase], "status": f"phase {phase} of 3"}
        ctx.write(kinds.CLUSTER_SECRETS_ROTATION_STATUS, status.id, spec, annotations=marks)
