"""The plugin SDK: the gateway's public Python API. A resource may import from here only.

``docs/writing-plugins.md`` is its guide. The SDK has a version of its own (semantic versioning); a plugin declares the
range that it was written for in ``ResourcePlugin(sdk=...)``.
"""

from omni_gateway.auth import Role, Scope
from omni_gateway.http.guard import check_role, current_principal, public, require_role
from omni_gateway.http.idempotency import idempotent
from omni_gateway.http.omni_errors import is_too_early, problem_for
from omni_gateway.http.problems import Problem
from omni_gateway.model import enums, label_names
from omni_gateway.model.concurrency import map_concurrently
from omni_gateway.model.lookup import find, find_labelled
from omni_gateway.model.membership import cluster_of_uuid, clusters_of_machines
from omni_gateway.model.memo import Memo, identity
from omni_gateway.model.omni_objects import read, resources_of
from omni_gateway.model.query import Change, Listing, ListQuery
from omni_gateway.model.resource import Resource
from omni_gateway.omni import ListResult, OmniClient, OmniError, key_pairs, types
from omni_gateway.omni import deadline as omni_deadline
from omni_gateway.omni import errors as omni_errors
from omni_gateway.omni.management import Overlay
from omni_gateway.rest import cluster_lock, fields, member_waits, quorum, relations, talos_fit
from omni_gateway.rest.actions import Answer, DryRunResult, FileResponse, StreamingResponse
from omni_gateway.rest.adapters.base import Created, FoundExisting, ResourceAdapter
from omni_gateway.rest.adapters.cluster_part import ClusterPartAdapter
from omni_gateway.rest.adapters.computed import CallAdapter
from omni_gateway.rest.adapters.omni import OmniResourceAdapter
from omni_gateway.rest.adapters.scoped import scope_error
from omni_gateway.rest.adapters.stored import StoredResourceAdapter
from omni_gateway.rest.delete_operation import removal_of
from omni_gateway.rest.errors import MISSING, STALE, NotFound, StaleVersion
from omni_gateway.rest.field_errors import FieldErrors
from omni_gateway.rest.gateway import Gateway, current_gateway
from omni_gateway.rest.issuers import check_issuer, takes_jwts
from omni_gateway.rest.links import API_PREFIX, id_link, label_link, object_url
from omni_gateway.rest.operations import (
    Operation,
    OperationKind,
    Stage,
    State,
    WaitingFor,
    seconds_since,
    stages_in_order,
    unknown_after,
)
from omni_gateway.rest.parameters import Filter, WriteQuery, id_filter, label_filter
from omni_gateway.rest.plugin import ADMIN_READ_WRITE, READ, READ_WRITE, ResourcePlugin
from omni_gateway.rest.schema import ResourceSchema, SpecSchema, alike
from omni_gateway.rest.select import select, sort_and_cut
from omni_gateway.rest.service_plugin import PluginError, ServicePlugin
from omni_gateway.rest.subresources import SubCollection, SubList, SubResource
from omni_gateway.rest.update import change
from omni_gateway.sdk import redaction
from omni_gateway.watch.merged import TypedEvent, merge_watches

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
    "DryRunResult",
    "FieldErrors",
    "FileResponse",
    "Filter",
    "FoundExisting",
    "Gateway",
    "ListQuery",
    "ListResult",
    "Listing",
    "Memo",
    "NotFound",
    "OmniClient",
    "OmniError",
    "OmniResourceAdapter",
    "Operation",
    "OperationKind",
    "Overlay",
    "PluginError",
    "Problem",
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
    "StreamingResponse",
    "SubCollection",
    "SubList",
    "SubResource",
    "TypedEvent",
    "WaitingFor",
    "WriteQuery",
    "alike",
    "change",
    "check_issuer",
    "check_role",
    "cluster_lock",
    "cluster_of_uuid",
    "clusters_of_machines",
    "current_gateway",
    "current_principal",
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
    "label_names",
    "map_concurrently",
    "member_waits",
    "merge_watches",
    "object_url",
    "omni_deadline",
    "omni_errors",
    "problem_for",
    "public",
    "quorum",
    "read",
    "redaction",
    "relations",
    "removal_of",
    "require_role",
    "resources_of",
    "scope_error",
    "seconds_since",
    "select",
    "sort_and_cut",
    "stages_in_order",
    "takes_jwts",
    "talos_fit",
    "types",
    "unknown_after",
]
