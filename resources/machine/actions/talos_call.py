"""Calls of a machine's own Talos API, through Omni."""

from __future__ import annotations

from collections.abc import Callable

from omni_gateway.sdk import Problem
from omni_gateway.sdk.actions import problem_for
from omni_gateway.sdk.omni import omni_errors
from resources.machine.adapter import MachineAdapter
from resources.machine.join import Machine


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
