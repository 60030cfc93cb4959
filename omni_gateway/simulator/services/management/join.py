"""Join tokens, and the kernel arguments and configuration of a machine that joins with one."""

from __future__ import annotations

import secrets

import yaml

from omni_gateway.simulator import kinds
from omni_gateway.simulator.controllers.join_tokens import FINALIZER
from omni_gateway.simulator.errors import InvalidArgument, NotFound
from omni_gateway.simulator.identity import access
from omni_gateway.simulator.network import EVENTS_PORT, LOGS_PORT, SERVER_ADDRESS, join_kernel_args, join_url
from omni_gateway.simulator.rules.jointokens import name_problems
from omni_gateway.simulator.seed.catalog import default_join_token
from omni_gateway.simulator.services.management.base import Calls, Context
from omni_gateway.simulator.state.resource import Resource
from omni_gateway.stubs import management_pb2 as pb


class JoiningCalls(Calls):
    """The calls about joining."""

    def CreateJoinToken(self, request: pb.CreateJoinTokenRequest, context: Context) -> pb.CreateJoinTokenResponse:
        """Make a token and return it: its id is the secret."""
        access.require("Admin")
        if problems := list(name_problems(request.name)):
            raise InvalidArgument("; ".join(problems))
        spec: dict[str, str] = {"name": request.name}
        if request.HasField("expiration_time"):
            spec["expiration_time"] = request.expiration_time.ToJsonString()
        token = secrets.token_urlsafe(32)
        self._store.create(Resource("default", kinds.JOIN_TOKEN, token, spec, finalizers=[FINALIZER]))
        return pb.CreateJoinTokenResponse(id=token)

    def ResetNodeUniqueToken(
        self, request: pb.ResetNodeUniqueTokenRequest, context: Context
    ) -> pb.ResetNodeUniqueTokenResponse:
        """Forget the token by which a machine is known to be itself; it gets another at once."""
        access.require("Admin")

        def replace(res: Resource) -> None:
            res.spec = {"token": secrets.token_urlsafe(32)}

        if self._store.modify("default", kinds.NODE_UNIQUE_TOKEN, request.id, replace) is None:
            raise NotFound(f"there is no token of a machine {request.id!r}")
        return pb.ResetNodeUniqueTokenResponse()

    def GetMachineJoinConfig(
        self, request: pb.GetMachineJoinConfigRequest, context: Context
    ) -> pb.GetMachineJoinConfigResponse:
        """Return kernel arguments, and a configuration, that let a machine join; they hold the token in clear."""
        access.require("Reader")
        token = request.join_token or default_join_token(self._store)
        tunnel = request.use_grpc_tunnel
        documents = [
            {"apiVersion": "v1alpha1", "kind": "SideroLinkConfig", "apiUrl": join_url(token, tunnel)},
            {
                "apiVersion": "v1alpha1",
                "kind": "EventSinkConfig",
                "endpoint": f"[{SERVER_ADDRESS}]:{EVENTS_PORT}",
            },
            {
                "apiVersion": "v1alpha1",
                "kind": "KmsgLogConfig",
                "name": "omni-kmsg",
                "url": f"tcp://[{SERVER_ADDRESS}]:{LOGS_PORT}",
            },
        ]
        config = yaml.dump_all(documents, Dumper=yaml.CSafeDumper, sort_keys=False)
        return pb.GetMachineJoinConfigResponse(kernel_args=join_kernel_args(token, tunnel), config=config)
