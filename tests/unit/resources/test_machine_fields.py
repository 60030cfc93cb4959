"""The schemas against Omni's own messages: nothing that Omni knows of a machine is left out by oversight."""

from __future__ import annotations

import csv
from collections import defaultdict
from importlib import resources as packaged

import marshmallow as ma
import pytest
from marshmallow import fields

from resources.configpatch.schemas import ConfigPatchSchema
from resources.machine.schemas.machine import MachineSchema
from resources.machine.schemas.status import MachineStatusSchema
from resources.machine.schemas.subresources import (
    MachineConfigDiffSchema,
    MachineExtensionsStatusSchema,
    MachineKernelArgsSchema,
    MachinePendingUpdatesSchema,
    MachineUpgradeStatusSchema,
)

MESSAGES = {
    "MachineSpec": MachineSchema,
    "MachineStatusSpec": MachineStatusSchema,
    "MachineExtensionsStatusSpec": MachineExtensionsStatusSchema,
    "MachineUpgradeStatusSpec": MachineUpgradeStatusSchema,
    "KernelArgsStatusSpec": MachineKernelArgsSchema,
    "MachinePendingUpdatesSpec": MachinePendingUpdatesSchema,
    "MachineConfigDiffSpec": MachineConfigDiffSchema,
    "ConfigPatchSpec": ConfigPatchSchema,
}
#: Forms of a neighbouring text that only Omni's own clients can read.
LEFT_OUT = {"compressed_data", "compressed_diff", "compressed_config_diff"}


def known() -> dict[str, dict[str, str]]:
    """Return message → field → type, as Omni has them."""
    table: dict[str, dict[str, str]] = defaultdict(dict)
    text = (packaged.files("omni_gateway.simulator") / "data" / "fields.tsv").read_text()
    for row in csv.DictReader(text.splitlines(), delimiter="\t"):
        table[row["message"]][row["field"]] = row["type"]
    return table


def missing(schema: ma.Schema, message: str, table: dict[str, dict[str, str]]) -> list[str]:
    by_wire_name = {field.attribute or name: field for name, field in schema.fields.items()}
    found = []
    for name, type in table[message].items():
        field = by_wire_name.get(name)
        if field is None:
            found += [] if name in LEFT_OUT else [f"{message}.{name}"]
            continue
        inner = field.inner if isinstance(field, fields.List) else field
        if isinstance(inner, fields.Nested):
            found += missing(inner.schema, type, table)
    return found


@pytest.mark.parametrize("message", MESSAGES)
def test_every_field_of_the_message_can_be_read(message: str) -> None:
    table = known()
    assert table[f"specs.{message}"]
    assert missing(MESSAGES[message](), f"specs.{message}", table) == []
