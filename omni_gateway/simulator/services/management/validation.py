"""Checks without effect: of a config patch, and of data against a JSON schema."""

from __future__ import annotations

from google.protobuf import empty_pb2

from omni_gateway.simulator.errors import Unimplemented
from omni_gateway.simulator.identity import access
from omni_gateway.simulator.machineconfig.patch import check_patch
from omni_gateway.simulator.services.management.base import Calls, Context
from omni_gateway.stubs import management_pb2 as pb


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
