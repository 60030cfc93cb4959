"""Installing or upgrading Talos on a free machine, while it waits in maintenance mode.

Omni refuses if the machine is not ready for it. The request waits for a refusal, not for the end of the work, which
goes on in Omni; an operation shows its progress.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from omni_gateway.sdk import (
    OmniClient,
    Operation,
    OperationKind,
    Problem,
    Resource,
    Role,
    SpecSchema,
)
from omni_gateway.sdk.actions import (
    Action,
    DryRunResult,
    State,
    problem_for,
    stages_in_order,
    unknown_after,
)
from omni_gateway.sdk.adapters import find, resources_of
from omni_gateway.sdk.omni import label_names, omni_errors, types
from resources.machine.actions.boot_evidence import MARK, machine_of, parse
from resources.machine.actions.talos_call import connected
from resources.machine.adapter import MachineAdapter
from resources.machine.join import Machine
from resources.machine.operation import hint_for, machine_operation
from resources.machine.schemas.subresources import MachineUpgradeStatusSchema

_KIND = "machine-maintenance"
_INSTALL = "install"
_VERSION = re.compile(r"v?\d{1,9}\.\d{1,9}\.\d{1,9}(?:-[0-9A-Za-z.-]{1,64})?\Z")
#: How long to wait for Omni's first message about an installation, in seconds; refusals come at once.
_FIRST_MESSAGE_SECONDS = 10.0
#: An installation writes a disk and reboots; after this many seconds its outcome is unknown.
BOUND_SECONDS = 1800.0
_upgrade_schema = MachineUpgradeStatusSchema()


class MachineMaintenanceActionSchema(SpecSchema):
    """The operation, with its version and disk."""

    operation = fields.String(
        required=True,
        validate=validate.OneOf([_INSTALL, "upgrade"]),
        metadata={"description": "`install`: put Talos on a disk. `upgrade`: change the Talos version"},
    )
    version = fields.String(
        validate=validate.Regexp(_VERSION, error="Must be a version such as 1.13.7."),
        metadata={
            "description": "Talos version; required for an upgrade. For an installation: the machine's own",
            "example": "1.13.7",
        },
    )
    disk = fields.String(
        validate=validate.Length(min=1, max=256),
        metadata={"description": "For an installation, required: the device, e.g. `/dev/sda`", "example": "/dev/sda"},
    )

    @ma.validates_schema
    def check_form(self, data: Mapping[str, Any], **_: Any) -> None:
        """Raise for members that are missing or belong to the other operation."""
        if data["operation"] == _INSTALL and not data.get("disk"):
            raise ma.ValidationError("Required for an installation.", "disk")
        if data["operation"] != _INSTALL and "disk" in data:
            raise ma.ValidationError("Goes with an installation only.", "disk")
        if data["operation"] != _INSTALL and not data.get("version"):
            raise ma.ValidationError("Required for an upgrade.", "version")


def maintenance(
    adapter: MachineAdapter, id: str, body: Mapping[str, Any], *, dry_run: bool
) -> Operation | DryRunResult:
    """Start the installation or upgrade of a free machine; 409 for a member of a cluster, 422 for wrong fields."""
    machine = connected(adapter, id)
    version = body.get("version", "").removeprefix("v")
    _check(adapter, machine, body, version)
    if dry_run:
        return DryRunResult(machine, machine)
    operation = _id(adapter.omni, id, _INSTALL if body["operation"] == _INSTALL else version)
    try:
        _begin(adapter, id, body, version)
    except omni_errors.FailedPrecondition as error:
        raise problem_for(error, hint="Look at the machine's status and at /operations; then try again.") from error
    return read_maintenance(adapter.omni, operation)


def _check(adapter: MachineAdapter, machine: Machine, body: Mapping[str, Any], version: str) -> None:
    if version and find(adapter.omni, types.TALOS_VERSIONS, version) is None:
        raise Problem(422, "validation", errors={"version": [f"Omni offers no Talos version {version!r}."]})
    disks = [disk.get("linux_name") for disk in (machine.spec.get("hardware") or {}).get("blockdevices") or ()]
    if "disk" in body and disks and body["disk"] not in disks:
        text = f"The machine has no disk {body['disk']!r}; it has {', '.join(sorted(filter(None, disks)))}."
        raise Problem(422, "validation", errors={"disk": [text]})
    if machine.cluster:
        raise Problem(
            409,
            "conflict",
            f"Machine {machine.id!r} belongs to cluster {machine.cluster!r}, which decides its Talos version.",
            hint=f"POST /api/v1/clusters/{machine.cluster}/actions/talos-upgrade.",
        )
    if body["operation"] == _INSTALL and label_names.LABEL_INSTALLED in machine.labels:
        raise Problem(409, "conflict", f"Talos is installed on machine {machine.id!r} already.", hint="Upgrade it.")


def _begin(adapter: MachineAdapter, id: str, body: Mapping[str, Any], version: str) -> None:
    """Call Omni and wait for its first message; without one in time the order counts as accepted."""
    calls = adapter.omni.management
    if body["operation"] != _INSTALL:
        calls.maintenance_upgrade(id, version)
        return
    stream = calls.maintenance_lifecycle(
        id, operation="install", version=version, disk=body["disk"], timeout=_FIRST_MESSAGE_SECONDS
    )
    with stream as messages:
        try:
            next(iter(messages), None)
        except omni_errors.DeadlineExceeded:
            return


def read_maintenance(omni: OmniClient, id: str) -> Operation:
    """Return the operation, from Omni's task, the upgrade status and the machine's report.

    The id holds the time of the request and the version of the upgrade status then, so that an older error is not taken
    for this operation's.
    """
    machine, wanted, started, version_before = _parsed(id)
    status = Resource.from_omni(omni.resources.get(types.MACHINE_STATUSES, machine))
    upgrade = find(omni, types.MACHINE_UPGRADE_STATUSES, machine)
    details = _upgrade_schema.render_spec(upgrade.spec) if upgrade else {}
    task = find(omni, types.ONGOING_TASKS, _task_of(machine))

    def operation(state: State, progress: str) -> Operation:
        begun = task is not None or state != "running"
        steps = [("taken up by Omni", begun), ("reported by the machine", False)]
        made = machine_operation(_KIND, id, machine, state, progress, details)
        return replace(made, started=started, stages=stages_in_order(steps, state))

    if task is not None:
        return operation("running", str(task.spec.get("title") or "Omni is at work."))
    if _reached(status, wanted):
        return operation("succeeded", "The machine reports that it is done.")
    if details.get("error") and upgrade is not None and upgrade.version > version_before:
        return operation("failed", details["error"])
    waiting = operation("running", "The machine has not reported it yet.")
    return unknown_after(waiting, BOUND_SECONDS, hint_for(machine))


def _id(omni: OmniClient, machine: str, wanted: str) -> str:
    """Return the id of an installation or upgrade requested now."""
    upgrade = find(omni, types.MACHINE_UPGRADE_STATUSES, machine)
    moment = str(int(time.time() * 1000))
    return MARK.join((machine, wanted, moment, str(upgrade.version if upgrade else 0)))


def _parsed(id: str) -> tuple[str, str, str | None, int]:
    """Return the machine, the target (a version or ``install``), the start time and the upgrade status's version."""
    machine, wanted, moment, version_before = (*id.split(MARK), "", "", "")[:4]
    before = parse(MARK.join((machine, "", moment, version_before)))
    return machine, wanted, before.started, before.snapshot


