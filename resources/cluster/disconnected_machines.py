"""The disconnected members of a cluster: they cannot be wiped, so they block the cluster's removal until removed.

As omnictl's ``--destroy-disconnected-machines``, a forced removal deletes the links of the cluster's disconnected
machines, the patches that name these machines, and the cluster's extension configurations.
"""

from __future__ import annotations

from marshmallow import fields, validate

from omni_gateway.sdk import OmniClient, Resource
from omni_gateway.sdk.actions import WriteQuery
from omni_gateway.sdk.adapters import find_labelled, resources_of
from omni_gateway.sdk.omni import label_names, types

DISCONNECTED = "disconnected"
ABOUT_FORCE = (
    "`disconnected`: also remove from Omni those of its machines that Omni cannot reach. They are not wiped: their"
    " disks stay as they are, and they run on until they are wiped by hand"
)


class ClusterDeleteQuery(WriteQuery):
    """Query of a cluster's removal."""

    force = fields.String(validate=validate.OneOf([DISCONNECTED]), metadata={"description": ABOUT_FORCE})


def disconnected_parts(omni: OmniClient, cluster: str) -> list[Resource]:
    """Return the objects that a forced removal deletes besides the cluster; none if every machine is connected."""
    statuses = find_labelled(omni, types.MACHINE_STATUSES, label_names.LABEL_CLUSTER, cluster)
    machines = {item.id for item in statuses if label_names.LABEL_DISCONNECTED in item.labels}
    if not machines:
        return []
    extensions = find_labelled(omni, types.EXTENSIONS_CONFIGURATIONS, label_names.LABEL_CLUSTER, cluster)
    links = [item for item in resources_of(omni.resources.list(types.LINKS)) if item.id in machines]
    patches = [
        patch
        for patch in resources_of(omni.resources.list(types.CONFIG_PATCHES, selectors=[label_names.LABEL_MACHINE]))
        if patch.labels.get(label_names.LABEL_MACHINE) in machines and not patch.owner
    ]
    return [*links, *patches, *extensions]
