"""Hold responses against the OpenAPI document: status, headers, media type, body."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Any

import httpx
from jsonschema_rs import Draft202012, Draft202012Validator, Registry, ValidationErrorKind

JSON = ("application/json", "application/problem+json")
#: Headers that need no documentation: those of HTTP itself, of caches and of browsers' security.
STANDARD = re.compile(
    "content-(type|length|encoding|security-policy)|date|server|connection|transfer-encoding|vary|cache-control"
    "|x-(content-type-options|frame-options|accel-buffering|omni-simulator)|referrer-policy|permissions-policy"
    "|cross-origin-.*|strict-transport-security|access-control-.*"
)
#: Status → the headers that each such answer to a request has.
SENT = {201: ("Location", "ETag"), 202: ("Location", "Operation-Location")}
_URI = "urn:openapi"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def resolved(document: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    """Return a part of the document, or the component that it refers to, with its own members."""
    if "$ref" not in part:
        return part
    _, _, section, name = part["$ref"].split("/")
    return {**document["components"][section][name], **{key: part[key] for key in part if key != "$ref"}}


class Document:
    """``/openapi.json``, for checks of responses."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        #: Number of segments → the paths that have it; those with fewer variables first, as in the URL map.
        self._paths: dict[int, list[list[str]]] = {}
        for path in sorted(document["paths"], key=lambda path: path.count("{")):
            segments = path.split("/")
            self._paths.setdefault(len(segments), []).append(segments)
        #: (operationId, status) → the headers that such answers had.
        self.sent: dict[tuple[str, str], set[str]] = {}
        # One copy of the document for all validators: each of its schemas refers to a few of a thousand others.
        self._registry = Registry([(_URI, document)], draft=Draft202012)
        self._validator = lru_cache(maxsize=None)(self._make_validator)

    def operation(self, path: str, method: str) -> dict[str, Any] | None:
        """Return the documented operation of a path template; None if there is none."""
        found: dict[str, Any] | None = self._document["paths"].get(path, {}).get(method.lower())
        return found

    def check(self, answer: httpx.Response) -> None:
        """Raise ``AssertionError`` if the document does not allow a response; URLs without a route are not checked."""
        request = answer.request
        path = self._route(request.url.raw_path.decode().partition("?")[0])
        if request.method not in METHODS or not path:
            return
        operation = self._document["paths"][path].get(request.method.lower())
        if operation is None:
            assert answer.status_code in (401, 405), f"{request.method} {path} is not documented"
            return
        where = f"{request.method} {path} → {answer.status_code}"
        documented = resolved(self._document, operation["responses"].get(str(answer.status_code), {}))
        assert documented, f"{where} is not documented; it is {answer.read()[:300]!r}"
        media = answer.headers.get("Content-Type", "").partition(";")[0]
        self.sent.setdefault((operation["operationId"], str(answer.status_code)), set()).update(answer.headers)
        self._check_headers(answer, documented.get("headers", {}), where)
        content = documented.get("content", {})
        assert media in content or not media, f"{where} is {media}, documented are {list(content)}"
        if media in JSON:
            self._check_body(answer, (path, request.method.lower(), str(answer.status_code), media), where)

    def check_lines(self, answer: httpx.Response) -> None:
        """Raise ``AssertionError`` if a line of an NDJSON response is not as documented."""
        if answer.headers.get("Content-Type") == "application/x-ndjson":
            path = self._route(answer.request.url.path)
            self.check_events(path, [json.loads(line) for line in answer.text.splitlines() if line])

    def check_events(self, path: str, events: list[Any], media: str = "application/x-ndjson") -> None:
        """Raise ``AssertionError`` if an event of a stream is not as documented."""
        validator = self._validator(path, "get", "200", media)
        errors = [f"{event}: {error.message}" for event in events for error in validator.iter_errors(event)]
        assert not errors, f"{path}: {errors[:3]}"

    def _check_headers(self, answer: httpx.Response, documented: dict[str, Any], where: str) -> None:
        names = {name.lower() for name in documented}
        other = [name for name in answer.headers if name not in names and not STANDARD.fullmatch(name)]
        assert not other, f"{where} has headers that are not documented: {other}"
        # A 201 without an object to read, such as a ticket's, documents no Location.
        needed = (name for name in SENT.get(answer.status_code, ()) if name.lower() in names)
        missing = [name for name in needed if name not in answer.headers]
        assert not missing, f"{where} lacks {missing}"

    def _check_body(self, answer: httpx.Response, key: tuple[str, str, str, str], where: str) -> None:
        answer.read()
        # The caller asked for less than the schema requires.
        cut = "fields" in answer.request.url.params or answer.request.url.params.get("view") == "summary"
        errors = [
            f"{'/'.join(map(str, error.instance_path))}: {error.message[:200]}"
            for error in self._validator(*key).iter_errors(answer.json())
            if not (cut and isinstance(error.kind, ValidationErrorKind.Required))
        ]
        assert not errors, f"{where}: {errors[:3]}"

    def _make_validator(self, path: str, method: str, status: str, media: str) -> Draft202012Validator:
        response = resolved(self._document, self._document["paths"][path][method]["responses"][status])
        return Draft202012Validator(_absolute(response["content"][media]["schema"]), registry=self._registry)

    def _route(self, path: str) -> str:
        """Return the documented path of a URL's path; empty if there is none."""
        words = path.rstrip("/").split("/")
        for segments in self._paths.get(len(words), ()):
            if all(part == word or (part[:1] == "{" and word) for part, word in zip(segments, words, strict=True)):
                return "/".join(segments)
        return ""


def _absolute(schema: Any) -> Any:
    """Return a schema of the document whose references name the document, so that it stands for itself."""
    if isinstance(schema, dict):
        return {
            name: f"{_URI}{value}" if name == "$ref" and str(value).startswith("#") else _absolute(value)
            for name, value in schema.items()
        }
    return [_absolute(item) for item in schema] if isinstance(schema, list) else schema
