"""``oidc.OIDCService``: Omni as the identity provider of Kubernetes; no login is ever begun at a simulator."""

from __future__ import annotations

import grpc

from omni_gateway.simulator.errors import PermissionDenied
from omni_gateway.simulator.identity import access
from omni_gateway.stubs import oidc_pb2 as pb
from omni_gateway.stubs import oidc_pb2_grpc as pb_grpc


class OIDCService(pb_grpc.OIDCServiceServicer):
    """Confirms a login that has begun, of which there is none."""

    def Authenticate(self, request: pb.AuthenticateRequest, context: grpc.ServicerContext) -> pb.AuthenticateResponse:
        """Refuse: an unknown request is denied to every role."""
        access.require_signed()
        raise PermissionDenied("there is no such login under way")
