"""What a resource does besides being read and written: actions, operations, services, files and streams."""

from omni_gateway.http.body_forms import BodyForm, SentBody
from omni_gateway.http.changed_fields import note_cluster
from omni_gateway.http.guard import check_role, public
from omni_gateway.http.idempotency import idempotent
from omni_gateway.http.omni_errors import is_too_early, problem_for
from omni_gateway.http.openapi.dry_run import JSONPatchOperationSchema
from omni_gateway.http.problems import ProblemSchema
from omni_gateway.rest.actions import (
    Action,
    Answer,
    ComputedDocument,
    DryRunResult,
    EventStreamResponse,
    FilePart,
    FileResponse,
    RangedResponse,
    StepsResponse,
    StreamingResponse,
)
from omni_gateway.rest.caller import current_principal
from omni_gateway.rest.delete_operation import removal_of
from omni_gateway.rest.errors import PluginError
from omni_gateway.rest.gateway import Gateway, current_gateway
from omni_gateway.rest.issuers import check_issuer, takes_jwts
from omni_gateway.rest.operations import Stage, State, WaitingFor, seconds_since, stages_in_order, unknown_after
from omni_gateway.rest.parameters import WriteQuery
from omni_gateway.rest.service_plugin import ServicePlugin
from omni_gateway.rest.subresources import SubCollection, SubList

__all__ = [
    "Action",
    "Answer",
    "BodyForm",
    "ComputedDocument",
    "DryRunResult",
    "EventStreamResponse",
    "FilePart",
    "FileResponse",
    "Gateway",
    "JSONPatchOperationSchema",
    "PluginError",
    "ProblemSchema",
    "RangedResponse",
    "SentBody",
    "ServicePlugin",
    "Stage",
    "State",
    "StepsResponse",
    "StreamingResponse",
    "SubCollection",
    "SubList",
    "WaitingFor",
    "WriteQuery",
    "check_issuer",
    "check_role",
    "current_gateway",
    "current_principal",
    "idempotent",
    "is_too_early",
    "note_cluster",
    "problem_for",
    "public",
    "removal_of",
    "seconds_since",
    "stages_in_order",
    "takes_jwts",
    "unknown_after",
]
