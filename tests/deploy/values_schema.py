"""The schema of the Helm chart's values: its part ``settings`` is generated from :mod:`omni_gateway.settings`.

``python -m tests.deploy.values_schema`` (``make values-schema``) writes it; everything else in the file is written by
hand.
"""

from __future__ import annotations

import json
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from omni_gateway.environment.variables import Variable, variables_of
from omni_gateway.settings import PREFIX, Settings

FILE = Path(__file__).parents[2] / "deploy" / "helm" / "omni-gateway" / "values.schema.json"
#: Set by the chart from other values, or not to be had in a pod.
OF_THE_CHART = {"BIND", "STATE_DIR", "TLS_CERT_FILE", "TLS_KEY_FILE", "FLEET", "EMBEDDED"}
_TYPES: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    Path: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    # No comma: the elements are joined by one.
    tuple[str, ...]: {"type": "array", "items": {"type": "string", "pattern": "^[^,]+$"}},
}


def variables() -> list[Variable]:
    """Return the settings that are values of the chart: no secret, nothing that the chart sets itself."""
    found = variables_of(Settings, PREFIX)
    return [each for each in found if not each.secret and each.name.removeprefix(PREFIX) not in OF_THE_CHART]


def settings_schema() -> dict[str, Any]:
    """Return the JSON schema of ``settings``."""
    properties = {each.name.removeprefix(PREFIX): _property(each) for each in variables()}
    return {"type": "object", "additionalProperties": False, "properties": properties}


def _property(variable: Variable) -> dict[str, Any]:
    default = variable.field.default
    shown = list(default) if isinstance(default, tuple) else default
    documented = {"description": variable.doc} | ({} if shown is None else {"default": shown})
    return _type(variable.annotation) | documented


def _type(annotation: Any) -> dict[str, Any]:
    if get_origin(annotation) in (Union, UnionType):
        [annotation] = [each for each in get_args(annotation) if each is not type(None)]
    if get_origin(annotation) is Literal:
        return {"enum": list(get_args(annotation))}
    return _TYPES[annotation]


def current() -> str:
    """Return the text that the file should have."""
    schema = json.loads(FILE.read_text("utf-8"))
    schema["$defs"]["settings"] = settings_schema()
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(current(), "utf-8")
