"""Reboots, shutdowns and power: under way until the machine's own report says otherwise.

The id of a reboot or shutdown holds the boot that it was ordered in, so that any replica can tell whether the machine
is still in it: a new boot has a new id (facts: MachineStatusSnapshots).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from omni_gateway.sdk import (
    OmniClient,
    Operation,
    OperationKind,
    Resource,
    find,
    types,
)
from omni_gateway.sdk import fields as wire
from resources.machine.operations import make
from resources.machine.status_schemas import PowerState

#: Between a machine's id and the id of a boot; stands in neither and needs no escape in a URL.
_MARK = "~"
_power_state = wire.Enum(PowerState)


def mark(omni: OmniClient, machine: str) -> str:
    """Return the id of an operation that begins now: the machine and its present boot."""
    return f"{machine}{_MARK}{_boot_id(omni, machine)}"


def machine_of(id: str) -> str:
    """Return the machine that an operation of such an id is about."""
    return id.partition(_MARK)[0]


def _boot_id(omni: OmniClient, machine: str) -> str:
    snapshot = find(omni, types.MACHINE_STATUS_SNAPSHOTS, machine)
    return str(snapshot.spec.get("boot_id", "")) if snapshot else ""


def _status(omni: OmniClient, machine: str) -> Resource:
    """Return the machine's status; ``omni_errors.NotFound`` when there is none."""
    return Resource.from_omni(omni.resources.get(types.MACHINE_STATUSES, machine))


def _connected(omni: OmniClient, machine: str) -> bool:
    """Whether the machine is connected, by the object that callers read that of (see :mod:`resources.machine.join`)."""
    return bool(omni.resources.get(types.MACHINES, machine).get("spec", {}).get("connected"))


def read_reboot(omni: OmniClient, id: str) -> Operation:
    """Tell whether a machine is back in another boot than the one that the id names."""
    machine, _, before = id.partition(_MARK)
    connected = _connected(omni, machine)
    boot = _boot_id(omni, machine)
    details = {"boot_id_before": before, "boot_id": boot}
    told = partial(make, "machine-reboot", id, machine, details=details)
    if boot == before:
        return told("running", "It has not gone down yet.")
    if not connected:
        return told("running", "It has gone down, and is not connected yet.")
    return told("succeeded", "It is back.")


def read_shutdown(omni: OmniClient, id: str) -> Operation:
    """Tell whether a machine has gone down since the boot that the id names."""
    machine, _, before = id.partition(_MARK)
    boot = _boot_id(omni, machine)
    power = _power(_status(omni, machine))
    details = {"boot_id_before": before, "boot_id": boot, "power_state": power}
    told = partial(make, "machine-shutdown", id, machine, details=details)
    if not _connected(omni, machine) or power == PowerState.POWER_STATE_OFF.name:
        return told("succeeded", "It is down.")
    if boot != before:
        return told("succeeded", "It went down, and has been started since.")
    return told("running", "It has not gone down yet.")


def read_power_on(omni: OmniClient, id: str) -> Operation:
    """Tell whether a machine is on and connected."""
    return _read_power(omni, "machine-power-on", id, lambda on, connected: on and connected)


def read_power_off(omni: OmniClient, id: str) -> Operation:
    """Tell whether a machine is off."""
    return _read_power(omni, "machine-power-off", id, lambda on, connected: not on)


def _read_power(omni: OmniClient, kind: str, id: str, done: Callable[[bool, bool], bool]) -> Operation:
    power, connected = _power(_status(omni, id)), _connected(omni, id)
    ended = done(power == PowerState.POWER_STATE_ON.name, connected)
    progress = f"Its power state is {power}; it is {'' if connected else 'not '}connected."
    return make(kind, id, id, "succeeded" if ended else "running", progress, {"power_state": power})


def _power(status: Resource) -> str:
    return _power_state.render(status.spec.get("power_state", 0))


REBOOT = OperationKind(
    "machine-reboot", read_reboot, "A machine rebooting, until it is connected in a new boot", machine_of
)
SHUTDOWN = OperationKind("machine-shutdown", read_shutdown, "A machine going down", machine_of)
POWER_ON = OperationKind("machine-power-on", read_power_on, "A machine being switched on by its infra provider")
POWER_OFF = OperationKind("machine-power-off", read_power_off, "A machine being switched off by its infra provider")
