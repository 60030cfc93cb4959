"""Bodies that are not JSON: a schema may name further media types, and how each becomes the value that JSON has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import Request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from omni_gateway.http.problems import Problem

MULTIPART = "multipart/form-data"


@dataclass(frozen=True, slots=True)
class SentBody:
    """A body that is not JSON.

    :param content: its bytes; empty for ``multipart/form-data``.
    :param parts: the parts of ``multipart/form-data``, by the names of their fields.
    """

    content: bytes = b""
    parts: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BodyForm:
    """A further form of a body, for a schema's ``body_forms``.

    :param read: returns the value that the JSON body would have. It raises a ``Problem`` for a body that cannot be
        read.
    :param schema: the schema of the body in the OpenAPI document.
    :param example: an example of it there.
    """

    read: Callable[[SentBody], Mapping[str, Any]]
    schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "string"})
    example: Any = None


def sent_body(request: Request) -> SentBody:
    """Return the body of a request. Raises 413 for too large a body, and 400 for an empty or a malformed one."""
    try:
        raw = request.get_data(cache=True)
        if not raw.strip():
            raise Problem(400, "bad-request", "The body is empty.")
        if request.mimetype != MULTIPART:
            return SentBody(raw)
        parts = {name: text.encode() for name, text in request.form.items()}
        parts |= {name: file.read() for name, file in request.files.items()}
    except RequestEntityTooLarge as error:
        raise Problem(413, "too-large", "The body is larger than this gateway takes.") from error
    except HTTPException as error:
        raise Problem(400, "bad-request", "The parts of the body cannot be read.") from error
    if not parts:
        raise Problem(400, "bad-request", "The body has no parts.")
    return SentBody(parts=parts)
