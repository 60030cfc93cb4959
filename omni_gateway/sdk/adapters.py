"""What stands between a resource and its back end: adapters, what they take and return, and lists of them."""

from omni_gateway.auth import Scope
from omni_gateway.model.concurrency import map_concurrently
from omni_gateway.model.lookup import find, find_by_ids, find_labelled
from omni_gateway.model.membership import cluster_of_uuid, clusters_of_machines
from omni_gateway.model.omni_objects import read, resources_by_id, resources_of
from omni_gateway.model.query import Change
from omni_gateway.omni import ListResult
from omni_gateway.rest.adapters.base import Created, FoundExisting
from omni_gateway.rest.adapters.cluster_part import ClusterPartAdapter
from omni_gateway.rest.adapters.computed import CallAdapter
from omni_gateway.rest.adapters.omni import OmniSource
from omni_gateway.rest.adapters.scoped import scope_error
from omni_gateway.rest.adapters.stored import StoredResourceAdapter
from omni_gateway.rest.errors import MISSING, STALE, StaleVersion
from omni_gateway.rest.filters import id_filter, label_filter, member_filter
from omni_gateway.rest.links import API_PREFIX, id_link, label_link, object_url
from omni_gateway.rest.parameters import to_list_query
from omni_gateway.rest.schema import alike
from omni_gateway.rest.select import select, sort_and_cut
from omni_gateway.rest.update import update
from omni_gateway.watch.source import View, WatchedType, WatchSource

__all__ = [
    "API_PREFIX",
    "MISSING",
    "STALE",
    "CallAdapter",
    "Change",
    "ClusterPartAdapter",
    "Created",
    "FoundExisting",
    "ListResult",
    "OmniSource",
    "Scope",
    "StaleVersion",
    "StoredResourceAdapter",
    "View",
    "WatchSource",
    "WatchedType",
    "alike",
    "cluster_of_uuid",
    "clusters_of_machines",
    "find",
    "find_by_ids",
    "find_labelled",
    "id_filter",
    "id_link",
    "label_filter",
    "label_link",
    "map_concurrently",
    "member_filter",
    "object_url",
    "read",
    "resources_by_id",
    "resources_of",
    "scope_error",
    "select",
    "sort_and_cut",
    "to_list_query",
    "update",
]
