"""What can be read below an object: another object that shares its id, a computed document, a list of others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from omni_gateway.model.resource import Resource
from omni_gateway.rest.adapters.base import ResourceAdapter
from omni_gateway.rest.parameters import Filter
from omni_gateway.rest.schema import ResourceSchema


@dataclass(frozen=True, slots=True)
class SubResource:
    """One object below another: ``/clusters/c1/status`` is the ClusterStatus ``c1``.

    ``id`` derives the sub-object's id from its parent's, and ``parent`` the other way round. ``absent`` makes the
    answer when the parent exists but the sub-object does not; without it that is a 404. ``comes_later``: Omni makes the
    sub-object some time after its parent, and keeps it for as long; the 404 then says "not yet".
    """

    name: str
    adapter: ResourceAdapter
    schema: type[ResourceSchema]
    summary: str
    id: Callable[[str], str] = lambda parent: parent
    parent: Callable[[str], str] = lambda id: id
    absent: Callable[[str], Resource] | None = None
    comes_later: bool = False


@dataclass(frozen=True, slots=True)
class SubList:
    """The objects that belong to another: ``/clusters/c1/machinesets``.

    ``filter`` names the filter that the parent's id goes into. ``collection`` is the first word of the items' own URLs.
    """

    name: str
    adapter: ResourceAdapter
    schema: type[ResourceSchema]
    summary: str
    filters: Sequence[Filter]
    filter: str
    collection: str
    links: Mapping[str, Callable[[Resource], str | None]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SubCollection:
    """Another plugin's list, held to this parent: ``/clusters/c1/configpatches`` is ``/configpatches?cluster=c1``.

    ``plugin`` is that plugin's name; when it is not loaded, the route answers 501.
    """

    name: str
    plugin: str
    filter: str
    summary: str
