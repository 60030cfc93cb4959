"""The declaration of a route: a row in a table, without effect until :mod:`.registration` adds it to a blueprint."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import marshmallow as ma

from omni_gateway.auth import Role
from omni_gateway.http.openapi.events import STREAMS
from omni_gateway.rest.parameters import NoQuery

View = Callable[..., Any]
_VARIABLE = re.compile(r"<[^>]*>")


@dataclass(frozen=True, slots=True)
class Request:
    """The parameters and the body of a route.

    :param query: the schema of its query parameters; a parameter that it does not have is refused.
    :param body: the schema of its JSON body; None: it takes none, or the view reads it itself.
    :param example: a body, shown in the OpenAPI document.
    :param content: media type → OpenAPI media type object, of a body that the view reads itself.
    :param headers: the headers that the view reads itself: keys of ``http.openapi.parameters.HEADERS``.
    """

    query: ma.Schema = field(default_factory=NoQuery)
    body: ma.Schema | None = None
    example: Any = None
    content: Mapping[str, Any] | None = None
    headers: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Responses:
    """The responses of a route, for the OpenAPI document.

    :param answers: successful status → (schema of the JSON body or None, or the name of a shared response; description,
        empty for that of the shared response).
    :param headers: status → names of the headers of a response with a body (200 or 201); every response has those of
        ``http.openapi.headers.ALWAYS`` too, and 202 and 204 are the same for all routes.
    :param media_types: further media types of the 200 response, e.g. those of a stream.
    :param line: the schema of one line of a stream that is neither a watch nor an operation's progress.
    :param dry_run: whether the 200 response to a dry run has the member ``_dry_run``.
    :param problems: status → description, in addition to the problems that any route may respond; empty for the text
        of ``http.openapi.problems``.
    :param incomplete: the schema of the 422 problem, if that has members of its own.
    """

    answers: Mapping[int, tuple[Any, str]]
    headers: Mapping[int, Sequence[str]] = field(default_factory=dict)
    media_types: Sequence[str] = ()
    line: ma.Schema | None = None
    dry_run: bool = False
    problems: Mapping[int, str] = field(default_factory=dict)
    incomplete: ma.Schema | None = None

    @property
    def may_be_stream(self) -> bool:
        """Return whether the 200 response may be a stream of events."""
        return set(STREAMS) <= set(self.media_types)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One method of one URL.

    :param method: the HTTP method; a GET responds to HEAD as well.
    :param rule: the URL below the blueprint's prefix, as Flask has it: ``/<id>``.
    :param operation_id: its operationId in the OpenAPI document, and its endpoint in Flask.
    :param role: the role that a caller needs; see ``http.guard.require_role``, also for ``authorized_by_omni``.
    :param view: called with the parsed query, then with the parsed body if ``request`` has one, then with the
        variables of the rule by name.
    :param summary: one line for the OpenAPI document.
    :param description: further text for the OpenAPI document; the role is added to it.
    :param request: its parameters and body; by default none.
    :param responses: its responses.
    :param conditional: whether it is a read that has an entity tag: the response cache may respond to it, and it
        responds 304 to ``If-None-Match``.
    :param defaults: values for variables of the view that the rule does not have.
    :param takes_machine_name: whether the ``id`` in the rule is a machine's, in whose place a host name may be.
    """

    method: str
    rule: str
    operation_id: str
    role: Role
    view: View
    summary: str
    description: str = ""
    request: Request = field(default_factory=Request)
    responses: Responses
    authorized_by_omni: bool = False
    conditional: bool = False
    defaults: Mapping[str, str] = field(default_factory=dict)
    takes_machine_name: bool = False


def rule_shape(rule: str) -> str:
    """Return a rule without the names of its variables: two rules of one shape match the same URLs."""
    return _VARIABLE.sub("<>", rule)
