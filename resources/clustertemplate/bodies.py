"""The forms in which a template is sent: YAML of many documents, a tar archive, or multipart, besides JSON.

Files that the template names by ``file:`` come beside it; nothing is read from or written to a disk.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from omni_gateway.sdk import Problem
from omni_gateway.sdk.actions import BodyForm, SentBody

#: The template's own name in an archive, and its field in a multipart body.
ARCHIVED = ("template.yaml", "template.yml")
PART = "template"
MAX_FILES = 200
MAX_BYTES = 4 * 1024 * 1024

EXAMPLE_YAML = """\
kind: Cluster
name: my-cluster
kubernetes:
  version: v1.35.6
talos:
  version: v1.13.7
---
kind: ControlPlane
machineClass:
  name: metal
  size: 1
---
kind: Workers
machineClass:
  name: metal
  size: 2
"""


def _yaml(body: SentBody) -> Mapping[str, Any]:
    return {"text": _text(PART, body.content)}


def _multipart(body: SentBody) -> Mapping[str, Any]:
    if PART not in body.parts:
        raise Problem(422, "validation", errors={PART: ["Missing: the part with the template."]})
    files = {name: _text(name, content) for name, content in body.parts.items() if name != PART}
    return {"text": _text(PART, body.parts[PART]), "files": files}


def _tar(body: SentBody) -> Mapping[str, Any]:
    """Return the template and the files of an archive; 422 for entries that are no files or lead out of it."""
    files: dict[str, str] = {}
    left = MAX_BYTES
    try:
        with tarfile.open(fileobj=io.BytesIO(body.content), mode="r:") as archive:
            for entry in archive:
                if entry.isdir():
                    continue
                path = _path(entry)
                left -= entry.size
                if left < 0 or len(files) == MAX_FILES:
                    raise Problem(
                        413, "too-large", f"The archive has more than {MAX_FILES} files or {MAX_BYTES} bytes."
                    )
                content = archive.extractfile(entry)
                assert content is not None  # it is a regular file
                files[path] = _text(path, content.read())
    except (tarfile.TarError, OSError, EOFError) as error:
        raise Problem(400, "bad-request", f"The archive cannot be read: {type(error).__name__}.") from error
    for name in ARCHIVED:
        if name in files:
            return {"text": files.pop(name), "files": files}
    raise Problem(422, "validation", errors={ARCHIVED[0]: ["Missing: the archive has it at its top."]})


def _path(entry: tarfile.TarInfo) -> str:
    path = PurePosixPath(entry.name)
    if not entry.isreg():
        raise Problem(422, "validation", errors={entry.name[:200]: ["An archive of a template has plain files only."]})
    if path.is_absolute() or ".." in path.parts:
        raise Problem(422, "validation", errors={entry.name[:200]: ["Must not lead out of the archive."]})
    return str(path)


def _text(name: str, content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise Problem(422, "validation", errors={name[:200]: ["Is no UTF-8 text."]}) from error


FORMS: Mapping[str, BodyForm] = {
    "application/yaml": BodyForm(_yaml, example=EXAMPLE_YAML),
    "application/x-tar": BodyForm(_tar, schema={"type": "string", "format": "binary"}, example="(a tar archive)"),
    "multipart/form-data": BodyForm(
        _multipart,
        schema={
            "type": "object",
            "required": [PART],
            "properties": {
                PART: {"type": "string", "description": "The template, as YAML of many documents"},
            },
            "additionalProperties": {
                "type": "string",
                "description": "A file that the template names; the field's name is its path",
            },
        },
        example={PART: EXAMPLE_YAML},
    ),
}
