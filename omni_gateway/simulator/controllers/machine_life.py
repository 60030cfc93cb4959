"""The machine itself: carries it through its steps (reboots, installations, shutdowns) as time passes."""

from __future__ import annotations

import time

from omni_gateway.simulator import machinelog
from omni_gateway.simulator.context import Context, Controller, by_id
from omni_gateway.simulator.hardware import Hardware, advance
from omni_gateway.simulator.kinds import EMULATED_MACHINE
from omni_gateway.simulator.resource import Resource


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
        machinelog.append(ctx.store, key, lines)
        if ends:
            ctx.after((ends - time.time()) * ctx.speed)
