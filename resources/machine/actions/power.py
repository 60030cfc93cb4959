"""The actions reboot, shutdown, power-on and power-off.

Their operations run until there is evidence of the end, or the bound has passed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from marshmallow import fields, validate

from omni_gateway.sdk import OmniClient, Operation, OperationKind, Resource, Role, SpecSchema
from omni_gateway.sdk import fields as wire
from omni_gateway.sdk.actions import Action, DryRunResult, State, problem_for, stages_in_order, unknown_after
from omni_gateway.sdk.adapters import find, resources_of
from omni_gateway.sdk.omni import omni_errors, types
from resources.machine.actions.boot_evidence import (
    BootMark,
    BootSigns,
    TalosStage,
    machine_of,
    mark,
    mark_of_rebooting,
    parse,
    signs,
    stage_of,
)
from resources.machine.actions.talos_call import ask, connected
from resources.machine.adapter import MachineAdapter
from resources.machine.operation import BOUND_SECONDS, hint_for, machine_operation
from resources.machine.schemas.status import PowerState

Answer = Operation | DryRunResult

_NOT_MANAGED = "Only a machine that a static infra provider manages (bare metal) can be switched through Omni."
_power_state = wire.Enum(PowerState)


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


def reboot(adapter: MachineAdapter, id: str, body: Mapping[str, Any], *, dry_run: bool) -> Answer:
    """Reboot a machine through its own Talos API; 409 if it is not connected."""
    machine = connected(adapter, id)
    if dry_run:
        return DryRunResult(machine, machine)
    operation = mark(adapter.omni, id).text
    mode = body.get("mode", "DEFAULT")
    ask(machine, lambda: adapter.omni.machines.reboot(id, cluster=machine.cluster, mode=mode))
    return read_reboot(adapter.omni, operation)


def read_reboot(omni: OmniClient, id: str) -> Operation:
    """Return the operation of a reboot: succeeded once the machine is back in another boot than the one in the id."""
    before = parse(id)
    now = signs(omni, before)
    if now.back:
        state, progress = "succeeded", "It is back."
    elif not now.connected:
        state, progress = "running", "It has gone down, and is not connected yet."
    elif now.down:
        state, progress = "running", f"It is on its way: {now.stage.name}."
    else:
        state, progress = "running", now.unchanged
    return _operation("machine-reboot", id, before, now, state, progress, [("down", now.down or now.rebooted)])


def _rebooting(omni: OmniClient) -> Iterator[Operation]:
    yield from (read_reboot(omni, id) for id in _operation_ids(omni, TalosStage.REBOOTING))


REBOOT = Action(
    "reboot",
    role=Role.OPERATOR,
    summary="Reboot the machine",
    body=MachineRebootActionSchema,
    example={"mode": "DEFAULT"},
    operation=OperationKind(
        "machine-reboot",
        read_reboot,
        "A machine rebooting, until it is connected in a new boot",
        machine_of,
        under_way=_rebooting,
    ),
    description="409 while the machine is not connected.",
    run=reboot,
)


class MachineShutdownActionSchema(SpecSchema):
    """Options of a shutdown."""

    body_optional = True

    force = wire.Boolean(load_default=False, metadata={"description": "Do not wait for workloads to leave"})


def shutdown(adapter: MachineAdapter, id: str, body: Mapping[str, Any], *, dry_run: bool) -> Answer:
    """Shut a machine down through its own Talos API; only a person or its infra provider can start it again."""
    machine = connected(adapter, id)
    if dry_run:
        return DryRunResult(machine, machine)
    operation = mark(adapter.omni, id).text
    force = body.get("force", False)
    ask(machine, lambda: adapter.omni.machines.shutdown(id, cluster=machine.cluster, force=force))
    return read_shutdown(adapter.omni, operation)


def read_shutdown(omni: OmniClient, id: str) -> Operation:
    """Return the operation of a shutdown: succeeded once the machine has gone down since the boot in the id."""
    before = parse(id)
    now = signs(omni, before)
    power = _power(_status(omni, before.machine))
    if not now.connected or power == PowerState.POWER_STATE_OFF.name:
        state, progress = "succeeded", "It is down."
    elif now.back:
        state, progress = "succeeded", "It went down, and has been started since."
    elif now.stage is TalosStage.SHUTTING_DOWN:
        state, progress = "running", "It is shutting down; Omni notices a lost connection after some minutes."
    else:
        state, progress = "running", now.unchanged
    going = now.stage is TalosStage.SHUTTING_DOWN
    operation = _operation("machine-shutdown", id, before, now, state, progress, [("shutting down", going)])
    return replace(operation, details={**operation.details, "power_state": power})


def _shutting_down(omni: OmniClient) -> Iterator[Operation]:
    for id in _operation_ids(omni, TalosStage.SHUTTING_DOWN):
        operation = read_shutdown(omni, id)
        if not operation.done:
            yield operation


SHUTDOWN = Action(
    "shutdown",
    role=Role.OPERATOR,
    summary="Shut the machine down; it has to be started by hand",
    body=MachineShutdownActionSchema,
    example={"force": False},
    operation=OperationKind(
        "machine-shutdown", read_shutdown, "A machine going down", machine_of, under_way=_shutting_down
    ),
    description="409 while the machine is not connected.",
    run=shutdown,
)


def power_on(adapter: MachineAdapter, id: str, body: Mapping[str, Any], *, dry_run: bool) -> Answer:
    """Switch a machine on through its infra provider; 409 if it has none."""
    machine = adapter.get(id)
    if dry_run:
        return DryRunResult(machine, machine)
    operation = mark(adapter.omni, id).text
    hint = f"{_NOT_MANAGED} Start any other by hand."
    _switch(lambda: adapter.omni.management.machine_power_on(id), hint)
    return read_power_on(adapter.omni, operation)


def read_power_on(omni: OmniClient, id: str) -> Operation:
    """Return the operation of a power-on: succeeded once the machine is on and connected.

    Without a power state the connection alone proves nothing, since Omni detects a lost one late: the machine must then
    have reported since the order.
    """
    before = parse(id)
    now, power = signs(omni, before), _power(_status(omni, before.machine))
    known = power in (PowerState.POWER_STATE_ON.name, PowerState.POWER_STATE_OFF.name)
    on = power == PowerState.POWER_STATE_ON.name if known else now.rebooted
    state: State = "succeeded" if on and now.connected else "running"
    return _power_operation("machine-power-on", id, before, now, state, power, [("switched on", on)])


POWER_ON = Action(
    "power-on",
    role=Role.OPERATOR,
    summary="Switch the machine on through its infra provider",
    operation=OperationKind(
        "machine-power-on", read_power_on, "A machine being switched on by its infra provider", machine_of
    ),
    description="409 where no infra provider can do it; a dry run cannot check that, only Omni can.",
    run=power_on,
)


def power_off(adapter: MachineAdapter, id: str, body: Mapping[str, Any], *, dry_run: bool) -> Answer:
    """Switch a machine off through its infra provider, and keep it off; 409 if it has none."""
    machine = adapter.get(id)
    if dry_run:
        return DryRunResult(machine, machine)
    operation = mark(adapter.omni, id).text
    hint = f"{_NOT_MANAGED} Shut any other down: POST /api/v1/machines/{id}/actions/shutdown."
    _switch(lambda: adapter.omni.management.machine_power_off(id), hint)
    return read_power_off(adapter.omni, operation)


def read_power_off(omni: OmniClient, id: str) -> Operation:
    """Return the operation of a power-off: succeeded by the power state or, if Omni has none, by a lost connection."""
    before = parse(id)
    now, power = signs(omni, before), _power(_status(omni, before.machine))
    known = power in (PowerState.POWER_STATE_ON.name, PowerState.POWER_STATE_OFF.name)
    off = power == PowerState.POWER_STATE_OFF.name if known else not now.connected
    return _power_operation("machine-power-off", id, before, now, "succeeded" if off else "running", power, [])


POWER_OFF = Action(
    "power-off",
    role=Role.OPERATOR,
    summary="Switch the machine off through its infra provider, and keep it off",
    operation=OperationKind(
        "machine-power-off", read_power_off, "A machine being switched off by its infra provider", machine_of
    ),
    description="409 where no infra provider can do it; a dry run cannot check that, only Omni can.",
    run=power_off,
)


def _switch(call: Callable[[], None], hint: str) -> None:
    try:
        call()
    except omni_errors.FailedPrecondition as error:
        raise problem_for(error, hint=hint) from error


def _power_operation(
    kind: str,
    id: str,
    before: BootMark,
    now: BootSigns,
    state: State,
    power: str,
    steps: list[tuple[str, bool]],
) -> Operation:
    progress = f"Its power state is {power}; it is {'' if now.connected else 'not '}connected."
    operation = _operation(kind, id, before, now, state, progress, steps)
    return replace(operation, details={"power_state": power})


def _operation(
    kind: str,
    id: str,
    before: BootMark,
    now: BootSigns,
    state: str,
    progress: str,
    steps: list[tuple[str, bool]],
) -> Operation:
    """Return the operation; ``unknown`` after ``BOUND_SECONDS`` without evidence."""
    known: State = "succeeded" if state == "succeeded" else "running"
    details = {
        "boot_id_before": before.boot_id,
        "boot_id": now.boot_id,
        "stage": now.stage.name,
        "evidence": now.evidence,
    }
    last = {"machine-reboot": "back", "machine-power-on": "connected"}.get(kind, "down")
    operation = replace(
        machine_operation(kind, id, before.machine, known, progress, details),
        started=before.started,
        stages=stages_in_order([("ordered", True), *steps, (last, False)], known),
    )
    return unknown_after(operation, BOUND_SECONDS, hint_for(before.machine))


def _status(omni: OmniClient, machine: str) -> Resource | None:
    return find(omni, types.MACHINE_STATUSES, machine)


def _power(status: Resource | None) -> str:
    return _power_state.render(status.spec.get("power_state", 0) if status else 0)


def _operation_ids(omni: OmniClient, stage: TalosStage) -> Iterator[str]:
    """Return operation ids for the machines in a stage, also for orders given outside of this gateway."""
    for snapshot in resources_of(omni.resources.list(types.MACHINE_STATUS_SNAPSHOTS)):
        if stage_of(snapshot) is stage:
            yield mark_of_rebooting(snapshot).text
