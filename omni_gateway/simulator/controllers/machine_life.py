"""The machine itself: carries it through its steps (reboots, installations, shutdowns) as time passes."""

from __future__ import annotations

import time

from omni_gateway.simulator.controller_runtime.context import Context, Controller, by_id
from omni_gateway.simulator.kinds import EMULATED_MACHINE
from omni_gateway.simulator.machines import machine_log
from omni_gateway.simulator.machines.hardware import Hardware, advance
from omni_gateway.simulator.state.resource import Resource


class MachineLife(Controller):
    """Key: a machine's id."""

    name = ""
    inputs = {EMULATED_MACHINE: by_id}

    def reconcile(self, ctx: Context, key: str) -> None:
        """Take the steps that are due, and come back when the next one is."""
        res = ctx.find(EMULATED_MACHINE, key)
        if res is None or not res.spec["steps"]:
            return
        lines: list[str] = []
        ends = 0.0

        def change(res: Resource) -> None:
            nonlocal ends
            hw = Hardware.of(res)
            lines.extend(advance(hw, ctx.speed))
            res.spec, ends = hw.spec(), hw.ends

        ctx.patch(EMULATED_MACHINE, key, change)
        machine_log.append(ctx.store, key, lines)
        if ends:
            ctx.after((ends - time.time()) * ctx.speed)
