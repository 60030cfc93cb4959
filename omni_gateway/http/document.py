"""``/openapi.json`` and ``/openapi.yaml``: the OpenAPI document, whole, or the operations of a role or a tag."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from threading import Lock
from typing import Any
from urllib.parse import urlencode

import marshmallow as ma
import orjson
import yaml
from flask import Blueprint, Request, Response, request
from marshmallow import fields

from omni_gateway import __version__
from omni_gateway.auth import Role
from omni_gateway.http import etags
from omni_gateway.http.content_coding import IMMUTABLE, REVALIDATE, EncodedContent
from omni_gateway.http.document_subset import subset
from omni_gateway.http.guard import public
from omni_gateway.http.parser import GatewayParser
from omni_gateway.http.problems import Problem
from omni_gateway.http.suggestions import did_you_mean


def to_yaml(document: Any) -> bytes:
    """Return a document as YAML; by libyaml, where PyYAML has it, for it is several times as fast."""
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    return bytes(yaml.dump(document, Dumper=dumper, sort_keys=False, allow_unicode=True, encoding="utf-8"))


class SelectionSchema(ma.Schema):
    """The query parameters that select operations."""

    role = fields.Enum(Role, by_value=True)
    tag = fields.String()


_SELECTION = SelectionSchema()
_PARSER = GatewayParser()
_FORMS: dict[str, tuple[str, Callable[[Any], bytes]]] = {
    "json": ("application/json", orjson.dumps),
    "yaml": ("application/yaml", to_yaml),
}
#: Each takes some 100 kB in each coding.
_MOST_SELECTIONS = 64


@dataclass(frozen=True, slots=True)
class Selection:
    """Operations of the document: those that a role may call, those of a tag; None: all."""

    role: Role | None = None
    tag: str | None = None

    def query(self) -> str:
        """Return it as the query of a URL, with its question mark; empty for all operations."""
        given = {"role": self.role.value if self.role else None, "tag": self.tag}
        query = urlencode({name: value for name, value in given.items() if value is not None})
        return f"?{query}" if query else ""


class DocumentForms:
    """The document in JSON and YAML, whole and in selections; each is made at the first request for it.

    ``whole`` is its JSON, as :func:`omni_gateway.http.api.freeze` renders it.
    """

    def __init__(self, whole: bytes) -> None:
        self.whole = whole
        #: Changes with the document: plugins add to it, so the version alone does not name it.
        self.release = f"{__version__}-{etags.content_hash(whole)}"
        self._lock = Lock()
        self._made = lru_cache(_MOST_SELECTIONS)(self._make)

    def selection(self, request: Request) -> Selection:
        """Return the selection of the request's query; raises a 422 problem for an unknown parameter, role or tag."""
        arguments: dict[str, Any] = _PARSER.parse(_SELECTION, request, location="query")
        selected = Selection(**arguments)
        if selected.tag is not None and selected.tag not in self._tags:
            message = f"There is no such tag{did_you_mean(selected.tag, self._tags)}"
            raise Problem(422, "validation", errors={"tag": [message]})
        return selected

    def content(self, form: str, selected: Selection) -> EncodedContent:
        """Return a selection in a form, ``json`` or ``yaml``."""
        # Others wait: in YAML, the document takes a second of the worker's CPU.
        with self._lock:
            return self._made(form, selected)

    def url(self, form: str, selected: Selection) -> str:
        """Return the URL under which exactly this content may be cached for ever."""
        return f"/openapi-{self.release}.{form}{selected.query()}"

    @cached_property
    def _tags(self) -> list[str]:
        return [tag["name"] for tag in orjson.loads(self.whole).get("tags", ())]

    def _make(self, form: str, selected: Selection) -> EncodedContent:
        media_type, write = _FORMS[form]
        document = orjson.loads(self.whole)
        if selected != Selection():
            document = subset(document, role=selected.role, tag=selected.tag)
        return EncodedContent(write(document), media_type)


def blueprint(forms: DocumentForms) -> Blueprint:
    """Return the routes of an application's document."""
    routes = Blueprint("document", __name__)

    def current(form: str) -> Response:
        """Return the document; ``Content-Location`` names the URL under which this very one may be cached for ever."""
        selected = forms.selection(request)
        headers = {"Content-Location": forms.url(form, selected)}
        return forms.content(form, selected).response(request, REVALIDATE, headers)

    def of_release(release: str, form: str) -> Response:
        """Return the document if it is of that release, else 404."""
        if release != forms.release:
            detail = (
                f"This gateway's document is of the release {forms.release!r}; `/openapi.{form}` is always its own."
            )
            raise Problem(404, "not-found", detail)
        return forms.content(form, forms.selection(request)).response(request, IMMUTABLE)

    for form in _FORMS:
        routes.add_url_rule(f"/openapi.{form}", f"current_{form}", public(current), defaults={"form": form})
        rule = f"/openapi-<release>.{form}"
        routes.add_url_rule(rule, f"release_{form}", public(of_release), defaults={"form": form})
    return routes
