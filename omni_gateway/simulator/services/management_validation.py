"""Checks without effect: of a config patch, and of data against a JSON schema."""

from __future__ import annotations

from google.protobuf import empty_pb2

from omni_gateway.stubs import management_pb2 as pb

from .. import access
from ..errors import Unimplemented
from ..machineconfig import check_patch
from .management_base import Calls, Context


class ValidationCalls(Calls):
    """Open to everybody who signs, whatever the role."""

    def ValidateConfig(self, request: pb.ValidateConfigRequest, context: Context) -> empty_pb2.Empty:
        """Check a config patch as a write of it would be."""
        access.require_signed()
        check_patch(request.config)
        return empty_pb2.Empty()

    def ValidateJSONSchema(
        self, request: pb.ValidateJsonSchemaRequest, context: Context
    ) -> pb.ValidateJsonSchemaResponse:
        """Refuse: schemas are those of infra providers, and this Omni has none."""
        access.require_signed()
        raise Unimplemented("the simulator has no infra providers, and so no schemas of theirs to check against")
