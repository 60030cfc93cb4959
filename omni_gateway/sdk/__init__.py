"""The plugin SDK: the gateway's public Python API. A resource may import from here only.

``docs/plugins/`` is its guide. The SDK has a version of its own (semantic versioning); a plugin declares the
range that it was written for in ``ResourcePlugin(sdk=...)``.

This page has the names that most plugins need; the others are in its modules: ``adapters``, ``actions``, ``fields``,
``clusters``, ``omni``, ``redaction`` and ``templates``.
"""

from omni_gateway.auth import Role
from omni_gateway.http.guard import require_role
from omni_gateway.http.problems import Problem
from omni_gateway.model.query import Listing, ListQuery
from omni_gateway.model.resource import Resource
from omni_gateway.omni import OmniClient
from omni_gateway.rest.adapters.base import ResourceAdapter
from omni_gateway.rest.adapters.omni import OmniResourceAdapter
from omni_gateway.rest.errors import NotFound
from omni_gateway.rest.field_errors import FieldErrors
from omni_gateway.rest.filters import Filter
from omni_gateway.rest.operations import Operation, OperationKind
from omni_gateway.rest.plugin import ADMIN_READ_WRITE, READ, READ_WRITE, ResourcePlugin
from omni_gateway.rest.schema import ResourceSchema, SpecSchema
from omni_gateway.rest.subresources import SubResource

#: The version of the SDK.
SDK_VERSION = "2.1.0"

__all__ = [
    "ADMIN_READ_WRITE",
    "READ",
    "READ_WRITE",
    "SDK_VERSION",
    "FieldErrors",
    "Filter",
    "ListQuery",
    "Listing",
    "NotFound",
    "OmniClient",
    "OmniResourceAdapter",
    "Operation",
    "OperationKind",
    "Problem",
    "Resource",
    "ResourceAdapter",
    "ResourcePlugin",
    "ResourceSchema",
    "Role",
    "SpecSchema",
    "SubResource",
    "require_role",
]