def _task_of(machine: str) -> str:
    return f"machine-{machine}-maintenance-upgrade"


def _under_way(omni: OmniClient) -> Iterator[Operation]:
    """Return the running upgrades; Omni has tasks for these, but none for installations."""
    for task in resources_of(omni.resources.list(types.ONGOING_TASKS)):
        if "machine_upgrade" not in task.spec or task.id != _task_of(str(task.spec.get("resource_id", ""))):
            continue
        machine = str(task.spec["resource_id"])
        wanted = str(task.spec["machine_upgrade"].get("talos_version", "")).removeprefix("v")
        operation = read_maintenance(omni, f"{machine}{MARK}{wanted}")
        yield replace(operation, started=task.created)


def _reached(status: Resource, wanted: str) -> bool:
    if wanted == _INSTALL:
        return label_names.LABEL_INSTALLED in status.labels
    running = str(status.spec.get("talos_version", "")).removeprefix("v")
    return bool(status.spec.get("connected")) and running == wanted


MAINTENANCE = Action(
    "maintenance",
    role=Role.OPERATOR,
    summary="Install or upgrade Talos on a free machine",
    body=MachineMaintenanceActionSchema,
    example={"operation": "upgrade", "version": "1.13.8"},
    operation=OperationKind(
        _KIND,
        read_maintenance,
        "Talos being installed or upgraded on a free machine",
        machine_of,
        under_way=_under_way,
    ),
    description="409 for a member of a cluster, and where Omni finds the machine not ready.",
    run=maintenance,
)
