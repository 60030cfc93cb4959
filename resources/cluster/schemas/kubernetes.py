"""Schemas of a cluster's Kubernetes and of its upgrades."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from omni_gateway.sdk import ResourceSchema, SpecSchema
from omni_gateway.sdk import fields as wire
from omni_gateway.sdk.omni import enums


class Present(wire.Boolean, wire.Rendered):
    """A boolean derived from a text: whether it is not empty."""

    zero = False

    def render(self, value: Any) -> bool:
        """Return whether the text is not empty."""
        return bool(value)


class KubernetesNodeStatusSchema(SpecSchema):
    """A Kubernetes node."""

    nodename = fields.String(metadata={"description": "Name of the Kubernetes node", "example": "node-1"})
    kubelet_version = fields.String(metadata={"description": "Version of the node's kubelet", "example": "1.35.6"})
    kubelet = Present(
        dump_only=True,
        attribute="kubelet_version",
        metadata={"description": "Whether its kubelet has reported", "example": True},
    )
    ready = wire.Boolean(metadata={"description": "Whether Kubernetes has the node as Ready", "example": True})
    skip_audit = wire.Boolean(
        metadata={
            "description": "Whether the node has the annotation that keeps Omni from removing it as a stray one",
            "example": False,
        }
    )


class KubernetesStaticPodSchema(SpecSchema):
    """A static pod of the control plane."""

    app = fields.String(
        metadata={
            "description": "Component of the control plane, e.g. `kube-apiserver`, `kube-controller-manager`,"
            " `kube-scheduler`",
            "example": "kube-apiserver",
        }
    )
    version = fields.String(metadata={"description": "Version of the component", "example": "1.35.6"})
    ready = wire.Boolean(metadata={"description": "Whether the pod is ready", "example": True})


class KubernetesNodeStaticPodsSchema(SpecSchema):
    """The static pods of one node."""

    nodename = fields.String(
        metadata={"description": "Name of the Kubernetes node that the pods run on", "example": "node-1"}
    )
    static_pods = fields.List(
        fields.Nested(KubernetesStaticPodSchema), metadata={"description": "Static pods of the node, by component"}
    )
    pods = fields.List(
        fields.Nested(KubernetesStaticPodSchema),
        dump_only=True,
        attribute="static_pods",
        metadata={"description": "Second name of `static_pods`"},
    )


class KubernetesStatusSchema(ResourceSchema):
    """Nodes and static pods as Kubernetes reports them; absent until its API is reached for the first time."""

    nodes = fields.List(
        fields.Nested(KubernetesNodeStatusSchema), metadata={"description": "Kubernetes nodes of the cluster, by name"}
    )
    static_pods = fields.List(
        fields.Nested(KubernetesNodeStaticPodsSchema),
        metadata={"description": "Static pods of each control plane node, by the node's name"},
    )


class KubernetesNodeSchema(ResourceSchema):
    """One Kubernetes node of a cluster, joined from several of Omni's objects. The id is the node's name."""

    name = fields.String(
        metadata={"description": "Name of the Kubernetes node; the same as the id", "example": "node-1"}
    )
    cluster = fields.String(metadata={"description": "Id of the node's cluster", "example": "my-cluster"})
    machine = fields.String(
        metadata={
            "description": "Id of the machine that it runs on; empty while unknown",
            "example": "2d1f4a52-8f7e-4a3c-9f0e-0d7b9f3f6a01",
        }
    )
    kubelet_version = fields.String(
        metadata={
            "description": "Version of the node's kubelet; empty until Kubernetes reports the node",
            "example": "1.35.6",
        }
    )
    ready = wire.Boolean(
        metadata={
            "description": "Whether Kubernetes has the node as Ready; false until it reports the node",
            "example": True,
        }
    )
    skip_audit = wire.Boolean(
        metadata={
            "description": "Whether the node has the annotation that keeps Omni from removing it as a stray one",
            "example": False,
        }
    )
    static_pods = fields.List(
        fields.Nested(KubernetesStaticPodSchema),
        metadata={"description": "Static pods of the control plane on this node; empty on workers"},
    )


class _UpgradeStatusSchema(ResourceSchema):
    """The fields of both upgrades."""

    error = fields.String(
        metadata={"description": "Why the upgrade failed; empty unless `phase` is `Failed`", "example": ""}
    )
    step = fields.String(
        metadata={"description": "The current step; for people", "example": "updating kubelet to 1.35.6"}
    )
    status = fields.String(
        metadata={"description": "The progress; for people", "example": "waiting for the cluster to be ready"}
    )
    last_upgrade_version = fields.String(
        metadata={
            "description": "The version of the last upgrade that has ended, which runs; to go back, upgrade to it",
            "example": "1.35.6",
        }
    )
    current_upgrade_version = fields.String(
        metadata={"description": "The version that the cluster is being moved to; empty at rest", "example": ""}
    )
    upgrade_versions = fields.List(
        fields.String(),
        metadata={
            "description": "Versions that an upgrade could go to now; empty during an upgrade",
            "example": ["1.36.0"],
        },
    )


class KubernetesUpgradeProgressSchema(_UpgradeStatusSchema):
    """Progress of a Kubernetes upgrade; absent until Kubernetes has come up."""

    phase = wire.Enum(
        enums.KubernetesUpgradePhase,
        metadata={
            "description": "Where the upgrade stands: `Done` at rest, `Reverting` on the way back to the former"
            " version",
            "example": "Done",
        },
    )


class TalosUpgradeProgressSchema(_UpgradeStatusSchema):
    """Progress of a Talos upgrade."""

    phase = wire.Enum(
        enums.TalosUpgradePhase,
        metadata={
            "description": "Where the upgrade stands: `Done` at rest; `UpdatingMachineSchematics`: only the image"
            " changes, e.g. its extensions",
            "example": "Done",
        },
    )


class _NewestSchema(ResourceSchema):
    """The field derived from the versions that Omni offers."""

    newest_upgrade_version = fields.String(
        dump_only=True,
        metadata={
            "description": "The newest release among `upgrade_versions` that is newer than the version that runs;"
            " empty: there is none. Omni offers older versions too, in an order of its own",
            "example": "1.36.0",
        },
    )


class KubernetesUpgradeStatusSchema(KubernetesUpgradeProgressSchema, _NewestSchema):
    """A cluster's Kubernetes upgrade and the possible versions; absent until Kubernetes has come up."""


class TalosUpgradeStatusSchema(TalosUpgradeProgressSchema, _NewestSchema):
    """A cluster's Talos upgrade and the possible versions."""
