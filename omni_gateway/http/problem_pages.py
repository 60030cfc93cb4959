"""``/problems`` and ``/problems/<code>``: the kinds of problems, as pages for browsers and as JSON for others."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Blueprint, Response, render_template, request
from markupsafe import Markup, escape

from omni_gateway.http.guard import public
from omni_gateway.http.problems import CATALOGUE, Problem, ProblemType
from omni_gateway.http.suggestions import did_you_mean

_MEDIA_TYPES = ("application/json", "text/html")
_HEADERS = {"Cache-Control": "no-cache", "Vary": "Accept"}
_EXAMPLE = {"instance": "/api/v1/clusters/production", "request_id": "5f0c2a9b7d31e8640000002a"}

blueprint = Blueprint("problems", __name__, template_folder="templates")


@blueprint.app_template_filter("code")
def code_spans(text: str) -> Markup:
    """Return a text as HTML, with code in place of backticks."""
    parts = (
        f"<code>{escape(part)}</code>" if index % 2 else escape(part) for index, part in enumerate(text.split("`"))
    )
    return Markup("").join(Markup(part) for part in parts)  # noqa: S704


@blueprint.get("/problems")
@public
def index() -> Response:
    """Return all kinds of problems."""
    if _for_a_browser():
        return Response(render_template("problems.html", problems=CATALOGUE), headers=_HEADERS, mimetype="text/html")
    return _json([_entry(code, kind) for code, kind in CATALOGUE.items()])


@blueprint.get("/problems/<code>")
@public
def page(code: str) -> Response:
    """Return one kind of problem; raise a 404 problem for an unknown code."""
    kind = CATALOGUE.get(code)
    if kind is None:
        raise Problem(404, "not-found", f"There is no kind of problem {code!r}{did_you_mean(code, CATALOGUE)}")
    if not _for_a_browser():
        return _json(_entry(code, kind))
    example = {**Problem(kind.status, code).to_dict(), **_EXAMPLE}
    text = orjson.dumps(example, option=orjson.OPT_INDENT_2).decode()
    html = render_template("problem.html", code=code, problem=kind, example=text)
    return Response(html, headers=_HEADERS, mimetype="text/html")


def _for_a_browser() -> bool:
    """Return whether the request prefers HTML to JSON; one that takes anything gets JSON."""
    return request.accept_mimetypes.best_match(_MEDIA_TYPES, _MEDIA_TYPES[0]) == "text/html"


def _entry(code: str, kind: ProblemType) -> dict[str, Any]:
    return {
        "code": code,
        "status": kind.status,
        "title": kind.title,
        "meaning": kind.meaning,
        "advice": kind.advice,
        "retryable": kind.retryable,
    }


def _json(document: Any) -> Response:
    return Response(orjson.dumps(document), headers=_HEADERS, mimetype="application/json")
