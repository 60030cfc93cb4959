"""The base class of adapters: the interface that the REST layer uses to reach a resource's back end."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any, Self

from omni_gateway.auth import EVERYTHING, Scope
from omni_gateway.model.label_names import LABEL_CLUSTER
from omni_gateway.model.membership import clusters_of_labels
from omni_gateway.model.query import Change, Listing, ListQuery
from omni_gateway.model.resource import Resource
from omni_gateway.omni import OmniClient
from omni_gateway.rest.operations import Operation
from omni_gateway.store import PluginTables, Store
from omni_gateway.watch.polling import polling_watch
from omni_gateway.watch.private_watch import private_watch
from omni_gateway.watch.source import WatchSource


@dataclass(frozen=True, slots=True)
class FoundExisting:
    """Return value of a create: an existing object that equals the requested one. The response is 200."""

    resource: Resource


#: Return values of :meth:`ResourceAdapter.create`.
Created = Resource | Operation | FoundExisting | None


#: The methods that decide what a read returns.
READ_METHODS = ("bind", "list", "get", "selectors", "watch_source")


def _defined_at(cls: type, name: str) -> int:
    """Return the number of the first class that defines an attribute, in the order in which classes are searched."""
    return next((at for at, each in enumerate(cls.__mro__) if name in vars(each)), len(cls.__mro__))


class ResourceAdapter:
    """Base class of adapters. Implement ``list`` and ``get``, and the methods of the other verbs in the plugin's roles.

    Methods raise the back end's errors (``OmniError``) or the SDK's ``Problem``; they never see the request. An adapter
    is made once, at import; :meth:`bind` gives each application its own copy with a client.
    """

    #: Type and namespace of the objects.
    type: str = ""
    namespace: str = "default"
    #: Omni's other types that the objects are made of; texts call these by the resource's noun, too.
    other_types: Sequence[str] = ()
    #: True if false, 0 and empty text differ from a field that is not set; in Omni's own specs they do not.
    distinguishes_zero_from_unset: bool = True
    #: True if Omni serves the requests and so authorizes callers that use an Omni identity of their own; the gateway
    #: then does not check their role.
    authorized_by_omni: bool = False
    #: Whether callers restricted to some clusters may write the objects of these clusters (see :meth:`cluster_of`);
    #: they never write objects of no cluster. False if no object belongs to a cluster, whatever its labels.
    restricted_may_write: bool = True
    #: Whether callers restricted to some clusters may read the objects of these clusters and those of no cluster. False
    #: if an object contains data of every cluster.
    restricted_may_read: bool = True
    #: True if responses depend on Omni's objects, the URL and ``Accept`` only, not on the gateway's store, the time,
    #: the caller or another header: the response cache may then reuse them until one of these objects changes.
    #: False in a class that overrides one of :data:`READ_METHODS`, unless the class sets it.
    cacheable_response: bool = False
    #: True if ``list`` returns objects as ``get`` does: a bulk request then need not read each of them again. False in
    #: a class that overrides either, unless the class sets it.
    lists_whole_objects: bool = False
    #: Names of spec members that lists may be sorted by, besides the id and the metadata; None: not documented.
    sortable: frozenset[str] | None = None
    #: True if an object's id is that of a machine: URLs then take the machine's host name too.
    ids_are_machines: bool = False
    #: True if the back end lets objects be created but not read; creating then skips the look-up of an existing object.
    unreadable: bool = False
    #: The client for Omni, set by :meth:`bind`.
    omni: OmniClient
    #: The gateway's own database, set by the application.
    store: Store
    #: The plugin's settings, set by the application; None if it has none.
    settings: Any = None
    #: The plugin's tables, set by the application if it has some.
    tables: PluginTables
    #: The clusters that the caller may access, set by the application; for objects that contain data of several ones.
    scope: Scope = EVERYTHING

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if min(_defined_at(cls, name) for name in READ_METHODS) < _defined_at(cls, "cacheable_response"):
            cls.cacheable_response = False
        if min(_defined_at(cls, name) for name in ("list", "get")) < _defined_at(cls, "lists_whole_objects"):
            cls.lists_whole_objects = False

    def bind(self, omni: OmniClient) -> Self:
        """Return a copy of this adapter that uses the client ``omni``."""
        bound = copy.copy(self)
        bound.omni = omni
        return bound

    def cluster_of(self, resource: Resource) -> str | None:
        """Return the id of the cluster that an object belongs to, None if it belongs to none.

        Callers restricted to some clusters are checked against it. The default reads Omni's cluster label. Also called
        for objects that are about to be created.
        """
        return resource.labels.get(LABEL_CLUSTER)

    def clusters_of(self, resources: Sequence[Resource]) -> Sequence[str | None]:
        """Return :meth:`cluster_of` of each object, in order; override it where one call can look up many."""
        return [self.cluster_of(resource) for resource in resources]

    def other_clusters_affected(
        self, resource: Resource, existing: Resource | None, extras: Mapping[str, Any]
    ) -> Sequence[str | None]:
        """Return the clusters that a write affects beside the one that the object belongs to.

        None among them stands for an object of no cluster. The default looks up the machine sets and machines that the
        labels of ``resource`` and of ``existing`` name. ``existing`` is None for a create or a delete.
        """
        labels = [resource.labels] + ([existing.labels] if existing and existing.labels != resource.labels else [])
        return [cluster for each in labels for cluster in clusters_of_labels(self.omni, each)]

    def list(self, query: ListQuery) -> Listing:
        """Return the page of objects that match ``query``, and the total number of matching objects.

        Apply the query's selector, search text, filters, sort keys, offset and limit (0: no limit); :func:`select` does
        so for objects in memory.
        """
        raise NotImplementedError

    def get(self, id: str) -> Resource:
        """Return one object. Raises the back end's not-found error, or :class:`NotFound`, if there is none."""
        raise NotImplementedError

    def get_written(self, written: Resource) -> Resource:
        """Return the stored object after this process has written ``written``.

        Raises as :meth:`get` does, which the default calls. Override it where the written object can be had without
        another call.
        """
        return self.get(written.id)

    def check(self, resource: Resource, existing: Resource | None, extras: Mapping[str, Any]) -> None:
        """Validate a create or a replace. Called before every write and by dry runs; the default accepts everything.

        :param resource: the object to write. For a create, this method may complete it with defaults.
        :param existing: the object that is replaced; None for a create.
        :param extras: the request-only fields of the body.

        Raise a ``Problem`` for whatever the back end is known to reject.
        """

    def additional_objects(self, resource: Resource, extras: Mapping[str, Any]) -> Sequence[Resource]:
        """Return the other objects that :meth:`create` creates, in order, for dry runs; by default none."""
        return ()

    def create(self, resource: Resource, extras: Mapping[str, Any]) -> Created:
        """Create the object; return when the back end has stored it.

        The return value decides the response: None responds 201 with the result of :meth:`get_written`; a ``Resource``
        responds 201 with that object, for members that are returned only once; :class:`FoundExisting` responds 200 with
        an existing object; an ``Operation`` responds 202. Raise ``Problem(409, "exists", …)`` or the back end's error
        if the id is taken.
        """
        raise NotImplementedError

    def replace(self, resource: Resource) -> None:
        """Write the object if ``resource.version`` is still its version.

        Raises the back end's stale-version error, or :class:`StaleVersion`, if it is not; the caller then reads the
        object and tries again.
        """
        raise NotImplementedError

    def delete(self, resource: Resource) -> None:
        """Start to remove the object; return when the back end has accepted the removal."""
        raise NotImplementedError

    def delete_with(self, resource: Resource, options: Mapping[str, Any]) -> None:
        """Start to remove the object; ``options`` are the parameters of the plugin's ``delete_query``.

        Also called for an object that is tearing down, if it has no finalizers left or the request has ``force``. The
        default calls :meth:`delete`.
        """
        self.delete(resource)

    def check_delete_with(self, resource: Resource, options: Mapping[str, Any]) -> None:
        """Raise the problems that :meth:`delete_with` would raise, for dry runs; by default :meth:`check_delete`."""
        self.check_delete(resource)

    def also_deleted(self, resource: Resource, options: Mapping[str, Any]) -> Sequence[Resource]:
        """Return the objects of other types that :meth:`delete_with` removes itself, for dry runs; by default none."""
        return ()

    def check_delete(self, resource: Resource) -> None:
        """Raise the problems that the back end would raise for a removal, for dry runs; by default none."""

    def refuse_owned(self, existing: Resource) -> None:
        """Raise a problem (403) if only the back end itself may change the object; by default never.

        Called before a replace, and by the dry run of a removal. A real removal is left to the back end's own check.
        """

    def predict(self, resource: Resource | None, existing: Resource | None) -> None:
        """Raise the problem with which the back end would reject a write that passed :meth:`check`; by default none.

        ``existing`` is None for a create, ``resource`` is None for a removal. Called by dry runs, and by apply before
        the first of several writes. A single real write skips it: the back end itself decides.
        """

    def watch_source(self, query: ListQuery, id: str = "") -> WatchSource | None:
        """Return how the watched objects follow from Omni's, for a watch of ``query`` or of the object ``id`` if given.

        Override it for objects that are made of Omni's: watches are then served from the cache where it can serve them,
        and take no thread. None, the default: :meth:`watch` serves the watch.
        """
        return None

    def watch(self, query: ListQuery, id: str = "") -> AbstractContextManager[Iterator[Change]]:
        """Return a context manager around an iterator of the changes of ``query``, or of the object ``id`` if given.

        The iterator blocks; it yields every present object as ``added``, one ``bookmark``, then each change as it
        happens; leaving the context ends it. The default reads streams of Omni's by :meth:`watch_source`, or polls if
        there is none; override it where another back end sends events.
        """
        source = self.watch_source(query, id)
        return self.polled(query, id) if source is None else private_watch(self.omni, source)

    def polled(self, query: ListQuery, id: str = "") -> AbstractContextManager[Iterator[Change]]:
        """Return a watch that lists every second and yields the differences."""
        if id:
            return polling_watch(lambda: [item for item in self.list(ListQuery()).items if item.id == id])
        return polling_watch(lambda: self.list(replace(query, offset=0, limit=0)).items)
