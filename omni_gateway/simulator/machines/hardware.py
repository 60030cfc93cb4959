"""The emulated machines: their state and the steps that they go through.

A machine goes through steps (a reboot, an installation, …), one after another, each with a length and the state that is
true of the machine once it is over. The steps are part of the machine's stored state, so that a simulator that was
killed in the middle of a reboot goes on with the reboot.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from omni_gateway.simulator.kinds import EMULATED_MACHINE, namespace_of
from omni_gateway.simulator.state.resource import Resource
from omni_gateway.simulator.state.store import Store

CONTROL_PLANE, WORKER = 1, 2

STAGE_BOOTING, STAGE_CONFIGURING, STAGE_RUNNING, STAGE_DESTROYING, STAGE_REBOOTING = 1, 3, 4, 5, 7
STAGE_SHUTTING_DOWN, STAGE_BEFORE_DESTROY, STAGE_POWERING_ON, STAGE_POWERED_OFF = 8, 9, 10, 11
TALOS_BOOTING, TALOS_INSTALLING, TALOS_MAINTENANCE, TALOS_RUNNING = 1, 2, 3, 4
TALOS_REBOOTING, TALOS_SHUTTING_DOWN, TALOS_RESETTING, TALOS_UPGRADING = 5, 6, 7, 8

# Per kind of step: Omni's stage, Talos's own stage, and whether the machine can be reached meanwhile.
_STEP_STAGES: dict[str, tuple[int, int, bool]] = {
    "install": (STAGE_CONFIGURING, TALOS_INSTALLING, True),
    "apply": (STAGE_RUNNING, TALOS_RUNNING, True),
    "prepare-upgrade": (STAGE_RUNNING, TALOS_RUNNING, True),
    "upgrade": (STAGE_RUNNING, TALOS_UPGRADING, True),
    "maintenance-upgrade": (STAGE_RUNNING, TALOS_UPGRADING, True),
    "reboot": (STAGE_REBOOTING, TALOS_REBOOTING, False),
    "upgrade-reboot": (STAGE_REBOOTING, TALOS_REBOOTING, False),
    "shutdown": (STAGE_SHUTTING_DOWN, TALOS_SHUTTING_DOWN, True),
    "off": (STAGE_POWERED_OFF, 0, False),
    "power-on": (STAGE_POWERING_ON, TALOS_BOOTING, False),
    "boot": (STAGE_BOOTING, TALOS_BOOTING, False),
    "leave": (STAGE_BEFORE_DESTROY, TALOS_RUNNING, True),
    "reset": (STAGE_DESTROYING, TALOS_RESETTING, True),
}


MAX_QUEUED_STEPS = 6
OFF_SECONDS = 120.0
"""How long a machine stays off after a shutdown; then it is powered on by itself."""

UPGRADE_STEPS = ("prepare-upgrade", "upgrade", "maintenance-upgrade", "upgrade-reboot")


@dataclass
class Step:
    """Something a machine does for a while.

    `seconds` are lifecycle seconds; `then` are the fields that change when the step is over; `log` is the line
    the machine writes when it begins.
    """

    kind: str
    seconds: float
    then: dict[str, Any] = field(default_factory=dict)
    log: str = ""


@dataclass
class Hardware:
    """One emulated machine. Versions are without `v`; `ends` and `since` are Unix seconds.

    `tells_boot_id` False: Omni shows no boot id of it, as Omni 1.7 does of any.
    """

    hostname: str = ""
    address: str = ""
    join_token: str = ""
    shape: dict[str, Any] = field(default_factory=dict)
    power: str = "on"
    boot_id: str = ""
    tells_boot_id: bool = True
    talos_version: str = ""
    initial_talos_version: str = ""
    extensions: list[str] = field(default_factory=list)
    initial_extensions: list[str] = field(default_factory=list)
    extra_kernel_args: list[str] = field(default_factory=list)
    installed: bool = False
    disk: str = ""
    cluster: str = ""
    role: int = 0
    config_sha: str = ""
    config_version: int = 0
    components: dict[str, str] = field(default_factory=dict)
    etcd_member_id: int = 0
    node_identity: str = ""
    steps: list[dict[str, Any]] = field(default_factory=list)
    ends: float = 0.0
    since: float = 0.0

    @classmethod
    def of(cls, res: Resource) -> Hardware:
        """Read a machine from its resource."""
        return cls(**res.spec)

    def spec(self) -> dict[str, Any]:
        """Return the machine as a resource's spec."""
        return dict(vars(self))

    @property
    def step(self) -> str:
        """The kind of the step under way, or nothing."""
        return self.steps[0]["kind"] if self.steps else ""

    @property
    def idle(self) -> bool:
        """Whether the machine is on and free to begin something."""
        return self.power == "on" and not self.steps

    @property
    def connected(self) -> bool:
        """Whether Omni can reach the machine."""
        return self.power == "on" and (not self.steps or _STEP_STAGES[self.step][2])

    @property
    def stage(self) -> int:
        """Omni's stage of a machine that belongs to a cluster."""
        if self.power != "on" and not self.steps:
            return STAGE_POWERED_OFF
        if self.steps:
            return _STEP_STAGES[self.step][0]
        return STAGE_RUNNING if self.cluster else STAGE_CONFIGURING

    @property
    def talos_stage(self) -> int:
        """The stage that Talos itself reports."""
        if self.steps:
            return _STEP_STAGES[self.step][1]
        if self.power != "on":
            return 0
        return TALOS_RUNNING if self.cluster else TALOS_MAINTENANCE


