"""From a body to a template: the documents are read and checked, and the files that they name put into them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from omni_gateway.sdk import Problem
from omni_gateway.sdk.actions import note_cluster
from omni_gateway.sdk.templates import Fault, Template, TemplateFaults, read, read_documents


@dataclass(frozen=True, slots=True)
class Content:
    """A valid template, as it is kept: ``text`` is YAML, ``documents`` the same as JSON, without files."""

    template: Template
    text: str
    documents: Sequence[Mapping[str, Any]]


def parsed(body: Mapping[str, Any]) -> Template:
    """Return the template of a body: of its ``text``, else of its ``documents``. Raises :class:`TemplateFaults`.

    The audit log has its cluster as that of the request.
    """
    files = {path: text.encode() for path, text in (body.get("files") or {}).items()}
    text = body.get("text")
    template = read(text, files) if text else read_documents(body.get("documents") or [], files)
    note_cluster(template.name)
    return template


def template_of(body: Mapping[str, Any]) -> Template:
    """Return the template of a body. Raises a 422 problem with all faults."""
    try:
        return parsed(body)
    except TemplateFaults as error:
        raise Problem(422, "validation", "The template is not valid.", errors=errors_of(error.faults)) from error


def content_of(body: Mapping[str, Any]) -> Content:
    """Return the template of a body with its text and documents. Raises a 422 problem with all faults."""
    template = template_of(body)
    documents = template.to_documents()
    sent = body.get("text")
    return Content(template, sent if sent and not body.get("files") else dumped(documents), documents)


def dumped(documents: Sequence[Mapping[str, Any]]) -> str:
    """Return documents as YAML."""
    return yaml.safe_dump_all(documents, sort_keys=False, allow_unicode=True, width=1 << 20)


def errors_of(faults: Sequence[Fault]) -> dict[str, list[str]]:
    """Return faults as a problem has them: path → messages, with the lines of the text."""
    errors: dict[str, list[str]] = {}
    for fault in faults:
        path = ".".join(part for part in ("documents", str(fault.document), fault.field) if part)
        place = f"Line {fault.line}: " if fault.line else ""
        errors.setdefault(path, []).append(f"{place}{fault.message}")
    return errors
