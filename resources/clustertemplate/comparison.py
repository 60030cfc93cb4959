"""What a template wants, against what its cluster has in Omni: objects to write, and objects to remove.

What belongs to a cluster is found by the cluster's label. Kernel arguments and install disks have none: they are those
of the cluster's machines, and a template cares for those that it has made (by their annotation). What Omni itself made
is nobody's to remove: objects with an owner, and members that a machine class chose.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from omni_gateway.sdk import OmniClient, Problem, Resource
from omni_gateway.sdk.adapters import find, find_by_ids, find_labelled, map_concurrently
from omni_gateway.sdk.clusters import cluster_lock, install_disks
from omni_gateway.sdk.omni import label_names, omni_errors, types
from omni_gateway.sdk.templates import (
    ANNOTATION_MANAGED,
    TYPES_BY_LABEL,
    TYPES_BY_MACHINE,
    Template,
    is_exported,
    is_same,
    render,
)

Key = tuple[str, str]

_LOCK = label_names.ANNOTATION_CLUSTER_LOCKED
#: Removed first: the machines leave while the rest of the cluster's configuration is as it was.
_FIRST = (types.MACHINE_SETS, types.MACHINE_SET_NODES)
#: Types that an older Omni does not have: it refuses them as it refuses a caller.
_NEWER_TYPES = (types.KUBERNETES_HEALTH_CHECKS, types.MACHINE_INSTALL_DISK_CONFIGS)
_CALLS = 8


@dataclass(frozen=True, slots=True)
class Comparison:
    """The objects to write and to remove for a template.

    :param wanted: the objects as they shall be: those of the template, and those that it lets go.
    :param first: the machine sets and members to remove, which have to be gone before ``rest`` goes.
    :param rest: the other objects to remove.
    :param leaving: the machine sets and members that are going already, of an earlier sync that was not finished, or
        because somebody removed them; they have to be gone before ``rest`` goes, too.
    :param lock: the cluster with the lock that it does not have yet; a locked cluster takes no parts, so this is
        written last.
    """

    cluster: str
    wanted: Sequence[Resource]
    first: Sequence[Resource]
    rest: Sequence[Resource]
    leaving: Sequence[Resource] = ()
    lock: Resource | None = None

    @property
    def removed(self) -> Sequence[Resource]:
        """Return all objects to remove, in order."""
        return [*self.first, *self.rest]

    @property
    def awaited(self) -> Sequence[Key]:
        """Return the machine sets and members that have to be gone before ``rest`` goes."""
        return [(each.type, each.id) for each in (*self.first, *self.leaving)]


def objects_of(template: Template) -> list[Resource]:
    """Return the objects of a template; with ``locked: false`` its cluster has the null that removes a lock."""
    objects = render(template)
    if template.cluster.locked is False:
        cluster = next(each for each in objects if each.type == types.CLUSTERS)
        unlocked: dict[str, Any] = {**cluster.annotations, _LOCK: None}
        cluster.annotations = unlocked
    return objects


def compare(omni: OmniClient, cluster: str, rendered: Sequence[Resource]) -> Comparison:
    """Compare the objects of a template with its cluster's.

    Raises a 409 problem for objects that have the id of one of the template's and belong to another cluster, or to
    Omni, and a 422 problem for what this Omni does not have.
    """
    rendered = install_disks.as_omni_takes_them(omni, cluster, rendered)
    found = _objects(omni, cluster, rendered)
    actual = _living(found)
    rendered = [_as_it_is(each, actual.get((each.type, each.id))) for each in rendered]
    wanted = {(each.type, each.id): each for each in rendered}
    _refuse_foreign(omni, [each for key, each in wanted.items() if key not in actual])
    nodes = {id for type, id in wanted if type == types.MACHINE_SET_NODES}
    released, removed = [], []
    for key, each in actual.items():
        if key in wanted:
            continue
        if each.type in TYPES_BY_MACHINE and ANNOTATION_MANAGED not in each.annotations:
            continue
        if each.type == types.KERNEL_ARGS or (each.type in TYPES_BY_MACHINE and each.id not in nodes):
            released.append(_released(each))  # they are the machine's own, and stay when it leaves
        else:
            removed.append(each)
    removed = _without_parts(removed)
    first = [each for each in removed if each.type in _FIRST]
    rest = [each for each in removed if each.type not in _FIRST]
    lock = _new_lock(rendered, actual)
    rendered = [_unlocked(each) if each is lock else each for each in rendered]
    leaving = [each for each in found if each.tearing_down and each.type in _FIRST]
    return Comparison(cluster, [*rendered, *released], first, rest, leaving, lock)


def _new_lock(rendered: Sequence[Resource], actual: Mapping[Key, Resource]) -> Resource | None:
    """Return the cluster of a template that locks it, unless it is locked already."""
    for each in rendered:
        if each.type == types.CLUSTERS and cluster_lock.is_locked(each) and each.annotations[_LOCK] is not None:
            existing = actual.get((each.type, each.id))
            return None if existing is not None and cluster_lock.is_locked(existing) else each
    return None


def _unlocked(cluster: Resource) -> Resource:
    return replace(cluster, annotations={key: value for key, value in cluster.annotations.items() if key != _LOCK})


def _as_it_is(wanted: Resource, actual: Resource | None) -> Resource:
    """Return the object to write; one that differs only in who manages it, or in how its YAML is written, stays."""
    if actual is not None and is_same(wanted, actual):
        return replace(wanted, annotations=dict(actual.annotations), spec=actual.spec)
    return wanted


def living_objects(omni: OmniClient, cluster: str, rendered: Sequence[Resource] = ()) -> dict[Key, Resource]:
    """Return the objects of a cluster that its users made; those of machines also for what is rendered."""
    return _living(_objects(omni, cluster, rendered))


def _living(found: Iterable[Resource]) -> dict[Key, Resource]:
    return {(each.type, each.id): each for each in found if not each.tearing_down}


def _objects(omni: OmniClient, cluster: str, rendered: Sequence[Resource]) -> list[Resource]:
    """Return the objects of :func:`living_objects`, and those that are being removed."""
    found: list[Resource] = []
    if (existing := find(omni, types.CLUSTERS, cluster)) is not None:
        found.append(existing)
    lists = map_concurrently(lambda type: _labelled(omni, type, cluster), TYPES_BY_LABEL, _CALLS)
    for items in lists:
        found += [each for each in items if is_exported(each)]
    # Machines that join by this sync may have objects of an earlier template.
    members = {each.id for each in (*found, *rendered) if each.type == types.MACHINE_SET_NODES}
    for type in TYPES_BY_MACHINE:
        ids = members | {each.id for each in rendered if each.type == type}
        found += [each for each in _existing(omni, type, ids) if is_exported(each)]
    return found


def _labelled(omni: OmniClient, type: str, cluster: str) -> Sequence[Resource]:
    """Return the objects of a type with the label of a cluster."""
    with _none_of_newer_types(type):
        return find_labelled(omni, type, label_names.LABEL_CLUSTER, cluster)
    return ()


def _existing(omni: OmniClient, type: str, ids: Collection[str]) -> list[Resource]:
    """Return those objects of a type that exist, of the given ids."""
    with _none_of_newer_types(type):
        return list(find_by_ids(omni, type, sorted(ids)).values())
    return []


@contextmanager
def _none_of_newer_types(type: str) -> Iterator[None]:
    """Go on after the context if Omni does not have a type: there are no objects of it."""
    try:
        yield
    except omni_errors.PermissionDenied:
        if type not in _NEWER_TYPES:
            raise


def _refuse_foreign(omni: OmniClient, new: Iterable[Resource]) -> None:
    """Raise a 409 problem for objects that are to be created and exist: they are another cluster's, or Omni's."""
    ids: dict[str, list[str]] = {}
    for each in new:
        ids.setdefault(each.type, []).append(each.id)
    for type, names in ids.items():
        for each in _existing(omni, type, names):
            if each.tearing_down:
                raise Problem(409, "tearing-down", f"{type} {each.id!r} is still being removed.")
            if type not in TYPES_BY_MACHINE:
                text = (
                    f"{type} {each.id!r} exists, and is not this template's: another cluster has it, or Omni made it."
                )
                raise Problem(409, "conflict", text)


def _released(resource: Resource) -> Resource:
    annotations = {key: value for key, value in resource.annotations.items() if key != ANNOTATION_MANAGED}
    return replace(resource, annotations=annotations)


def _without_parts(removed: Sequence[Resource]) -> list[Resource]:
    """Leave out what goes by itself: everything of a cluster, and the members of a machine set."""
    keys = {(each.type, each.id) for each in removed}
    return [each for each in removed if not keys & _wholes(each)]


def _wholes(resource: Resource) -> set[Key]:
    if resource.type == types.CLUSTERS:
        return set()
    labels: Mapping[str, str] = resource.labels
    found = {(str(types.CLUSTERS), labels.get(label_names.LABEL_CLUSTER, ""))}
    if resource.type == types.MACHINE_SET_NODES:
        found.add((str(types.MACHINE_SETS), labels.get(label_names.LABEL_MACHINE_SET, "")))
    return found
