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

    nodename = fields.String()
    kubelet_version = fields.String()
    kubelet = Present(
        dump_only=True, attribute="kubelet_version", metadata={"description": "Whether its kubelet has reported"}
    )
    ready = wire.Boolean()
    skip_audit = wire.Boolean()


class KubernetesStaticPodSchema(SpecSchema):
    """A static pod of the control plane."""

    app = fields.String()
    version = fields.String()
    ready = wire.Boolean()


class KubernetesNodeStaticPodsSchema(SpecSchema):
    """The static pods of one node."""

    nodename = fields.String()
    static_pods = fields.List(fields.Nested(KubernetesStaticPodSchema))
    pods = fields.List(
        fields.Nested(KubernetesStaticPodSchema),
        dump_only=True,
        attribute="static_pods",
        metadata={"description": "Second name of `static_pods`"},
    )


class KubernetesStatusSchema(ResourceSchema):
    """Nodes and static pods as Kubernetes reports them; absent until its API is reached for the first time."""

    nodes = fields.List(fields.Nested(KubernetesNodeStatusSchema))
    static_pods = fields.List(fields.Nested(KubernetesNodeStaticPodsSchema))


class KubernetesNodeSchema(ResourceSchema):
    """One Kubernetes node of a cluster, joined from several of Omni's objects. The id is the node's name."""

    name = fields.String()
    cluster = fields.String()
    machine = fields.String(metadata={"description": "Id of the machine that it runs on; empty while unknown"})
    kubelet_version = fields.String(metadata={"description": "Empty until Kubernetes reports the node"})
    ready = wire.Boolean()
    skip_audit = wire.Boolean()
    static_pods = fields.List(fields.Nested(KubernetesStaticPodSchema))


class _UpgradeStatusSchema(ResourceSchema):
    """The fields of both upgrades."""

    error = fields.String()
    step = fields.String(metadata={"description": "The current step; for people"})
    status = fields.String(metadata={"description": "The progress; for people"})
    last_upgrade_version = fields.String(metadata={"description": "The version that runs; to go back, upgrade to it"})
    current_upgrade_version = fields.String(metadata={"description": "The version being moved to; empty at rest"})
    upgrade_versions = fields.List(
        fields.String(), metadata={"description": "Versions that an upgrade could go to now; empty during an upgrade"}
    )


class KubernetesUpgradeProgressSchema(_UpgradeStatusSchema):
    """Progress of a Kubernetes upgrade; absent until Kubernetes has come up."""

    phase = wire.Enum(enums.KubernetesUpgradePhase)


class TalosUpgradeProgressSchema(_UpgradeStatusSchema):
    """Progress of a Talos upgrade."""

    phase = wire.Enum(enums.TalosUpgradePhase)


class _NewestSchema(ResourceSchema):
    """The field derived from the versions that Omni offers."""

    newest_upgrade_version = fields.String(
        dump_only=True,
        metadata={
            "description": "The newest release among `upgrade_versions` that is newer than the version that runs;"
            " empty: there is none. Omni offers older versions too, in an order of its own"
        },
    )


class KubernetesUpgradeStatusSchema(KubernetesUpgradeProgressSchema, _NewestSchema):
    """A cluster's Kubernetes upgrade and the possible versions; absent until Kubernetes has come up."""


class TalosUpgradeStatusSchema(TalosUpgradeProgressSchema, _NewestSchema):
    """A cluster's Talos upgrade and the possible versions."""
