"""Evidence of whether a machine has gone down, or come back, since an order was given.

The id of an operation holds the machine's state at the time of the order, so any replica can compare it with the state
now. Three signs are compared, the most reliable first:

* the boot id in MachineStatusSnapshots, which Omni has since 1.8;
* the number of Talos's reports: Omni writes the snapshot once per report (rebooting, booting, running), so its version
  counts them;
* the connection: Omni writes the Machine when it is lost and when it is back, but detects a loss only after minutes.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum

from omni_gateway.sdk import OmniClient, Resource
from omni_gateway.sdk.adapters import find
from omni_gateway.sdk.omni import types

#: Separator of an id's parts: occurs in none of them and needs no escape in a URL.
MARK = "~"
#: Digits of a number in an id, at most: ids come from callers, and a longer number is no version or time.
_MAX_DIGITS = 15


class TalosStage(IntEnum):
    """``machine.MachineStatusEvent.MachineStage``."""

    UNKNOWN = 0
    BOOTING = 1
    INSTALLING = 2
    MAINTENANCE = 3
    RUNNING = 4
    REBOOTING = 5
    SHUTTING_DOWN = 6
    RESETTING = 7
    UPGRADING = 8


@dataclass(frozen=True, slots=True)
class BootMark:
    """A machine's state when an order was given; a version of -1 was not recorded."""

    machine: str
    boot_id: str = ""
    started: str | None = None
    snapshot: int = -1
    connection: int = -1

    @property
    def text(self) -> str:
        """Return the mark as an operation's id."""
        moment = str(int(datetime.fromisoformat(self.started).timestamp() * 1000)) if self.started else ""
        return MARK.join((self.machine, self.boot_id, moment, str(self.snapshot), str(self.connection)))


@dataclass(frozen=True, slots=True)
class BootSigns:
    """The machine's state now, and whether it has rebooted since the mark."""

    boot_id: str
    stage: TalosStage
    connected: bool
    rebooted: bool
    evidence: str

    @property
    def down(self) -> bool:
        """Whether it is down, or going down or coming up."""
        return not self.connected or self.stage in _ON_THE_WAY

    @property
    def unchanged(self) -> str:
        """The progress text while no change is seen; only a boot id proves that there was none."""
        if self.evidence == "boot_id":
            return "It has not gone down yet."
        return "Nothing shows yet that it has gone down. Omni tells no boot id of it, so it may go unseen."

    @property
    def back(self) -> bool:
        """Whether it is up again after it was down."""
        return self.rebooted and self.connected and (self.evidence == "boot_id" or self.stage not in _ON_THE_WAY)


_ON_THE_WAY = (TalosStage.BOOTING, TalosStage.REBOOTING, TalosStage.SHUTTING_DOWN)


def mark(omni: OmniClient, machine: str) -> BootMark:
    """Return the mark for an order that is given now."""
    snapshot, connection = _snapshot(omni, machine), find(omni, types.MACHINES, machine)
    now = datetime.fromtimestamp(int(time.time() * 1000) / 1000, UTC)
    return BootMark(
        machine,
        _boot_id(snapshot),
        _text(now),
        snapshot.version if snapshot else 0,
        connection.version if connection else 0,
    )


def mark_of_rebooting(snapshot: Resource) -> BootMark:
    """Return a mark for a machine found going down, as if the order had been given just before."""
    return BootMark(snapshot.id, _boot_id(snapshot), snapshot.updated, snapshot.version - 1, -1)


def parse(id: str) -> BootMark:
    """Parse an operation's id; parts that are missing or malformed count as not recorded."""
    machine, *rest = id.split(MARK)
    boot_id, moment, snapshot, connection = (*rest, "", "", "", "")[:4]
    return BootMark(machine, boot_id, _moment(moment), _number(snapshot), _number(connection))


def machine_of(id: str) -> str:
    """Return the machine id in an operation's id."""
    return id.partition(MARK)[0]


def signs(omni: OmniClient, before: BootMark) -> BootSigns:
    """Compare a machine with its mark; raises ``omni_errors.NotFound`` if there is no such machine."""
    machine = Resource.from_omni(omni.resources.get(types.MACHINES, before.machine))
    snapshot = _snapshot(omni, before.machine)
    boot_id, connected = _boot_id(snapshot), bool(machine.spec.get("connected"))
    stage = stage_of(snapshot)
    if before.boot_id and boot_id:
        return BootSigns(boot_id, stage, connected, boot_id != before.boot_id, "boot_id")
    reports = snapshot.version - before.snapshot if snapshot and before.snapshot >= 0 else 0
    changes = machine.version - before.connection if before.connection >= 0 else 0
    if reports >= 2:
        return BootSigns(boot_id, stage, connected, True, "reports")
    # One write alone may be a controller's finalizer; only with a report of Talos between is it evidence of a reboot.
    lost_and_back = changes >= 2 and reports >= 1
    return BootSigns(boot_id, stage, connected, lost_and_back, "connection" if lost_and_back else "none")


def stage_of(snapshot: Resource | None) -> TalosStage:
    """Return the stage of Talos's last report; ``UNKNOWN`` without a snapshot."""
    number = (snapshot.spec.get("machine_status") or {}).get("stage", 0) if snapshot else 0
    return TalosStage(number) if number in TalosStage.__members__.values() else TalosStage.UNKNOWN


def _snapshot(omni: OmniClient, machine: str) -> Resource | None:
    return find(omni, types.MACHINE_STATUS_SNAPSHOTS, machine)


def _boot_id(snapshot: Resource | None) -> str:
    return str(snapshot.spec.get("boot_id", "")) if snapshot else ""


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS else -1


def _moment(text: str) -> str | None:
    milliseconds = _number(text)
    if milliseconds < 0:
        return None
    try:
        return _text(datetime.fromtimestamp(milliseconds / 1000, UTC))
    except (ValueError, OverflowError, OSError):
        return None


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
