"""A machine's log: the lines of its first boot, and a line for each thing that happened to it since.

A line is the JSON text that Omni's log stream carries: `msg`, `talos-level`, `talos-time`, `talos-service`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from omni_gateway.simulator.kinds import EMULATED_LOG, EMULATED_MACHINE, namespace_of
from omni_gateway.simulator.state.resource import Resource
from omni_gateway.simulator.state.store import Store

MAX_LINES = 500
"""Lines kept for a machine; older ones are dropped."""

_BOOT = (
    ("kernel", "Linux version 6.12 (simulated)"),
    ("machined", "boot sequence: starting Talos"),
    ("machined", "network: link eth0 is up"),
    ("siderolink", "siderolink: tunnel to Omni is up"),
    ("machined", "machine is running and ready"),
)


def _line(when: str, service: str, message: str) -> dict[str, str]:
    return {"msg": message, "talos-level": "info", "talos-service": service, "talos-time": when}


def stamp(when: datetime) -> str:
    """Return a moment as the log writes it: RFC 3339, UTC, microseconds."""
    return when.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def append(store: Store, machine_id: str, messages: Iterable[str], service: str = "machined") -> None:
    """Add lines to a machine's log, stamped with the present moment."""
    now = stamp(datetime.now(UTC))
    lines = [_line(now, service, message) for message in messages]
    if not lines or store.peek(namespace_of(EMULATED_MACHINE), EMULATED_MACHINE, machine_id) is None:
        return

    def change(res: Resource) -> None:
        kept: list[Any] = res.spec.get("lines", []) + lines
        res.spec = {"lines": kept[-MAX_LINES:], "written": res.spec.get("written", 0) + len(lines)}

    store.modify(namespace_of(EMULATED_LOG), EMULATED_LOG, machine_id, change, create=True)


def read(store: Store, machine_id: str, start: int = 0) -> tuple[list[bytes], int]:
    """Return a machine's log from the given position, and the position after its end.

    Positions count every line ever written, so that a follower misses none and repeats none.
    """
    machine = store.get(namespace_of(EMULATED_MACHINE), EMULATED_MACHINE, machine_id)
    born = stamp(machine.created or datetime.now(UTC))
    log = store.find(namespace_of(EMULATED_LOG), EMULATED_LOG, machine_id)
    kept: list[Any] = log.spec["lines"] if log else []
    end = len(_BOOT) + (log.spec["written"] if log else 0)
    lines = [_line(born, service, message) for service, message in _BOOT] + kept
    wanted = min(max(end - start, 0), len(lines))
    return [json.dumps(line).encode() for line in lines[len(lines) - wanted :]], end
