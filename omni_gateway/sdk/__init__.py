"""The plugin SDK: all that a resource may import from the gateway, and nothing else is public.

``docs/writing-plugins.md`` is its guide. The SDK is versioned by itself (semantic versioning); a plugin names the
range it was written for in ``ResourcePlugin(sdk=...)``.
"""

from omni_gateway.auth import Role, Scope
from omni_gateway.http.guard import current_principal, demand, public, require
from omni_gateway.http.idempotency import idempotent
from omni_gateway.http.omni_errors import is_too_early, problem_for
from omni_gateway.http.problems import Problem
from omni_gateway.omni import Listing as OmniListing
from omni_gateway.omni import OmniClient, OmniError, key_pairs, types
from omni_gateway.omni import deadline as omni_deadline
from omni_gateway.omni import errors as omni_errors
from omni_gateway.omni.management import Overlay
from omni_gateway.sdk import enums, fields, locks, masking, member_waits, names, quorum
from omni_gateway.sdk.actions import Answer, Raw, Stream, WouldDo
from omni_gateway.sdk.adapter import Created, Present, ResourceAdapter
from omni_gateway.sdk.call_adapter import CallAdapter
from omni_gateway.sdk.changing import change
from omni_gateway.sdk.cluster_members import cluster_of_uuid, clusters_of_machines
from omni_gateway.sdk.cluster_parts import ClusterPartAdapter
from omni_gateway.sdk.context import Gateway, current_gateway
from omni_gateway.sdk.errors import MISSING, STALE, NotFound, StaleVersion
from omni_gateway.sdk.exchange import Change, Listing, ListQuery
from omni_gateway.sdk.issuers import check_issuer, takes_jwts
from omni_gateway.sdk.links import API_PREFIX, id_link, label_link, object_url
from omni_gateway.sdk.memo import Memo, identity
from omni_gateway.sdk.merging import Told, watch_together
from omni_gateway.sdk.omni_adapter import OmniResourceAdapter
from omni_gateway.sdk.operations import (
    Operation,
    OperationKind,
    Stage,
    State,
    WaitingFor,
    seconds_since,
    stages_in_order,
    unknown_after,
)
from omni_gateway.sdk.parsing import read, resources_of
from omni_gateway.sdk.plugin import ADMIN_READ_WRITE, READ, READ_WRITE, ResourcePlugin
from omni_gateway.sdk.query import Filter, WriteQuery, id_filter, label_filter
from omni_gateway.sdk.reading import find, find_labelled
from omni_gateway.sdk.refusals import Refusals
from omni_gateway.sdk.removal import removal_of
from omni_gateway.sdk.resource import Resource
from omni_gateway.sdk.schema import ResourceSchema, SpecSchema
from omni_gateway.sdk.scoping import out_of_reach
from omni_gateway.sdk.selecting import select, sort_and_cut
from omni_gateway.sdk.service import PluginError, ServicePlugin
from omni_gateway.sdk.side_by_side import side_by_side
from omni_gateway.sdk.stored import StoredResourceAdapter
from omni_gateway.sdk.subresources import SubCollection, SubList, SubResource

SDK_VERSION = "1.0.0"

__all__ = [
    "ADMIN_READ_WRITE",
    "API_PREFIX",
    "MISSING",
    "READ",
    "READ_WRITE",
    "SDK_VERSION",
    "STALE",
    "Answer",
    "CallAdapter",
    "Change",
    "ClusterPartAdapter",
    "Created",
    "Filter",
    "Gateway",
    "ListQuery",
    "Listing",
    "Memo",
    "NotFound",
    "OmniClient",
    "OmniError",
    "OmniListing",
    "OmniResourceAdapter",
    "Operation",
    "OperationKind",
    "Overlay",
    "PluginError",
    "Present",
    "Problem",
    "Raw",
    "Refusals",
    "Resource",
    "ResourceAdapter",
    "ResourcePlugin",
    "ResourceSchema",
    "Role",
    "Scope",
    "ServicePlugin",
    "SpecSchema",
    "Stage",
    "StaleVersion",
    "State",
    "StoredResourceAdapter",
    "Stream",
    "SubCollection",
    "SubList",
    "SubResource",
    "Told",
    "WaitingFor",
    "WouldDo",
    "WriteQuery",
    "change",
    "check_issuer",
    "cluster_of_uuid",
    "clusters_of_machines",
    "current_gateway",
    "current_principal",
    "demand",
    "enums",
    "fields",
    "find",
    "find_labelled",
    "id_filter",
    "id_link",
    "idempotent",
    "identity",
    "is_too_early",
    "key_pairs",
    "label_filter",
    "label_link",
    "locks",
    "masking",
    "member_waits",
    "names",
    "object_url",
    "omni_deadline",
    "omni_errors",
    "out_of_reach",
    "problem_for",
    "public",
    "quorum",
    "read",
    "removal_of",
    "require",
    "resources_of",
    "seconds_since",
    "select",
    "side_by_side",
    "sort_and_cut",
    "stages_in_order",
    "takes_jwts",
    "types",
    "unknown_after",
    "watch_together",
]
