"""Our .proto sources say on the wire what Omni's own say.

``data/wire_*.tsv`` are tables of a real Omni's messages, enums and RPCs. Every field number, name, type and label of
ours is compared with them, and nothing of the files that we take whole may be missing.
"""

from __future__ import annotations

import csv
import filecmp
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import google.rpc
import pytest
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor, FileDescriptor

from omni_gateway.stubs import (
    auth_pb2,
    common_pb2,
    cosi_resource_pb2,
    machine_pb2,
    management_pb2,
    oidc_pb2,
    omni_common_pb2,
    resources_pb2,
)

ROOT = Path(__file__).parents[2]
DATA = Path(__file__).parent / "data"
WHOLE = [auth_pb2, common_pb2, management_pb2, oidc_pb2, omni_common_pb2, resources_pb2]
PARTS = [cosi_resource_pb2, machine_pb2]
FILES: list[FileDescriptor] = [module.DESCRIPTOR for module in (*WHOLE, *PARTS)]
SOURCES = {
    "auth.proto": "auth/auth.proto",
    "common.proto": "common/common.proto",
    "management.proto": "omni/management/management.proto",
    "oidc.proto": "omni/oidc/oidc.proto",
    "omni_common.proto": "common/omni.proto",
    "resources.proto": "omni/resources/resources.proto",
}
WHOLE_SOURCES = set(SOURCES.values())


def table(name: str) -> list[dict[str, str]]:
    with (DATA / f"wire_{name}.tsv").open() as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def messages() -> Iterator[Descriptor]:
    def nested(message: Descriptor) -> Iterator[Descriptor]:
        if message.GetOptions().map_entry:
            return
        yield message
        for child in message.nested_types:
            yield from nested(child)

    for file in FILES:
        for message in file.message_types_by_name.values():
            yield from nested(message)


def enums() -> Iterator[EnumDescriptor]:
    for file in FILES:
        yield from file.enum_types_by_name.values()
    for message in messages():
        yield from message.enum_types


SCALARS = {
    getattr(FieldDescriptor, f"TYPE_{name.upper()}"): name
    for name in ("string", "bytes", "bool", "int32", "int64", "uint32", "uint64", "double", "float")
}


def type_of(field: FieldDescriptor) -> str:
    if field.message_type is not None:
        if field.message_type.GetOptions().map_entry:
            key, value = field.message_type.fields
            return f"map<{type_of(key)}, {type_of(value)}>"
        return field.message_type.full_name
    return f"enum {field.enum_type.full_name}" if field.enum_type is not None else SCALARS[field.type]


def label_of(field: FieldDescriptor) -> str:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        return "map"
    if field.is_repeated:
        return "repeated"
    oneof = field.containing_oneof
    return "optional" if oneof is not None and oneof.name == f"_{field.name}" else "singular"


OURS = {
    (message.full_name, field.name): (str(field.number), label_of(field), type_of(field))
    for message in messages()
    for field in message.fields
}
THEIRS = {
    (row["message"], row["field"]): (row["number"], row["label"], row["type"])
    for row in table("fields")
    if row["field"] != "-"
}


def test_every_field_of_ours_has_the_number_the_label_and_the_type_that_omni_gives_it() -> None:
    differences = {name: (ours, THEIRS.get(name)) for name, ours in OURS.items() if THEIRS.get(name) != ours}
    assert not differences


def test_no_field_of_a_file_that_we_take_whole_is_missing() -> None:
    expected = {(row["message"], row["field"]) for row in table("fields") if row["file"] in WHOLE_SOURCES}
    assert not {name for name in expected if name[1] != "-"} - OURS.keys()


def test_a_message_that_we_take_has_all_its_fields() -> None:
    ours = {message.full_name for message in messages()}
    assert not {name for name in THEIRS if name[0] in ours} - OURS.keys()


def test_no_message_of_a_file_that_we_take_whole_is_missing() -> None:
    expected = {row["message"] for row in table("fields") if row["file"] in WHOLE_SOURCES}
    assert not expected - {message.full_name for message in messages()}


def test_every_enum_of_ours_has_the_values_that_omni_gives_it() -> None:
    theirs: dict[str, dict[str, str]] = {}
    for row in table("enums"):
        theirs.setdefault(row["enum"], {})[row["value"]] = row["number"]
    ours = {enum.full_name: {value.name: str(value.number) for value in enum.values} for enum in enums()}
    assert {name: theirs.get(name) for name in ours} == ours


def rpcs() -> dict[tuple[str, str], tuple[str, str, str, str]]:
    return {
        (service.full_name, method.name): (
            method.input_type.full_name,
            method.output_type.full_name,
            str(method.server_streaming).lower(),
            str(method.client_streaming).lower(),
        )
        for file in FILES
        for service in file.services_by_name.values()
        for method in service.methods
    }


def test_every_rpc_of_ours_takes_and_answers_what_omnis_does() -> None:
    theirs = {
        (row["service"], row["method"]): (
            row["request"],
            row["response"],
            row["server_streaming"],
            row["client_streaming"],
        )
        for row in table("rpcs")
    }
    ours = rpcs()
    assert {name: theirs.get(name) for name in ours} == ours


def test_no_rpc_of_a_file_that_we_take_whole_is_missing() -> None:
    expected = {(row["service"], row["method"]) for row in table("rpcs") if row["file"] in WHOLE_SOURCES}
    assert not expected - rpcs().keys()


def test_the_committed_stubs_are_what_the_protos_generate(tmp_path: Path) -> None:
    pytest.importorskip("grpc_tools")
    include = Path(next(iter(google.rpc.__path__))).parents[1]
    command = [sys.executable, "-m", "grpc_tools.protoc", "-I", "protos", "-I", str(include)]
    command += [f"--python_out={tmp_path}", f"--grpc_python_out={tmp_path}"]
    sources = sorted(str(path) for path in (ROOT / "protos").rglob("*.proto"))
    subprocess.run([*command, *(str(Path(source).relative_to(ROOT)) for source in sources)], cwd=ROOT, check=True)
    made = tmp_path / "omni_gateway" / "stubs"
    names = sorted(path.name for path in made.iterdir())
    _, differing, missing = filecmp.cmpfiles(made, ROOT / "omni_gateway" / "stubs", names, shallow=False)
    assert names
    assert (differing, missing) == ([], [])
