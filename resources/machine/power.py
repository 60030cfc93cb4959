"""The actions reboot, shutdown, power-on and power-off."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from marshmallow import fields, validate

from omni_gateway.sdk import Operation, Problem, Role, SpecSchema
from omni_gateway.sdk import fields as wire
from omni_gateway.sdk.actions import Action, DryRunResult, problem_for
from omni_gateway.sdk.omni import omni_errors
from resources.machine import boot_evidence, power_operations
from resources.machine.adapter import MachineAdapter
from resources.machine.join import Machine

Answer = Operation | DryRunResult

_NOT_MANAGED = "Only a machine that a static infra provider manages (bare metal) can be switched through Omni."


class MachineRebootActionSchema(SpecSchema):
    """Options of a reboot."""

    body_optional = True

    mode = fields.String(
        load_default="DEFAULT",
        validate=validate.OneOf(["DEFAULT", "POWERCYCLE", "FORCE"]),
        metadata={
            "description": "`POWERCYCLE` goes through the firmware where `DEFAULT` may start the kernel directly;"
            " `FORCE` does not wait for workloads to leave"
        },
    )


class MachineShutdownActionSchema(SpecSchema):
    """Options of a shutdown."""

    body_optional = True

    force = wire.Boolean(load_default=False, metadata={"description": "Do not wait for workloads to leave"})


def reboot(adapter: MachineAdapter, id: str, body: Mapping[str, Any], *, dry_run: bool) -> Answer:
    """Reboot a machine through its own Talos API; 409 if it is not connected."""
    machine = connected(adapter, id)
    if dry_run:
        return DryRunResult(machine, machine)
    operation = boot_evidence.mark(adapter.omni, id).text
    mode = body.get("mode", "DEFAULT")
    ask(machine, lambda: adapter.omni.machines.reboot(id, cluster=machine.cluster, mode=mode))
    return power_operations.read_reboot(adapter.omni, operation)


def shutdown(adapter: MachineAdapter, id: str, body: Mapping[str, Any], *, dry_run: bool) -> Answer:
    """Shut a machine down through its own Talos API; only a person or its infra provider can start it again."""
    machine = connected(adapter, id)
    if dry_run:
        return DryRunResult(machine, machine)
    operation = boot_evidence.mark(adapter.omni, id).text
    force = body.get("force", False)
    ask(machine, lambda: adapter.omni.machines.shutdown(id, cluster=machine.cluster, force=force))
    return power_operations.read_shutdown(adapter.omni, operation)


def connected(adapter: MachineAdapter, id: str) -> Machine:
    """Return a connected machine; 409 for one that is being removed or is not connected."""
    machine = adapter.get(id)
    if machine.tearing_down:
        raise Problem(409, "tearing-down", f"Machine {id!r} is being removed.")
    if not machine.spec["connected"]:
        raise Problem(
            409, "conflict", f"Machine {id!r} is not connected to Omni, so it cannot be reached.", hint="Wait."
        )
    return machine


def ask(machine: Machine, call: Callable[[], None]) -> None:
    """Call the machine's own Talos; 501 if that Talos does not know the call."""
    try:
        call()
    except omni_errors.Unimplemented as error:
        raise problem_for(error, hint=f"The Talos of machine {machine.id!r} does not know this call.") from error


def power_on(adapter: MachineAdapter, id: str, body: Mapping[str, Any], *, dry_run: bool) -> Answer:
    """Switch a machine on through its infra provider; 409 if it has none."""
    machine = adapter.get(id)
    if dry_run:
        return DryRunResult(machine, machine)
    operation = boot_evidence.mark(adapter.omni, id).text
    hint = f"{_NOT_MANAGED} Start any other by hand."
    _switch(lambda: adapter.omni.management.machine_power_on(id), hint)
    return power_operations.read_power_on(adapter.omni, operation)


def power_off(adapter: MachineAdapter, id: str, body: Mapping[str, Any], *, dry_run: bool) -> Answer:
    """Switch a machine off through its infra provider, and keep it off; 409 if it has none."""
    machine = adapter.get(id)
    if dry_run:
        return DryRunResult(machine, machine)
    operation = boot_evidence.mark(adapter.omni, id).text
    hint = f"{_NOT_MANAGED} Shut any other down: POST /api/v1/machines/{id}/actions/shutdown."
    _switch(lambda: adapter.omni.management.machine_power_off(id), hint)
    return power_operations.read_power_off(adapter.omni, operation)


def _switch(call: Callable[[], None], hint: str) -> None:
    try:
        call()
    except omni_errors.FailedPrecondition as error:
        raise problem_for(error, hint=hint) from error


REBOOT = Action(
    "reboot",
    role=Role.OPERATOR,
    summary="Reboot the machine",
    body=MachineRebootActionSchema,
    example={"mode": "DEFAULT"},
    operation=power_operations.REBOOT,
    description="409 while the machine is not connected.",
    run=reboot,
)
SHUTDOWN = Action(
    "shutdown",
    role=Role.OPERATOR,
    summary="Shut the machine down; it has to be started by hand",
    body=MachineShutdownActionSchema,
    example={"force": False},
    operation=power_operations.SHUTDOWN,
    description="409 while the machine is not connected.",
    run=shutdown,
)
POWER_ON = Action(
    "power-on",
    role=Role.OPERATOR,
    summary="Switch the machine on through its infra provider",
    operation=power_operations.POWER_ON,
    description="409 where no infra provider can do it; a dry run cannot check that, only Omni can.",
    run=power_on,
)
POWER_OFF = Action(
    "power-off",
    role=Role.OPERATOR,
    summary="Switch the machine off through its infra provider, and keep it off",
    operation=power_operations.POWER_OFF,
    description="409 where no infra provider can do it; a dry run cannot check that, only Omni can.",
    run=power_off,
)