def find(store: Store, machine_id: str) -> Hardware | None:
    """Return an emulated machine, or None when there is none of that id."""
    res = store.find(namespace_of(EMULATED_MACHINE), EMULATED_MACHINE, machine_id)
    return None if res is None else Hardware.of(res)


def begin(store: Store, machine_id: str, steps: Sequence[Step], *, queue: bool = False) -> bool:
    """Start a sequence of steps on a machine; return whether it starts.

    A machine that is busy does not; with `queue` it does it afterwards, unless it has enough to do already.
    """
    begun = False

    def change(res: Resource) -> None:
        nonlocal begun
        waiting = res.spec["steps"]
        if waiting and (not queue or len(waiting) >= MAX_QUEUED_STEPS):
            return
        res.spec["steps"] = waiting + [vars(step) for step in steps]
        begun = True

    store.modify(namespace_of(EMULATED_MACHINE), EMULATED_MACHINE, machine_id, change)
    return begun


def set_fields(store: Store, machine_id: str, fields: Mapping[str, Any]) -> None:
    """Change a machine at once, without a step: for causes outside of the machine."""
    store.modify(namespace_of(EMULATED_MACHINE), EMULATED_MACHINE, machine_id, lambda res: res.spec.update(fields))


def reboot_steps() -> list[Step]:
    """Return the steps of a reboot."""
    return [Step("reboot", 2.0, {"boot_id": str(uuid.uuid4())}, "rebooting: stopping all services")]


def shutdown_steps() -> list[Step]:
    """Return the steps of a shutdown: off for a while, then on again."""
    return [
        Step("shutdown", 1.5, {"power": "off"}, "shutting down: stopping all services"),
        Step("off", OFF_SECONDS, {"power": "on"}),
        Step("power-on", 0.5, {}, "power on"),
        Step("boot", 2.0, {"boot_id": str(uuid.uuid4())}, "booting Talos"),
    ]


def advance(hw: Hardware, speed: float) -> list[str]:
    """Move a machine through the steps that are over by now; return the lines it logged.

    The caller stores the machine and comes back at `hw.ends`.
    """
    lines: list[str] = []
    now = time.time()
    while hw.steps:
        current = hw.steps[0]
        if not hw.ends:
            hw.ends = now + current["seconds"] / speed
            if current["log"]:
                lines.append(current["log"])
        if now < hw.ends:
            break
        for name, value in current["then"].items():
            setattr(hw, name, value)
        hw.steps, hw.ends, hw.since = hw.steps[1:], 0.0, now
    return lines
