"""A machine's labels: its users' are kept in a MachineLabels object, and shown in its status among Omni's own.

A PATCH is read as the difference to the labels shown, and that difference is what is written: labels that come from
elsewhere are never copied into the users' object.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace

from omni_gateway.sdk import FieldErrors, OmniClient, Resource, find, label_names, types
from resources.machine.join import Machine, with_address

#: Label → its new value, or None to remove it.
Difference = Mapping[str, str | None]

#: How long a write waits for Omni to show the labels in the machine's status, in seconds; a read then has them.
SHOWN_WITHIN = 3.0
_FIRST_PAUSE = 0.005


def difference(wanted: Resource) -> dict[str, str | None]:
    """Return how the labels asked for differ from those that the machine's status showed."""
    shown = _shown(wanted)
    changed: dict[str, str | None] = {key: value for key, value in wanted.labels.items() if shown.get(key) != value}
    removed = [key for key in shown if key not in wanted.labels]
    if not wanted.labels:  # `labels: null` means the users' labels, nobody can mean Omni's
        removed = [key for key in removed if not key.startswith(label_names.OWN_PREFIX)]
    return changed | dict.fromkeys(removed)


def to_write(wanted: Resource, users: Resource | None) -> dict[str, str | None]:
    """Return the difference as far as the users' own object is concerned: what is not in it need not be removed."""
    own = users.labels if users else {}
    return {key: value for key, value in difference(wanted).items() if value is not None or key in own}


def opposite(changed: Difference, users: Resource | None) -> dict[str, str | None]:
    """Return the difference that leads back to ``users``."""
    own = users.labels if users else {}
    return {key: own.get(key) for key in changed}


def _shown(machine: Resource) -> Mapping[str, str]:
    status = machine.status if isinstance(machine, Machine) else None
    return with_address(status.labels if status else {}, machine.spec.get("management_address", ""))


def check(omni: OmniClient, existing: Machine, wanted: Resource, refusals: FieldErrors) -> None:
    """Note labels that are not the caller's to change: Omni's own, and those of the image, which cannot be removed."""
    changed = difference(wanted)
    if not changed:
        return
    users = read(omni, existing.id)
    for key, value in changed.items():
        if key.startswith(label_names.OWN_PREFIX):
            refusals.add(f"labels.{key}", f"Labels under {label_names.OWN_PREFIX} are Omni's own.")
        elif value is None and wanted.labels and key not in (users.labels if users else {}):
            text = "It comes from the machine's image: it can be given another value, but not be removed."
            refusals.add(f"labels.{key}", text)


def write(omni: OmniClient, machine: str, users: Resource | None, changed: Difference) -> None:
    """Put a difference over ``users``, the users' labels of a machine as they were read; None: there were none.

    Raises the stale-version error when somebody else wrote in the same moment.
    """
    if not changed:
        return
    if users is None:
        omni.resources.create(types.MACHINE_LABELS, machine, {}, labels=_applied({}, changed))
        return
    body = replace(users, labels=_applied(users.labels, changed)).to_omni()
    omni.resources.update(body, version=users.version)


def read(omni: OmniClient, machine: str) -> Resource | None:
    """Return the object that holds a machine's labels as its users set them."""
    return find(omni, types.MACHINE_LABELS, machine)


def _applied(labels: Mapping[str, str], changed: Difference) -> dict[str, str]:
    merged = {**labels, **changed}
    return {key: value for key, value in merged.items() if value is not None}


def wait_until_shown(omni: OmniClient, machine: str, changed: Difference) -> None:
    """Wait for Omni to copy a difference to the machine's status, so that whoever wrote it can read it.

    It takes Omni some milliseconds. An Omni that is slower than :data:`SHOWN_WITHIN` is not waited for: the labels
    are written, and will be shown.
    """
    deadline, pause = time.monotonic() + SHOWN_WITHIN, _FIRST_PAUSE
    while changed and time.monotonic() < deadline:
        status = find(omni, types.MACHINE_STATUSES, machine)
        if status is None or all(status.labels.get(key) == value for key, value in changed.items()):
            return
        time.sleep(pause)
        pause = min(pause * 2, 0.2)
