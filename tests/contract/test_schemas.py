"""What schemas say of Omni's specs is what Omni's own messages say: names, enums' values, kinds, nested messages.

``omni_gateway/omni/data`` has the tables of a real Omni's messages; each plugin's schema is held against the message
of its adapter's type. A schema need not show everything, and may show more: what it computes is ``dump_only``.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import marshmallow as ma
from flask import Flask
from marshmallow import fields

import omni_gateway.omni
from omni_gateway.rest import fields as wire
from omni_gateway.sdk import ResourceSchema, SubResource
from omni_gateway.sdk.actions import SubList

DATA = Path(omni_gateway.omni.__file__).parent / "data"
#: Kind on the wire → the field that it takes.
FIELDS: dict[str, type[ma.fields.Field]] = {
    "enum": wire.Enum,
    "bool": wire.Boolean,
    "string": fields.String,
    "int32": fields.Integer,
    "uint32": fields.Integer,
    "int64": wire.Int64,
    "uint64": wire.Int64,
    "double": fields.Float,
    "float": fields.Float,
    "google.protobuf.Timestamp": wire.Timestamp,
    "google.protobuf.Duration": wire.Duration,
}
#: Put together of several types, or with what labels say: not all of their members are those of one message.
GATHERED = {
    "EtcdBackupSchema",
    "ExposedServiceSchema",
    "FleetClusterMetricsSchema",
    "MachineSchema",
    "PlatformSchema",
    "SchematicSchema",
}
ENVELOPE = ("id", "namespace", "labels", "annotations", "metadata", "links")


def rows(name: str) -> list[dict[str, str]]:
    with (DATA / f"{name}.tsv").open() as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


MESSAGE_OF_TYPE = {row["type"]: row["spec_message"] for row in rows("types")}
MESSAGES: dict[str, dict[str, dict[str, str]]] = {}
for _row in rows("fields"):
    MESSAGES.setdefault(_row["message"], {})[_row["field"]] = _row
ENUMS: dict[str, dict[str, int]] = {}
for _row in rows("enums"):
    ENUMS.setdefault(_row["enum"], {})[_row["value"]] = int(_row["number"])


def pairs(app: Flask) -> Iterator[tuple[str, ma.Schema]]:
    """Return each schema with the Omni type that it shows."""
    for plugin in app.extensions["omni_gateway"].plugins.values():
        yield plugin.adapter.type, plugin.schema
        for sub in getattr(plugin, "subresources", ()):
            if isinstance(sub, (SubResource, SubList)):
                yield sub.adapter.type, sub.schema()


def inner(field: ma.fields.Field) -> ma.fields.Field:
    return field.inner if isinstance(field, fields.List) else field


def differences(schema: ma.Schema, message: str, place: str = "") -> Iterator[str]:
    skipped = set(ENVELOPE) if isinstance(schema, ResourceSchema) else set()
    skipped |= set(getattr(schema, "aliases", ())) | getattr(schema, "request_only", frozenset())
    for name, field in schema.fields.items():
        key = field.attribute or name
        said = MESSAGES[message].get(key)
        second_name = field.dump_only and key != name and key in schema.fields
        if name in skipped or second_name or (said is None and field.dump_only):
            continue
        where = f"{place}{name}"
        if said is None:
            if type(schema).__name__ not in GATHERED:
                yield f"{where}: {message} has no such field"
            continue
        yield from difference(field, said, where)


def difference(field: ma.fields.Field, said: dict[str, str], where: str) -> Iterator[str]:
    kind, one = said["type"], inner(field)
    if (said["label"] == "repeated") != isinstance(field, fields.List):
        yield f"{where}: {said['label']} {kind} is a {type(field).__name__}"
    elif kind.startswith("enum ") and isinstance(one, wire.Enum):
        values = ENUMS[kind.removeprefix("enum ")]
        if {name: member.value for name, member in one.enum.__members__.items()} != values:
            yield f"{where}: {kind} has {values}, not {list(one.enum.__members__)}"
    elif kind in MESSAGES and isinstance(one, fields.Nested):
        yield from differences(one.schema, kind, f"{where}.")
    elif not isinstance(one, FIELDS.get(kind.split(" ")[0], ma.fields.Field)):
        yield f"{where}: {kind} is a {type(one).__name__}"


def test_schemas_say_of_omnis_specs_what_omni_says(app: Flask) -> None:
    wrong = {
        type(schema).__name__: found
        for omni_type, schema in pairs(app)
        if (message := MESSAGE_OF_TYPE.get(omni_type)) in MESSAGES and (found := list(differences(schema, message)))
    }
    assert wrong == {}, json.dumps(wrong, indent=1)


def test_most_schemas_are_of_omnis_types(app: Flask) -> None:
    known = [kind for kind, _ in pairs(app) if MESSAGE_OF_TYPE.get(kind) in MESSAGES]
    assert len(known) > 50
