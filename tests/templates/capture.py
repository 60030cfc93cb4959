"""Ask omnictl what it makes of the templates: ``python -m tests.templates.capture --omnictl PATH``.

Writes each template with the objects that omnictl rendered, or that it refused it; of omnictl's own texts nothing.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import yaml

from omni_gateway.omni import specs
from tests.templates import generated, handmade
from tests.templates.case import Captured, Case, write


def main() -> None:
    """Capture all templates."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--omnictl", type=Path, required=True, help="the program to ask")
    arguments = parser.parse_args()
    captured = [_capture(arguments.omnictl.resolve(), case) for case in (*generated.cases(), *handmade.cases())]
    write(captured)
    accepted = sum(each.resources is not None for each in captured)
    print(f"{len(captured)} templates: {accepted} accepted, {len(captured) - accepted} refused")


def _capture(omnictl: Path, case: Case) -> Captured:
    with tempfile.TemporaryDirectory() as folder:
        for name, content in {**case.files, "template.yaml": case.text}.items():
            place = Path(folder, name)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(content)
        command = [str(omnictl), "cluster", "template", "render", "-f", "template.yaml"]
        result = subprocess.run(command, cwd=folder, capture_output=True, timeout=60, check=False)
    if result.returncode != 0:
        return Captured(case, None)
    return Captured(case, _resources(result.stdout))


class _Loader(yaml.CSafeLoader):
    """A loader of numbers, of ``true`` and ``false`` and of null; ``yes`` is a text to omnictl."""

    yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag.rpartition(":")[2] in ("null", "int", "float")]
        for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
    }


_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("(?:true|false)$"), list("tf"))


def _resources(rendered: bytes) -> list[dict[str, Any]]:
    """Return what matters of rendered objects, in Omni's form of JSON."""
    texts, values = yaml.load_all(rendered, Loader=yaml.BaseLoader), yaml.load_all(rendered, Loader=_Loader)
    return [
        _resource(object["metadata"], with_values["spec"]) for object, with_values in zip(texts, values, strict=True)
    ]


def _resource(metadata: dict[str, Any], spec: dict[str, Any]) -> dict[str, Any]:
    found = {
        "type": metadata["type"],
        "id": metadata["id"],
        "labels": metadata.get("labels"),
        "annotations": metadata.get("annotations"),
        "spec": without_zeros(specs.to_wire(metadata["type"], _given(spec))),
    }
    return {name: value for name, value in found.items() if value}


def _given(value: Any) -> Any:
    """Return a value without nulls, which stand for messages that are not set."""
    if isinstance(value, dict):
        return {key: _given(item) for key, item in value.items() if item is not None}
    return [_given(item) for item in value] if isinstance(value, list) else value


def without_zeros(value: Any) -> Any:
    """Return a spec without zeros and without messages that hold nothing else."""
    if isinstance(value, dict):
        items = {key: without_zeros(item) for key, item in value.items()}
        return {key: item for key, item in items.items() if item}
    return value


if __name__ == "__main__":
    main()
