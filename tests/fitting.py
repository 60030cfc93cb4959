"""Which free machines of an Omni can join a cluster of a Talos version, for tests that choose versions by them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

PREFIX = "omni.sidero.dev/"
#: Since this version Omni installs Talos itself, where machine and cluster run the second one or later.
OMNI_INSTALLS, INSTALLABLE = (1, 10), (1, 13)


def numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def fitting(statuses: Iterable[Mapping[str, Any]], talos: str, omni: str) -> list[str]:
    """Return the ids of the machines, by their MachineStatuses, that an Omni of a version lets into such a cluster."""
    return [str(status["metadata"]["id"]) for status in statuses if fits(status, talos, omni)]


def fits(status: Mapping[str, Any], talos: str, omni: str) -> bool:
    runs, wanted = numbers(status["spec"].get("talos_version", "")), numbers(talos)
    if not runs or runs[:2] > wanted[:2]:
        return False
    if f"{PREFIX}installed" in (status["metadata"].get("labels") or {}) or runs[:2] == wanted[:2]:
        return True
    return numbers(omni)[:2] >= OMNI_INSTALLS and runs[:2] >= INSTALLABLE
