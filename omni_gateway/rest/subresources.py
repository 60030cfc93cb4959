"""Declarations of sub-resources: an object or a list that is read below another object."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from omni_gateway.model.resource import Resource
from omni_gateway.rest.adapters.base import ResourceAdapter
from omni_gateway.rest.filters import Filter
from omni_gateway.rest.schema import ResourceSchema


@dataclass(frozen=True, slots=True)
class SubResource:
    """One object below another: ``/clusters/c1/status`` is the ClusterStatus ``c1``.

    :param name: the last segment of its URL.
    :param adapter: the adapter of the sub-objects.
    :param schema: their schema.
    :param summary: one line for the OpenAPI document.
    :param id: returns the sub-object's id for its parent's; by default the same.
    :param parent: returns the parent's id for the sub-object's; by default the same.
    :param absent: returns the object to show, for the parent's id, if the parent exists and the sub-object does not; by
        default that is a 404.
    :param comes_later: whether Omni creates the sub-object some time after its parent and removes it with the parent;
        the 404 then has the code ``not-yet`` and ``Retry-After``.
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
    """The objects that belong to another one: ``/clusters/c1/kubernetes-nodes``.

    :param name: the last segment of its URL.
    :param adapter: the adapter of the items.
    :param schema: their schema.
    :param summary: one line for the OpenAPI document.
    :param filters: the filters of the list.
    :param filter: the name of the filter that is set to the parent's id.
    :param collection: the first segment of the items' own URLs.
    :param links: name → link maker, for the items' ``_links``.
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
    """Another plugin's list for one parent: ``/clusters/c1/configpatches`` is ``/configpatches?cluster=c1``.

    :param name: the last segment of its URL.
    :param plugin: the other plugin's name; if it is not loaded, the route responds 501.
    :param filter: the name of that plugin's filter that is set to the parent's id.
    :param summary: one line for the OpenAPI document.
    """

    name: str
    plugin: str
    filter: str
    summary: str
