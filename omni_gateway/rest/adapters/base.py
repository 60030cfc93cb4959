"""The back end of a resource, as the HTTP layer sees it."""

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
from omni_gateway.store import Store
from omni_gateway.watch.polling import polling_watch


@dataclass(frozen=True, slots=True)
class FoundExisting:
    """What a create found: an object that is what the caller wants, made before."""

    resource: Resource


#: What a create may return; see :meth:`ResourceAdapter.create`.
Created = Resource | Operation | FoundExisting | None


class ResourceAdapter:
    """Base of every back end: answer ``list`` and ``get``; the rest as far as the plugin's roles name the verb.

    An adapter raises what its back end raises (``OmniError``) or the SDK's ``Problem``; it never sees a request.
    Adapters are made once, at import; :meth:`bind` gives each application its own copy with a client.
    """

    type: str = ""
    namespace: str = "default"
    #: Whether false, 0 and empty text differ from a field that is not set; in Omni's own specs they do not.
    distinguishes_zero_from_unset: bool = True
    #: Whether Omni gives the answers and so judges a caller who brings an Omni identity of its own.
    authorized_by_omni: bool = False
    #: Whether the objects are the fleet's, whatever labels they are given: who is held to some clusters writes none.
    of_the_fleet: bool = False
    #: Whether one object tells of all clusters at once: who is held to some of them does not read it.
    tells_of_all: bool = False
    #: Whether an answer follows from Omni's objects and the question alone, so that it may be given again for as long
    #: as none of these has changed: not from the gateway's store, the time or the caller.
    cacheable_response: bool = False
    #: Whether the back end lets objects be made and nobody read them: they are made without a look at what is there.
    unreadable: bool = False
    #: Given by :meth:`bind` and by the application: the way to Omni, and the gateway's own database.
    omni: OmniClient
    store: Store
    #: Given by the application too: what the caller may touch, for what an object tells of others.
    scope: Scope = EVERYTHING

    def bind(self, omni: OmniClient) -> Self:
        """Return a copy of this adapter that speaks through ``omni``."""
        bound = copy.copy(self)
        bound.omni = omni
        return bound

    def cluster_of(self, resource: Resource) -> str | None:
        """Return the cluster that an object belongs to: callers may be held to some clusters. None: to no cluster.

        The default goes by Omni's label. It is also asked of an object that is to be made.
        """
        return resource.labels.get(LABEL_CLUSTER)

    def clusters_of(self, resources: Sequence[Resource]) -> Sequence[str | None]:
        """Return the cluster of each object; to be overridden where one call can answer for many."""
        return [self.cluster_of(resource) for resource in resources]

    def other_clusters_affected(
        self, resource: Resource, existing: Resource | None, extras: Mapping[str, Any]
    ) -> Sequence[str | None]:
        """Return the clusters that a write reaches, or takes from, beside the one that the object belongs to.

        None among them: something that belongs to no cluster. The default goes by Omni's labels for machine sets and
        machines, of ``existing`` too.
        """
        labels = [resource.labels] + ([existing.labels] if existing and existing.labels != resource.labels else [])
        return [cluster for each in labels for cluster in clusters_of_labels(self.omni, each)]

    def list(self, query: ListQuery) -> Listing:
        """Return the objects that ``query`` asks for."""
        raise NotImplementedError

    def get(self, id: str) -> Resource:
        """Return one object; the back end's not-found error when there is none."""
        raise NotImplementedError

    def get_written(self, written: Resource) -> Resource:
        """Return an object as the back end holds it after a write of this process; the default asks for it."""
        return self.get(written.id)

    def check(self, resource: Resource, existing: Resource | None, extras: Mapping[str, Any]) -> None:
        """Refuse what the back end would refuse, as far as it can be known before a write; a dry run stops here.

        ``existing`` is None for a create. ``extras`` are the request-only fields. A create's ``resource`` may be
        completed here with defaults that only the back end knows. The default finds nothing wrong.
        """

    def additional_objects(self, resource: Resource, extras: Mapping[str, Any]) -> Sequence[Resource]:
        """Return what a create makes besides the object itself, in order; a dry run shows it. The default: nothing."""
        return ()

    def create(self, resource: Resource, extras: Mapping[str, Any]) -> Created:
        """Make the object; return when the back end holds it.

        None: the caller is answered (201) with what ``get`` then tells. A ``Resource`` is answered as it is, for what
        can only be told once. ``Present``: there was such an object already, which is as good (200). An ``Operation``:
        the object will come (202).
        """
        raise NotImplementedError

    def replace(self, resource: Resource) -> None:
        """Write the object over the version it names; the back end's stale-version error when that one is old."""
        raise NotImplementedError

    def delete(self, resource: Resource) -> None:
        """Start to remove the object; return when the back end has taken the order."""
        raise NotImplementedError

    def delete_with(self, resource: Resource, options: Mapping[str, Any]) -> None:
        """Start to remove the object; ``options`` are the parameters of the plugin's ``delete_query``.

        Also called for an object that is tearing down already, when the request has ``force``. The default:
        :meth:`delete`.
        """
        self.delete(resource)

    def check_delete_with(self, resource: Resource, options: Mapping[str, Any]) -> None:
        """Refuse what :meth:`delete_with` would refuse, for a dry run; the default: :meth:`check_delete`."""
        self.check_delete(resource)

    def also_deleted(self, resource: Resource, options: Mapping[str, Any]) -> Sequence[Resource]:
        """Return the objects of other types that :meth:`delete_with` removes itself; a dry run shows them."""
        return ()

    def check_delete(self, resource: Resource) -> None:
        """Refuse what the back end would refuse of a removal, so that a dry run can tell; the default: nothing."""

    def refuse_owned(self, existing: Resource) -> None:
        """Refuse a change of an object that the back end keeps to itself; the default: there are none.

        A removal is asked of the back end itself, and only its dry run asks here.
        """

    def foresee(self, resource: Resource | None, existing: Resource | None) -> None:
        """Raise what the back end will answer to a write that has passed ``check``; the default foresees nothing.

        ``existing`` is None for a create, ``resource`` for a removal. Called by dry runs, and where several writes must
        all be possible before the first; a single write is answered by the back end itself.
        """

    def watch(self, query: ListQuery, id: str = "") -> AbstractContextManager[Iterator[Change]]:
        """Open a stream: every present object as ``added``, one ``bookmark``, then changes as they come.

        The default lists again every second and tells what differs; a back end that can push should override it.
        """
        if id:
            return polling_watch(lambda: [item for item in self.list(ListQuery()).items if item.id == id])
        return polling_watch(lambda: self.list(replace(query, offset=0, limit=0)).items)
