"""Machines in maintenance mode: another Talos, or an installation, outside of any cluster."""

from __future__ import annotations

from collections.abc import Iterator

from omni_gateway.simulator import kinds
from omni_gateway.simulator.controllers.install import upgrade_steps
from omni_gateway.simulator.controllers.membership import minor
from omni_gateway.simulator.errors import FailedPrecondition, InvalidArgument, NotFound
from omni_gateway.simulator.identity import access
from omni_gateway.simulator.kinds import namespace_of
from omni_gateway.simulator.machines import hardware
from omni_gateway.simulator.services.management.base import Calls, Context
from omni_gateway.simulator.services.object_changes import changes
from omni_gateway.stubs import management_pb2 as pb

_INSTALL = pb.MaintenanceLifecycleRequest.OPERATION_INSTALL
_UPGRADE = pb.MaintenanceLifecycleRequest.OPERATION_UPGRADE
_LIFECYCLE_SINCE = (1, 13)
_INSTALL_SECONDS = 3.0


class MaintenanceCalls(Calls):
    """The calls about machines that belong to no cluster."""

    def MaintenanceUpgrade(
        self, request: pb.MaintenanceUpgradeRequest, context: Context
    ) -> pb.MaintenanceUpgradeResponse:
        """Take a free machine to another Talos; answers when it has begun. The version that it has is fine."""
        if not request.machine_id or not request.version:
            raise InvalidArgument("machine_id and version are needed")
        access.require("Operator")
        machine = self._free_machine(request.machine_id)
        version = request.version.removeprefix("v")
        self._check_version(version)
        if version != machine.talos_version:
            self._begin(request.machine_id, upgrade_steps({"talos_version": version}, member=False))
        return pb.MaintenanceUpgradeResponse()

    def MaintenanceLifecycle(
        self, request: pb.MaintenanceLifecycleRequest, context: Context
    ) -> Iterator[pb.MaintenanceLifecycleResponse]:
        """Install or upgrade Talos on a free machine and stream the progress; it goes on when the caller leaves."""
        access.require("Operator")
        _check_lifecycle(request)
        machine = self._free_machine(request.machine_id)
        if minor(machine.talos_version) < _LIFECYCLE_SINCE:
            raise FailedPrecondition(f"Talos {machine.talos_version} is too old for this")
        if request.operation == _INSTALL and machine.installed:
            raise FailedPrecondition("Talos is installed on the machine already")
        if request.operation == _UPGRADE and not machine.installed:
            raise FailedPrecondition("Talos is not installed on the machine yet")
        version = request.version.removeprefix("v") or machine.talos_version
        self._check_version(version)
        self._begin(request.machine_id, _lifecycle_steps(request, version))
        yield from self._progress(request.machine_id, context)

    def _progress(self, machine_id: str, context: Context) -> Iterator[pb.MaintenanceLifecycleResponse]:
        key = (namespace_of(kinds.EMULATED_MACHINE), kinds.EMULATED_MACHINE, machine_id)
        said = ""
        for _ in changes(self._store, key, context):
            machine = hardware.find(self._store, machine_id)
            if machine is None or not machine.steps:
                yield pb.MaintenanceLifecycleResponse(message="done")
                return
            message = f"{machine.step} is under way"
            if message != said:
                yield pb.MaintenanceLifecycleResponse(message=message)
                said = message

    def _free_machine(self, machine_id: str) -> hardware.Hardware:
        status = self._store.peek("default", kinds.MACHINE_STATUS, machine_id)
        machine = hardware.find(self._store, machine_id)
        if status is None or machine is None:
            raise NotFound(f"there is no machine {machine_id!r}")
        if status.spec.get("cluster") or machine.cluster:
            raise FailedPrecondition(f"the machine {machine_id} belongs to a cluster")
        if not machine.connected:
            raise FailedPrecondition(f"the machine {machine_id} is not connected")
        return machine

    def _check_version(self, version: str) -> None:
        if self._store.peek("default", kinds.TALOS_VERSION, version) is None:
            raise FailedPrecondition(f"there is no Talos {version!r}")

    def _begin(self, machine_id: str, steps: list[hardware.Step]) -> None:
        if not hardware.begin(self._store, machine_id, steps):
            raise FailedPrecondition(f"the machine {machine_id} is busy")


def _check_lifecycle(request: pb.MaintenanceLifecycleRequest) -> None:
    problems = []
    if not request.machine_id:
        problems.append("machine_id is needed")
    if request.operation not in (_INSTALL, _UPGRADE):
        problems.append("the operation is INSTALL or UPGRADE")
    if request.operation == _INSTALL and not request.disk:
        problems.append("an installation needs a disk")
    if request.operation == _UPGRADE and request.disk:
        problems.append("an upgrade takes no disk")
    if request.operation == _UPGRADE and not request.version:
        problems.append("an upgrade needs a version")
    if problems:
        raise InvalidArgument("; ".join(problems))


def _lifecycle_steps(request: pb.MaintenanceLifecycleRequest, version: str) -> list[hardware.Step]:
    if request.operation == _UPGRADE:
        return upgrade_steps({"talos_version": version}, member=False)
    made = {"installed": True, "disk": request.disk, "talos_version": version}
    line = f"installing Talos {version} on {request.disk}"
    return [hardware.Step("install", _INSTALL_SECONDS, made, line), *hardware.reboot_steps()]
