"""Pulling images ahead of a Kubernetes upgrade: one request per cluster, worked off image by image."""

from __future__ import annotations

from omni_gateway.simulator import kinds, labels
from omni_gateway.simulator.controller_runtime.context import Context, Controller, by_id
from omni_gateway.simulator.controllers.membership import hardware
from omni_gateway.simulator.machineconfig import render
from omni_gateway.simulator.state.resource import Resource

PULL_SECONDS = 0.1


def images_are_pulled(ctx: Context, cluster: str, version: str) -> bool:
    """Request the images of a Kubernetes version for every machine that lacks them; return whether all have them."""
    wanted = []
    for member in ctx.all(kinds.CLUSTER_MACHINE, cluster=cluster):
        hw = hardware(ctx, member.id)
        if hw is not None and hw.cluster:
            names = render.components_of_role(hw.role)
            images = sorted(render.image_of(name, version) for name in names)
            wanted.append({"node": hw.hostname, "images": images})
    ctx.write(kinds.IMAGE_PULL_REQUEST, cluster, {"node_image_list": wanted}, {labels.CLUSTER: cluster})
    request = ctx.find(kinds.IMAGE_PULL_REQUEST, cluster)
    status = ctx.find(kinds.IMAGE_PULL_STATUS, cluster)
    if request is None or status is None or status.spec["request_version"] != str(request.version):
        return False
    return bool(status.spec["processed_count"] == status.spec["total_count"])


class ImagePull(Controller):
    """Key: a request's id; of those that an upgrade makes, the cluster's."""

    name = "ImagePullStatusController"
    inputs = {kinds.IMAGE_PULL_REQUEST: by_id, kinds.IMAGE_PULL_STATUS: by_id}

    def reconcile(self, ctx: Context, key: str) -> None:
        """Pull the next image of the request when the one before it has arrived; the status goes with the request."""
        request = ctx.find(kinds.IMAGE_PULL_REQUEST, key)
        if request is None:
            ctx.destroy(kinds.IMAGE_PULL_STATUS, key)
            return
        status = ctx.find(kinds.IMAGE_PULL_STATUS, key)
        pulls = [(item["node"], image) for item in request.spec.get("node_image_list", ()) for image in item["images"]]
        done = status.spec["processed_count"] if status and _answers(status, request) else None
        if done is None:
            self._write(ctx, request, pulls, 0)
        elif status is not None and done < len(pulls) and ctx.passed(status.updated or status.created, PULL_SECONDS):
            self._write(ctx, request, pulls, done + 1)

    def _write(self, ctx: Context, request: Resource, pulls: list[tuple[str, str]], done: int) -> None:
        node, image = pulls[done - 1] if done else ("", "")
        spec = {
            "last_processed_node": node,
            "last_processed_image": image,
            "processed_count": done,
            "total_count": len(pulls),
            "request_version": str(request.version),
        }
        ctx.write(kinds.IMAGE_PULL_STATUS, request.id, spec, request.labels)


def _answers(status: Resource, request: Resource) -> bool:
    return bool(status.spec["request_version"] == str(request.version))
