"""Machines: their logs, and their power."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NoReturn

from omni_gateway.simulator import kinds
from omni_gateway.simulator.errors import FailedPrecondition, InvalidArgument, NotFound
from omni_gateway.simulator.identity import access
from omni_gateway.simulator.kinds import namespace_of
from omni_gateway.simulator.machines import machine_log
from omni_gateway.simulator.services.management.base import Calls, Context
from omni_gateway.simulator.services.object_changes import changes
from omni_gateway.stubs import common_pb2
from omni_gateway.stubs import management_pb2 as pb


class MachineCalls(Calls):
    """The calls about single machines."""

    def MachineLogs(self, request: pb.MachineLogsRequest, context: Context) -> Iterator[common_pb2.Data]:
        """Stream a machine's log, a line a message.

        `tail_lines` of zero or more is how many of the last lines to begin with, a negative one means all; with
        `follow` the stream goes on until the caller leaves or the machine is removed.
        """
        if not request.machine_id:
            raise InvalidArgument("the machine's id is empty")
        access.require("Reader")
        if self._store.peek(namespace_of(kinds.EMULATED_MACHINE), kinds.EMULATED_MACHINE, request.machine_id) is None:
            raise NotFound(f"there is no log of a machine {request.machine_id!r}")
        lines, position = machine_log.read(self._store, request.machine_id)
        wanted = len(lines) if request.tail_lines < 0 else min(request.tail_lines, len(lines))
        yield from (common_pb2.Data(bytes=line) for line in lines[len(lines) - wanted :])
        if request.follow:
            yield from self._follow_log(request.machine_id, position, context)

    def _follow_log(self, machine_id: str, position: int, context: Context) -> Iterator[common_pb2.Data]:
        key = (namespace_of(kinds.EMULATED_LOG), kinds.EMULATED_LOG, machine_id)
        for _ in changes(self._store, key, context):
            try:
                lines, position = machine_log.read(self._store, machine_id, position)
            except NotFound:
                return
            yield from (common_pb2.Data(bytes=line) for line in lines)

    def MachinePowerOff(self, request: pb.MachinePowerOffRequest, context: Context) -> pb.MachinePowerOffResponse:
        """Refuse: no machine of this fleet has an infra provider that could do it."""
        self._power(request.machine_id)

    def MachinePowerOn(self, request: pb.MachinePowerOnRequest, context: Context) -> pb.MachinePowerOnResponse:
        """Refuse, as for powering off."""
        self._power(request.machine_id)

    def _power(self, machine_id: str) -> NoReturn:
        if not machine_id:
            raise InvalidArgument("the machine's id is empty")
        access.require("Operator")
        if self._store.peek("default", kinds.LINK, machine_id) is None:
            raise NotFound(f"there is no machine {machine_id!r}")
        raise FailedPrecondition(f"the machine {machine_id} is not managed by a static infra provider")
