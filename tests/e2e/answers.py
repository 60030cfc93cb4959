"""Every answer that a test gets is held against the document: its status, its media type, its body."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import httpx
from jsonschema import Draft202012Validator
from jsonschema.protocols import Validator

JSON = ("application/json", "application/problem+json")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


class Document:
    """``/openapi.json``, as far as answers are concerned."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        self._paths = [(path.split("/"), path) for path in document["paths"]]
        self._validator = lru_cache(maxsize=None)(self._make_validator)

    def check(self, answer: httpx.Response) -> None:
        """Fail when the document does not allow an answer; what has no route is left to Flask's 404."""
        request = answer.request
        path = self._route(request.url.raw_path.decode().partition("?")[0])
        if request.method not in METHODS or not path:
            return
        operation = self._document["paths"][path].get(request.method.lower())
        if operation is None:
            assert answer.status_code in (401, 405), f"{request.method} {path} is not documented"
            return
        where = f"{request.method} {path} → {answer.status_code}"
        documented = self._resolved(operation["responses"].get(str(answer.status_code)))
        assert documented is not None, f"{where} is not documented; it is {answer.read()[:300]!r}"
        media = answer.headers.get("Content-Type", "").partition(";")[0]
        content = documented.get("content", {})
        assert media in content or not media, f"{where} is {media}, documented are {list(content)}"
        if media in JSON:
            self._check_body(answer, (path, request.method.lower(), str(answer.status_code), media), where)

    def _check_body(self, answer: httpx.Response, key: tuple[str, str, str, str], where: str) -> None:
        answer.read()
        # The caller asked for less than the schema requires.
        cut = "fields" in answer.request.url.params or answer.request.url.params.get("view") == "summary"
        errors = [
            f"{error.json_path}: {error.message[:200]}"
            for error in self._validator(*key).iter_errors(answer.json())
            if not (cut and error.validator == "required")
        ]
        assert not errors, f"{where}: {errors[:3]}"

    def _make_validator(self, path: str, method: str, status: str, media: str) -> Validator:
        response = self._resolved(self._document["paths"][path][method]["responses"][status])
        assert response is not None
        schema = response["content"][media]["schema"]
        return Draft202012Validator({**schema, "components": self._document["components"]})

    def _resolved(self, response: dict[str, Any] | None) -> dict[str, Any] | None:
        if response is None or "$ref" not in response:
            return response
        return dict(self._document["components"]["responses"][response["$ref"].rpartition("/")[2]])

    def _route(self, path: str) -> str:
        """Find the documented path; one with fewer variables goes first, as in the URL map."""
        words = path.rstrip("/").split("/")
        found = [
            name
            for template, name in self._paths
            if len(template) == len(words)
            and all(part == word or (part.startswith("{") and word) for part, word in zip(template, words, strict=True))
        ]
        return min(found, key=lambda name: name.count("{"), default="")
