"""JSON schemas for kubeconform, made of Kubernetes' OpenAPI document and of custom resource definitions.

They are strict: what the API server would drop as an unknown field is an error. A file for each kind,
``<group>_<version>_<kind>.json``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

LOCATION = "{{.Group}}_{{.ResourceAPIVersion}}_{{.ResourceKind}}.json"
REFERENCE = "#/definitions/"
QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"
NUMBER_OR_TEXT = {"type": ["string", "number"]}


def write_kubernetes(document: Path, folder: Path) -> None:
    """Write the schemas of all kinds in Kubernetes' ``swagger.json``."""
    definitions = json.loads(document.read_text("utf-8"))["definitions"]
    strict = {name: _strict(definition) for name, definition in definitions.items()}
    strict[QUANTITY] = NUMBER_OR_TEXT  # YAML has 1 where the document has "1"
    files = {}
    for name, definition in definitions.items():
        for kind in definition.get("x-kubernetes-group-version-kind", []):
            needed = {each: strict[each] for each in _needed(name, strict)}
            schema = {"$ref": REFERENCE + name, "definitions": needed}
            files[_file(kind["group"], kind["version"], kind["kind"])] = schema
    _write(folder, files)


def write_custom_resource(definition: Path, folder: Path) -> None:
    """Write the schemas of a CustomResourceDefinition's versions."""
    spec = yaml.safe_load(definition.read_text("utf-8"))["spec"]
    kind = spec["names"]["kind"]
    files = {}
    for version in spec["versions"]:
        schema = _strict(version["schema"]["openAPIV3Schema"])
        schema["properties"]["metadata"] = {"type": "object"}  # that of every object
        files[_file(spec["group"], version["name"], kind)] = schema
    _write(folder, files)


def _file(group: str, version: str, kind: str) -> str:
    return f"{group or version}_{version}_{kind.lower()}.json"  # for the core group kubeconform has the version twice


def _write(folder: Path, files: Mapping[str, Any]) -> None:
    """Write all files, or no folder: an interrupted run is to be repeated."""
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    unfinished.mkdir(parents=True, exist_ok=True)
    for name, schema in files.items():
        (unfinished / name).write_text(json.dumps(schema), "utf-8")
    unfinished.rename(folder)


def _strict(schema: Any) -> Any:
    """Return a schema that takes the known properties of each object only."""
    if isinstance(schema, list):
        return [_strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("format") == "int-or-string" or schema.get("x-kubernetes-int-or-string"):
        return {"type": ["string", "integer"]}
    made = {name: _strict(part) for name, part in schema.items()}
    open_object = schema.get("x-kubernetes-preserve-unknown-fields") or "additionalProperties" in schema
    if isinstance(schema.get("properties"), dict) and not open_object:
        made["additionalProperties"] = False
    return made


def _needed(name: str, definitions: Mapping[str, Any]) -> set[str]:
    """Return the names of a definition and of all that it refers to."""
    found, unseen = set(), [name]
    while unseen:
        if (each := unseen.pop()) not in found:
            found.add(each)
            unseen += _references(definitions[each])
    return found


def _references(schema: Any) -> Iterator[str]:
    parts = schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ()
    if isinstance(schema, dict) and isinstance(reference := schema.get("$ref"), str):
        yield reference.removeprefix(REFERENCE)
    for part in parts:
        yield from _references(part)
