"""Calls about one machine, join configuration and join tokens."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from omni_gateway.omni import rpcs
from omni_gateway.omni.management.group import CallGroup
from omni_gateway.omni.streams import Stream
from omni_gateway.stubs import common_pb2
from omni_gateway.stubs import management_pb2 as pb

_ALL_LINES = -1
_OPERATIONS = {
    "install": pb.MaintenanceLifecycleRequest.OPERATION_INSTALL,
    "upgrade": pb.MaintenanceLifecycleRequest.OPERATION_UPGRADE,
}


@dataclass(frozen=True, slots=True)
class JoinConfig:
    """The boot configuration of a machine that joins this Omni; both forms contain the join token: never log them."""

    kernel_args: tuple[str, ...] = field(repr=False)
    config: str = field(repr=False)


class MachineCalls(CallGroup):
    """Machines by their id (a UUID)."""

    def machine_logs(
        self, machine_id: str, *, follow: bool = False, tail_lines: int = _ALL_LINES, timeout: float | None = None
    ) -> Stream[bytes]:
        """Stream the machine's log, one JSON document per item; ``tail_lines`` -1 means all that Omni kept.

        ``NotFound`` for a machine without a log, ``FailedPrecondition`` when ``follow`` fell behind.
        """
        return self._calls.stream(
            rpcs.MACHINE_LOGS,
            lambda: pb.MachineLogsRequest(machine_id=machine_id, follow=follow, tail_lines=tail_lines),
            _lines,
            timeout=timeout,
        )

    def maintenance_upgrade(self, machine_id: str, version: str) -> None:
        """Upgrade the Talos of a machine in maintenance mode; returns when it is accepted.

        ``FailedPrecondition`` for a machine of a cluster, or one that is not ready for it.
        """
        self._calls.unary(
            rpcs.MAINTENANCE_UPGRADE, lambda: pb.MaintenanceUpgradeRequest(machine_id=machine_id, version=version)
        )

    def maintenance_lifecycle(
        self,
        machine_id: str,
        *,
        operation: Literal["install", "upgrade"],
        version: str = "",
        disk: str = "",
        timeout: float | None = None,
    ) -> Stream[str]:
        """Install Talos on ``disk``, or upgrade it to ``version``, on a free machine; stream the messages.

        Omni goes on when the stream is left.
        """
        return self._calls.stream(
            rpcs.MAINTENANCE_LIFECYCLE,
            lambda: pb.MaintenanceLifecycleRequest(
                machine_id=machine_id, operation=_OPERATIONS[operation], version=version, disk=disk
            ),
            lambda message: (message.message,),
            timeout=timeout,
        )

    def machine_power_on(self, machine_id: str) -> None:
        """Switch a machine on; ``FailedPrecondition`` unless an infra provider manages it."""
        self._calls.unary(rpcs.MACHINE_POWER_ON, lambda: pb.MachinePowerOnRequest(machine_id=machine_id))

    def machine_power_off(self, machine_id: str) -> None:
        """Shut a machine down and keep it off; ``FailedPrecondition`` unless an infra provider manages it."""
        self._calls.unary(rpcs.MACHINE_POWER_OFF, lambda: pb.MachinePowerOffRequest(machine_id=machine_id))

    def machine_join_config(self, *, use_grpc_tunnel: bool = False, join_token: str = "") -> JoinConfig:
        """Return what a machine needs to join, with the default token unless another is given."""
        answer = self._calls.unary(
            rpcs.GET_MACHINE_JOIN_CONFIG,
            lambda: pb.GetMachineJoinConfigRequest(use_grpc_tunnel=use_grpc_tunnel, join_token=join_token),
        )
        return JoinConfig(tuple(answer.kernel_args), answer.config)

    def create_join_token(self, name: str, *, expires: datetime | None = None) -> str:
        """Create a join token (name of 1 to 16 bytes) and return its id, which is the secret itself; admins only."""

        def build() -> pb.CreateJoinTokenRequest:
            request = pb.CreateJoinTokenRequest(name=name)
            if expires is not None:
                request.expiration_time.FromDatetime(expires)
            return request

        return self._calls.unary(rpcs.CREATE_JOIN_TOKEN, build).id

    def reset_node_unique_token(self, machine_id: str) -> None:
        """Forget the token that binds a machine to its record, so that a wiped machine may join again; admins only."""
        self._calls.unary(rpcs.RESET_NODE_UNIQUE_TOKEN, lambda: pb.ResetNodeUniqueTokenRequest(id=machine_id))


def _lines(message: common_pb2.Data) -> tuple[bytes, ...]:
    line = message.bytes.rstrip(b"\n")
    return (line,) if line else ()
