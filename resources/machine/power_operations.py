"""Operations of reboots, shutdowns and power: running until there is evidence of the end, or the bound has passed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from omni_gateway.sdk import (
    OmniClient,
    Operation,
    OperationKind,
    Resource,
)
from omni_gateway.sdk import fields as wire
from omni_gateway.sdk.actions import State, stages_in_order, unknown_after
from omni_gateway.sdk.adapters import find, object_url, resources_of
from omni_gateway.sdk.omni import types
from resources.machine import boot_evidence
from resources.machine.boot_evidence import BootMark, BootSigns, TalosStage, machine_of
from resources.machine.operations import make
from resources.machine.status_schemas import PowerState

#: Servers that test their memory take minutes to start; after this many seconds the outcome is unknown.
BOUND_SECONDS = 900.0
_power_state = wire.Enum(PowerState)


def hint_for(machine: str) -> str:
    """Return the hint for an operation without evidence: the URLs to check."""
    url = object_url("machines", machine)
    return f"Look at {url} (connected, power_state), {url}/logs and the machine's console."


def read_reboot(omni: OmniClient, id: str) -> Operation:
    """Return the operation of a reboot: succeeded once the machine is back in another boot than the one in the id."""
    before = boot_evidence.parse(id)
    now = boot_evidence.signs(omni, before)
    if now.back:
        state, progress = "succeeded", "It is back."
    elif not now.connected:
        state, progress = "running", "It has gone down, and is not connected yet."
    elif now.down:
        state, progress = "running", f"It is on its way: {now.stage.name}."
    else:
        state, progress = "running", now.unchanged
    return _operation("machine-reboot", id, before, now, state, progress, [("down", now.down or now.rebooted)])


def read_shutdown(omni: OmniClient, id: str) -> Operation:
    """Return the operation of a shutdown: succeeded once the machine has gone down since the boot in the id."""
    before = boot_evidence.parse(id)
    now = boot_evidence.signs(omni, before)
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


def read_power_on(omni: OmniClient, id: str) -> Operation:
    """Return the operation of a power-on: succeeded once the machine is on and connected.

    Without a power state the connection alone proves nothing, since Omni detects a lost one late: the machine must then
    have reported since the order.
    """
    before = boot_evidence.parse(id)
    now, power = boot_evidence.signs(omni, before), _power(_status(omni, before.machine))
    known = power in (PowerState.POWER_STATE_ON.name, PowerState.POWER_STATE_OFF.name)
    on = power == PowerState.POWER_STATE_ON.name if known else now.rebooted
    state: State = "succeeded" if on and now.connected else "running"
    return _power_operation("machine-power-on", id, before, now, state, power, [("switched on", on)])


def read_power_off(omni: OmniClient, id: str) -> Operation:
    """Return the operation of a power-off: succeeded by the power state or, if Omni has none, by a lost connection."""
    before = boot_evidence.parse(id)
    now, power = boot_evidence.signs(omni, before), _power(_status(omni, before.machine))
    known = power in (PowerState.POWER_STATE_ON.name, PowerState.POWER_STATE_OFF.name)
    off = power == PowerState.POWER_STATE_OFF.name if known else not now.connected
    return _power_operation("machine-power-off", id, before, now, "succeeded" if off else "running", power, [])


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
        make(kind, id, before.machine, known, progress, details),
        started=before.started,
        stages=stages_in_order([("ordered", True), *steps, (last, False)], known),
    )
    return unknown_after(operation, BOUND_SECONDS, hint_for(before.machine))


def _status(omni: OmniClient, machine: str) -> Resource | None:
    return find(omni, types.MACHINE_STATUSES, machine)


def _power(status: Resource | None) -> str:
    return _power_state.render(status.spec.get("power_state", 0) if status else 0)


def _rebooting(omni: OmniClient) -> Iterator[Operation]:
    yield from (read_reboot(omni, id) for id in _marks_of(omni, TalosStage.REBOOTING))


def _shutting_down(omni: OmniClient) -> Iterator[Operation]:
    for id in _marks_of(omni, TalosStage.SHUTTING_DOWN):
        operation = read_shutdown(omni, id)
        if not operation.done:
            yield operation


def _marks_of(omni: OmniClient, stage: TalosStage) -> Iterator[str]:
    """Return operation ids for the machines in a stage, also for orders given outside of this gateway."""
    for snapshot in resources_of(omni.resources.list(types.MACHINE_STATUS_SNAPSHOTS)):
        if boot_evidence.stage_of(snapshot) is stage:
            yield boot_evidence.mark_of_rebooting(snapshot).text


REBOOT = OperationKind(
    "machine-reboot",
    read_reboot,
    "A machine rebooting, until it is connected in a new boot",
    machine_of,
    under_way=_rebooting,
)
SHUTDOWN = OperationKind(
    "machine-shutdown", read_shutdown, "A machine going down", machine_of, under_way=_shutting_down
)
POWER_ON = OperationKind(
    "machine-power-on", read_power_on, "A machine being switched on by its infra provider", machine_of
)
POWER_OFF = OperationKind(
    "machine-power-off", read_power_off, "A machine being switched off by its infra provider", machine_of
)
