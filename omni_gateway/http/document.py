"""``/openapi.json`` and ``/openapi.yaml``: the OpenAPI document, whole or as one role sees it."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Any

import marshmallow as ma
import orjson
import yaml
from flask import Blueprint, Response, request
from marshmallow import fields

from omni_gateway import __version__
from omni_gateway.auth import Role
from omni_gateway.http.content_coding import IMMUTABLE, REVALIDATE, EncodedContent
from omni_gateway.http.guard import public
from omni_gateway.http.parser import GatewayParser
from omni_gateway.http.problems import Problem
from omni_gateway.http.role_document import for_role


def to_yaml(document: Any) -> bytes:
    """Return a document as YAML; by libyaml, where PyYAML has it, for it is ten times as fast."""
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    return bytes(yaml.dump(document, Dumper=dumper, sort_keys=False, allow_unicode=True, encoding="utf-8"))


class _DocumentQuerySchema(ma.Schema):
    role = fields.Enum(Role, by_value=True)


_QUERY = _DocumentQuerySchema()
_PARSER = GatewayParser()
_FORMS: dict[str, tuple[str, Callable[[Any], bytes]]] = {
    "json": ("application/json", orjson.dumps),
    "yaml": ("application/yaml", to_yaml),
}


class DocumentForms:
    """The document in JSON and YAML, whole and for each role; each is made at the first request for it."""

    def __init__(self, document: bytes) -> None:
        self._document = document
        self._whole = EncodedContent(document, _FORMS["json"][0])
        #: Changes with the document: plugins add to it, so the version alone does not name it.
        self.release = f"{__version__}-{self._whole.digest}"
        self._made: dict[tuple[str, Role | None], EncodedContent] = {("json", None): self._whole}
        self._lock = Lock()

    def get(self, form: str, role: Role | None) -> EncodedContent:
        """Return the document in a form (``json`` or ``yaml``), for a role (None: whole)."""
        # Others wait: in YAML, the document takes a second of the worker's CPU.
        with self._lock:
            if (form, role) not in self._made:
                document = orjson.loads(self._document)
                media_type, write = _FORMS[form]
                body = write(document if role is None else for_role(document, role))
                self._made[form, role] = EncodedContent(body, media_type)
            return self._made[form, role]


def blueprint(document: bytes) -> Blueprint:
    """Return the routes of an application's document, as :func:`omni_gateway.http.api.freeze` renders it."""
    routes = Blueprint("document", __name__)
    forms = DocumentForms(document)

    def current(form: str) -> Response:
        """Return the document; ``Content-Location`` names the URL under which this very one may be cached for ever."""
        query = f"?{request.query_string.decode()}" if (role := _role()) else ""
        headers = {"Content-Location": f"/openapi-{forms.release}.{form}{query}"}
        return forms.get(form, role).response(request, REVALIDATE, headers)

    def of_release(release: str, form: str) -> Response:
        """Return the document if it is of that release, else 404."""
        role = _role()
        if release != forms.release:
            detail = (
                f"This gateway's document is of the release {forms.release!r}; `/openapi.{form}` is always its own."
            )
            raise Problem(404, "not-found", detail)
        return forms.get(form, role).response(request, IMMUTABLE)

    for form in _FORMS:
        routes.add_url_rule(f"/openapi.{form}", f"current_{form}", public(current), defaults={"form": form})
        rule = f"/openapi-<release>.{form}"
        routes.add_url_rule(rule, f"release_{form}", public(of_release), defaults={"form": form})
    return routes


def _role() -> Role | None:
    arguments: dict[str, Any] = _PARSER.parse(_QUERY, request, location="query")
    return arguments.get("role")
