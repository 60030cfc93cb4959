"""``machine.MachineService``: the few calls of Talos's own API that a gateway passes on to machines."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import grpc
from google.protobuf import empty_pb2

from omni_gateway.simulator.errors import FailedPrecondition, NotFound, PermissionDenied
from omni_gateway.simulator.identity import access
from omni_gateway.simulator.machines import hardware
from omni_gateway.simulator.services.talos_targets import Target, resolve
from omni_gateway.simulator.state.store import Store
from omni_gateway.stubs import common_pb2
from omni_gateway.stubs import machine_pb2 as pb
from omni_gateway.stubs import machine_pb2_grpc as pb_grpc

Context = grpc.ServicerContext
_ACTOR = "simulator"


class MachineService(pb_grpc.MachineServiceServicer):
    """Calls go to the machines that their metadata name; the caller's role is looked at once those are found."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def Version(self, request: empty_pb2.Empty, context: Context) -> pb.VersionResponse:
        """Return the Talos version of the machines."""
        targets = self._targets(context, "Reader")
        return pb.VersionResponse(messages=[self._version(target) for target in targets])

    def Reboot(self, request: pb.RebootRequest, context: Context) -> pb.RebootResponse:
        """Reboot the machines, after their current steps."""
        targets = self._targets(context, "Operator")
        self._begin(targets, hardware.reboot_steps)
        messages = [pb.Reboot(metadata=_metadata(target), actor_id=_ACTOR) for target in targets]
        return pb.RebootResponse(messages=messages)

    def Shutdown(self, request: pb.ShutdownRequest, context: Context) -> pb.ShutdownResponse:
        """Shut the machines down, after their current steps."""
        targets = self._targets(context, "Operator")
        self._begin(targets, hardware.shutdown_steps)
        messages = [pb.Shutdown(metadata=_metadata(target), actor_id=_ACTOR) for target in targets]
        return pb.ShutdownResponse(messages=messages)

    def Reset(self, request: pb.ResetRequest, context: Context) -> pb.ResetResponse:
        """Refuse: Talos takes a reset from its own admins only, a role that Omni does not grant."""
        self._targets(context, "Operator")
        raise PermissionDenied("Talos does not let this role reset a machine; take its node out of the machine set")

    def _targets(self, context: Context, role: str) -> list[Target]:
        targets = resolve(self._store, context)
        free = any(not target.cluster for target in targets)
        access.require("Operator" if free else role)
        return targets

    def _begin(self, targets: Sequence[Target], steps: Callable[[], list[hardware.Step]]) -> None:
        for target in targets:
            if not hardware.begin(self._store, target.id, steps(), queue=True):
                raise FailedPrecondition(f"the machine {target.id} is busy")

    def _version(self, target: Target) -> pb.Version:
        machine = hardware.find(self._store, target.id)
        if machine is None:
            raise NotFound(f"there is no node {target.id!r}")
        return pb.Version(
            metadata=_metadata(target),
            version=pb.VersionInfo(tag=f"v{machine.talos_version}", os="linux", arch=machine.shape["arch"]),
            platform=pb.PlatformInfo(name=machine.shape["platform_metadata"]["platform"], mode="metal"),
            features=pb.FeaturesInfo(rbac=True),
        )


def _metadata(target: Target) -> common_pb2.Metadata | None:
    return common_pb2.Metadata(hostname=target.hostname) if target.hostname else None
