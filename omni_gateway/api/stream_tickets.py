"""``/api/v1/stream-tickets``: tickets by which a browser's ``EventSource`` opens a stream."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from flask import Response, current_app
from marshmallow import fields, validate
from werkzeug.exceptions import HTTPException

from omni_gateway.auth import Role
from omni_gateway.http.guard import issue_ticket
from omni_gateway.http.idempotency import idempotent
from omni_gateway.http.openapi.tags import Tag
from omni_gateway.http.parser import GatewayBlueprint
from omni_gateway.http.paths import TICKET_PARAMETER
from omni_gateway.http.problems import Problem
from omni_gateway.http.stream_tickets import MEDIA_TYPE, VALID_SECONDS
from omni_gateway.rest.links import API_PREFIX
from omni_gateway.rest.parameters import WriteQuery
from omni_gateway.rest.views.registration import add, may_stream
from omni_gateway.rest.views.responses import json_response
from omni_gateway.rest.views.route import Request, Responses, Route
from omni_gateway.sdk import SpecSchema

LONGEST_URL = 4096
EXAMPLE = {"url": f"{API_PREFIX}/clusters?view=summary"}


class NewStreamTicketSchema(SpecSchema):
    """The stream that a ticket is for."""

    url = fields.String(
        required=True,
        validate=validate.Length(min=1, max=LONGEST_URL),
        metadata={
            "description": "Path and query of a list, an object or an operation: `/api/v1/clusters?view=summary`"
        },
    )


class StreamTicketSchema(SpecSchema):
    """A ticket; it opens one stream."""

    ticket = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "The value of the query parameter `ticket`; null in a dry run"},
    )
    url = fields.String(required=True, metadata={"description": "The stream's URL with the ticket, for `EventSource`"})
    expires = fields.DateTime(
        required=True,
        allow_none=True,
        metadata={"description": f"{VALID_SECONDS} seconds from now; null in a dry run"},
    )


def create_ticket(arguments: Mapping[str, Any], body: Mapping[str, Any]) -> Response:
    """Return a ticket of the caller for a stream's URL. Raises 422 for a URL at which there is no stream."""
    url = _stream_url(body["url"])
    if arguments["dry_run"]:
        return json_response({"ticket": None, "url": body["url"], "expires": None})
    ticket, expires = issue_ticket(url.path, url.query)
    query = f"{url.query}&" if url.query else ""
    document = {
        "ticket": ticket,
        "url": f"{url.path}?{query}{TICKET_PARAMETER}={ticket}",
        "expires": expires.isoformat().replace("+00:00", "Z"),
    }
    return json_response(document, 201)


def _stream_url(text: str) -> SplitResult:
    """Return the parts of a URL of this API that may respond with a stream; raise 422 for any other."""
    try:
        url = urlsplit(text)
    except ValueError as error:
        raise _bad_url(f"This is no URL: {error}.") from error
    if url.scheme or url.netloc or url.fragment or not url.path.startswith(f"{API_PREFIX}/"):
        raise _bad_url(f"Must be a path that begins with {API_PREFIX}/, and a query.")
    if any(each.partition("=")[0] == TICKET_PARAMETER for each in url.query.split("&")):
        raise _bad_url("Must not have a ticket.")
    segments = (unquote(segment).replace("%", "%25").replace("/", "%2F") for segment in url.path.split("/"))
    try:
        endpoint, _ = current_app.url_map.bind("").match("/".join(segments), method="GET")
    except HTTPException:
        raise _bad_url("There is nothing at this URL.") from None
    if not may_stream(current_app.view_functions[endpoint]):
        raise _bad_url("There is no stream at this URL.")
    return url


def _bad_url(text: str) -> Problem:
    return Problem(422, "validation", errors={"url": [text]})


def blueprint() -> GatewayBlueprint:
    """Return the blueprint of stream tickets."""
    routes = GatewayBlueprint(
        "stream-tickets",
        __name__,
        description="Tickets by which a browser's `EventSource`, which sends no credential, opens a stream.",
        tag=Tag("Identity and access", "Stream tickets"),
    )
    route = Route(
        method="POST",
        rule=f"{API_PREFIX}/stream-tickets",
        operation_id="create_stream_ticket",
        role=Role.READER,
        authorized_by_omni=True,
        view=idempotent(create_ticket, forget=("ticket", "url")),
        summary="Create a ticket for one stream",
        description="A browser's `EventSource` sends no `Authorization` header: `new EventSource(url)` with the `url`"
        f" of the answer opens the stream once, within {VALID_SECONDS} seconds, with your rights. The ticket counts for"
        f" exactly that URL, for a GET with `Accept: {MEDIA_TYPE}`; 401 `bad-ticket` for any other request.\n\n"
        "To go on after the stream has ended, take a new ticket for the same URL with `resume_point`, the"
        " `lastEventId` of the last event.",
        request=Request(query=WriteQuery(), body=NewStreamTicketSchema(), example=EXAMPLE),
        responses=Responses(
            answers={
                201: (StreamTicketSchema, "The ticket"),
                200: (StreamTicketSchema, "No ticket: the URL has a stream (only with `dry_run=true`)"),
            },
            problems={422: "There is no stream at this URL", 429: "You have too many unused tickets"},
        ),
    )
    add(routes, route)
    return routes
