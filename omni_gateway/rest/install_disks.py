"""Install disks on an Omni without MachineInstallDiskConfigs, which releases up to 1.10 do not have.

They are config patches of the machines there, with the id and the content that the omnictl of these releases gives
them. By these an Omni that is upgraded knows them, and turns them into MachineInstallDiskConfigs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import yaml

from omni_gateway.http.problems import Problem
from omni_gateway.model import label_names
from omni_gateway.model.resource import Resource
from omni_gateway.omni import OmniClient, errors, types

_NAME = "install-disk"


def as_omni_takes_them(omni: OmniClient, cluster: str, objects: Sequence[Resource]) -> list[Resource]:
    """Return the objects of a cluster, with patches in the place of MachineInstallDiskConfigs where Omni has none.

    Raises 422 for a disk selector, for which an older Omni has nothing.
    """
    disks = [each for each in objects if each.type == types.MACHINE_INSTALL_DISK_CONFIGS]
    if not disks or _has_configs(omni, disks[0].id):
        return list(objects)
    if chosen := [each.id for each in disks if each.spec.get("disk_selector")]:
        text = "This Omni takes a disk, and no disk selector: that needs a release after 1.10."
        raise Problem(422, "validation", errors={f"machines.{id}.install": [text] for id in chosen})
    return [_patch(each, cluster) if each.type == types.MACHINE_INSTALL_DISK_CONFIGS else each for each in objects]


def from_patches(objects: Iterable[Resource]) -> list[Resource]:
    """Return the objects of a cluster, with MachineInstallDiskConfigs in the place of such patches."""
    return [_config(each) or each for each in objects]


def _has_configs(omni: OmniClient, machine: str) -> bool:
    try:
        omni.resources.get(types.MACHINE_INSTALL_DISK_CONFIGS, machine)
    except errors.NotFound:
        return True
    except errors.PermissionDenied:  # how Omni refuses a type that it does not have; any reader may read these
        return False
    return True


def _id(machine: str) -> str:
    return f"000-cm-{machine}-{_NAME}"


def _patch(disk: Resource, cluster: str) -> Resource:
    return Resource(
        id=_id(disk.id),
        type=types.CONFIG_PATCHES,
        spec={"data": yaml.safe_dump({"machine": {"install": {"disk": disk.spec["disk"]}}}, indent=4)},
        labels={label_names.LABEL_CLUSTER: cluster, label_names.LABEL_CLUSTER_MACHINE: disk.id},
        annotations={label_names.ANNOTATION_NAME: _NAME},
    )


def _config(patch: Resource) -> Resource | None:
    """Return the MachineInstallDiskConfigs of a patch; None for one that sets anything else."""
    machine = patch.labels.get(label_names.LABEL_CLUSTER_MACHINE, "")
    if patch.type != types.CONFIG_PATCHES or patch.id != _id(machine):
        return None
    try:
        content = yaml.safe_load(patch.spec.get("data", ""))
    except yaml.YAMLError:
        return None
    match content:
        case {"machine": {"install": {"disk": str(disk), **others_of_install}, **others}, **rest}:
            if not (others_of_install or others or rest):
                return Resource(machine, {"disk": disk}, type=types.MACHINE_INSTALL_DISK_CONFIGS)
    return None
