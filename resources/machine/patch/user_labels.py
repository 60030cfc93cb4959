"""A machine's labels: users' labels are stored in MachineLabels and merged with Omni's own in the machine's status.

A PATCH is reduced to its difference from the labels in the status, and only the difference is written, so labels from
other sources are never copied into the users' object.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace

from omni_gateway.sdk import FieldErrors, OmniClient, Resource
from omni_gateway.sdk.adapters import find
from omni_gateway.sdk.omni import label_names, types
from resources.machine.join import Machine, with_address

#: Label → its new value, or None to remove it.
Difference = Mapping[str, str | None]

#: How long a write waits for the labels to appear in the machine's status, in seconds: the next read then has them.
SHOWN_WITHIN = 3.0
_FIRST_PAUSE = 0.005


def difference(wanted: Resource) -> dict[str, str | None]:
    """Return the difference between the requested labels and those in the machine's status."""
    shown = _shown(wanted)
    changed: dict[str, str | None] = {key: value for key, value in wanted.labels.items() if shown.get(key) != value}
    removed = [key for key in shown if key not in wanted.labels]
    if not wanted.labels:  # `labels: null` removes users' labels only: Omni's own cannot be removed
        removed = [key for key in removed if not key.startswith(label_names.OWN_PREFIX)]
    return changed | dict.fromkeys(removed)


def to_write(wanted: Resource, users: Resource | None) -> dict[str, str | None]:
    """Return the difference without removals of labels that the users' object does not have."""
    own = users.labels if users else {}
    return {key: value for key, value in difference(wanted).items() if value is not None or key in own}


def opposite(changed: Difference, users: Resource | None) -> dict[str, str | None]:
    """Return the difference that restores ``users``."""
    own = users.labels if users else {}
    return {key: own.get(key) for key in changed}


def _shown(machine: Resource) -> Mapping[str, str]:
    status = machine.status if isinstance(machine, Machine) else None
    return with_address(status.labels if status else {}, machine.spec.get("management_address", ""))


def check(omni: OmniClient, existing: Machine, wanted: Resource, refusals: FieldErrors) -> None:
    """Add to ``refusals`` changes of Omni's own labels, and removals of labels that come from the image."""
    changed = difference(wanted)
    if not changed:
        return
    users = read_once(omni, existing)
    for key, value in changed.items():
        if key.startswith(label_names.OWN_PREFIX):
            refusals.add(f"labels.{key}", f"Labels under {label_names.OWN_PREFIX} are Omni's own.")
        elif value is None and wanted.labels and key not in (users.labels if users else {}):
            text = "It comes from the machine's image: it can be overridden, but not removed."
            refusals.add(f"labels.{key}", text)


def write(omni: OmniClient, machine: str, users: Resource | None, changed: Difference) -> None:
    """Apply a difference to ``users``, the users' labels as they were read; None if the object did not exist.

    Raises the stale-version error after a concurrent write.
    """
    if not changed:
        return
    if users is None:
        omni.resources.create(types.MACHINE_LABELS, machine, {}, labels=_applied({}, changed))
        return
    body = replace(users, labels=_applied(users.labels, changed)).to_omni()
    omni.resources.update(body, version=users.version)


def read(omni: OmniClient, machine: str) -> Resource | None:
    """Return the object with a machine's users' labels; None if there is none."""
    return find(omni, types.MACHINE_LABELS, machine)


def read_once(omni: OmniClient, machine: Machine) -> Resource | None:
    """Return what :func:`read` does, read once for each time that the machine was read."""
    parts = machine.read_for_write
    if types.MACHINE_LABELS not in parts:
        parts[types.MACHINE_LABELS] = read(omni, machine.id)
    return parts[types.MACHINE_LABELS]


def _applied(labels: Mapping[str, str], changed: Difference) -> dict[str, str]:
    merged = {**labels, **changed}
    return {key: value for key, value in merged.items() if value is not None}


def wait_until_shown(omni: OmniClient, machine: str, changed: Difference) -> Resource | None:
    """Wait until Omni has copied a difference to the machine's status, so that the caller reads its own write.

    It usually takes Omni some milliseconds. Returns the status that shows the difference; None where there is no
    status, and after :data:`SHOWN_WITHIN` seconds: the labels are written and will appear.
    """
    deadline, pause = time.monotonic() + SHOWN_WITHIN, _FIRST_PAUSE
    while time.monotonic() < deadline:
        status = find(omni, types.MACHINE_STATUSES, machine)
        if status is None or all(status.labels.get(key) == value for key, value in changed.items()):
            return status
        time.sleep(pause)
        pause = min(pause * 2, 0.2)
    return None
