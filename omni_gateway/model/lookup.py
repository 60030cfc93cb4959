"""Look-ups of Omni's objects: by ids that may not exist, and by a label."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from omni_gateway.model.concurrency import map_concurrently
from omni_gateway.model.omni_objects import list_cached, read, read_from_omni, resources_by_id, resources_of
from omni_gateway.model.resource import Resource
from omni_gateway.omni import ListResult, OmniClient
from omni_gateway.omni import errors as omni_errors
from omni_gateway.omni.selectors import sendable

#: From this many objects on, a look-up tries a list before it reads each of them.
LIST_FROM = 4
#: A Get costs Omni and the gateway about as much as so many objects of a list.
OBJECTS_PER_GET = 10
#: How many objects the first list of a look-up returns at most.
FIRST_PAGE = 1_000
#: How many Gets of one look-up are in flight at a time.
PARALLEL_GETS = 8


def find(omni: OmniClient, type: str, id: str, namespace: str | None = None) -> Resource | None:
    """Return an object, None if it does not exist; shared if it comes from the cache, so never change it in place.

    Raises Omni's other errors. ``namespace`` is by default the type's own.
    """
    try:
        return read(omni, type, id, namespace)
    except omni_errors.NotFound:
        return None


def find_by_ids(omni: OmniClient, type: str, ids: Sequence[str]) -> dict[str, Resource]:
    """Return the objects with these ids that exist, by id, in the order of ``ids``; shared as by :func:`find`.

    Reads them from the cache if this request may use it. Otherwise makes one list where the type has few other objects,
    and concurrent Gets where it has many: those do not wait for all objects of the type.
    """
    if len(ids) < LIST_FROM:
        return _by_id(find(omni, type, id) for id in ids)
    listed = list_cached(omni, type) or _list_of_few(omni, type, OBJECTS_PER_GET * len(ids))
    if listed is None:
        return _by_id(map_concurrently(lambda id: _find_in_omni(omni, type, id), ids, PARALLEL_GETS))
    found = resources_by_id(listed, ids)
    return {id: found[id] for id in ids if id in found}


def _list_of_few(omni: OmniClient, type: str, most: int) -> ListResult | None:
    """Return all objects of a type; None if there are more than ``most``, or a part of them is a large message."""
    # The answer says how many objects there are; of a small type it has all of them.
    page_size = min(most, FIRST_PAGE)
    try:
        listed = omni.resources.list(type, limit=page_size)
    except omni_errors.MessageTooLarge:
        return None
    if page_size < listed.total <= most:
        return omni.resources.list(type)
    return listed if listed.total <= page_size else None


def _by_id(found: Iterable[Resource | None]) -> dict[str, Resource]:
    return {resource.id: resource for resource in found if resource is not None}


def _find_in_omni(omni: OmniClient, type: str, id: str) -> Resource | None:
    try:
        return read_from_omni(omni, type, id)
    except omni_errors.NotFound:
        return None


def find_labelled(omni: OmniClient, type: str, label: str, value: str) -> list[Resource]:
    """Return the objects whose ``label`` has this value; they are shared, so never change them in place."""
    # The value is often a cluster's name, which may have letters beyond ASCII. Label selectors may not: then all
    # objects are read and selected here.
    term = f"{label}={value}"
    listing = omni.resources.list(type, selectors=[term] if sendable(term) else [])
    return [item for item in resources_of(listing) if item.labels.get(label) == value]
