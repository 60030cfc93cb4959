"""The headers of responses: components of the OpenAPI document, which responses name by their key."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

#: Headers of every response; those of the rate limit are absent where no limit is set.
ALWAYS = ("X-Request-ID", "RateLimit", "RateLimit-Policy")


#: Examples, also of the headers of requests.
ENTITY_TAG = '"4f2a09c1e35b77d0"'
RESUME_POINT = "AgAAAANfDJ0uexpGgxI0VngSNFZ4MjAyNi0wOC0yMVQxMDowMDowMFo"


def _text(description: str, example: str) -> dict[str, Any]:
    return {"description": description, "schema": {"type": "string"}, "example": example}


def _number(description: str, minimum: int, example: int) -> dict[str, Any]:
    return {"description": description, "schema": {"type": "integer", "minimum": minimum}, "example": example}


_PAGE = {"type": "integer", "minimum": 1}
_NEIGHBOUR = {"type": ["integer", "null"], "minimum": 1}
_PAGINATION = {
    "total": {"type": "integer", "minimum": 0, "description": "Objects on all pages"},
    "total_pages": {"type": "integer", "minimum": 0, "description": "Number of pages; 0 where there are no objects"},
    "page": {**_PAGE, "description": "Number of this page, from 1"},
    "page_size": {**_PAGE, "description": "Objects on a page, at most"},
    "first_page": {**_PAGE, "description": "Number of the first page, always 1"},
    "last_page": {**_PAGE, "description": "Number of the last page; 1 where there are no objects"},
    "previous_page": {**_NEIGHBOUR, "description": "The page before this one; null: there is none"},
    "next_page": {**_NEIGHBOUR, "description": "The page after this one; null: there is none"},
}
_FIRST_PAGE = {
    "total": 230,
    "total_pages": 3,
    "page": 1,
    "page_size": 100,
    "first_page": 1,
    "last_page": 3,
    "previous_page": None,
    "next_page": 2,
}
_ON = "/api/v1/machines?page_size=100&page"

#: Schema of the value of ``X-Pagination``.
PAGINATION = {
    "type": "object",
    "description": "Where a page is in its list",
    "properties": _PAGINATION,
    "required": [*_PAGINATION],
}

HEADERS: Mapping[str, Mapping[str, Any]] = {
    "X-Request-ID": _text(
        "The id under which the gateway's log has this request: the caller's own `X-Request-ID` where it is made of at"
        " most 128 letters, digits, `.`, `_` and `-`, else a new one. Absent where the server refuses a request before"
        " it has read it whole",
        "5f0c9d2e7b1a46830000002a",
    ),
    "RateLimit": _text(
        "What is left of the caller's limit: `r` requests, until `t` seconds from now", '"caller";r=598;t=60'
    ),
    "RateLimit-Policy": _text("The caller's limit: `q` requests in `w` seconds", '"caller";q=600;w=60'),
    "ETag": _text("Entity tag of what is in the body, for `If-Match` and `If-None-Match`", ENTITY_TAG),
    "Cache-Status": _text(
        "RFC 9211: whether the response came from the gateway's cache, and if not, why", "omni-gateway; hit"
    ),
    "Age": _number("Seconds since the gateway's cache last heard from Omni; only where it responds", 0, 0),
    # A text, for generators of clients: Go's cannot read a header with a content of its own.
    "X-Pagination": {
        "description": "Where this page is in the list, as JSON",
        "schema": {
            "type": "string",
            "contentMediaType": "application/json",
            "contentSchema": {"$ref": "#/components/schemas/Pagination"},
        },
        "example": json.dumps(_FIRST_PAGE),
    },
    "Link": _text(
        "RFC 8288 links to the pages `first`, `prev`, `next` and `last`, as far as there are such",
        f'<{_ON}=1>; rel="first", <{_ON}=2>; rel="next", <{_ON}=3>; rel="last"',
    ),
    "X-Resume-Point": _text(
        "Sent as `Last-Event-ID`, a watch continues this list without a gap; absent when the list is only a part",
        RESUME_POINT,
    ),
    "Location": _text("URL of the object or operation that the response is about", "/api/v1/clusters/my-cluster"),
    "Operation-Location": _text(
        "URL of the operation that shows the progress", "/api/v1/operations/cluster-create/my-cluster"
    ),
    "Retry-After": _number("Seconds to wait before the next attempt", 0, 2),
    "Idempotency-Replayed": {
        "description": "`true`: this is the recorded response to the first request with this `Idempotency-Key`",
        "schema": {"type": "string", "enum": ["true"]},
        "example": "true",
    },
    "Content-Disposition": _text("The name to save the file under", "attachment; filename=kubeconfig.yaml"),
    "Accept-Ranges": _text("`bytes` where parts of the file can be asked for", "bytes"),
    "Content-Range": _text("Which part of the file this is, and the length of it all", "bytes 1048576-2097151/2097152"),
    "WWW-Authenticate": _text("The scheme that a credential is sent by (RFC 6750)", 'Bearer realm="omni-gateway"'),
    "Accept-Patch": _text(
        "Media types that a PATCH of this URL takes", "application/merge-patch+json, application/json"
    ),
    "Accept-Encoding": _text("Content codings that the URL takes: none", "identity"),
    "Accept-Post": _text("Media types that the URL takes", "application/json"),
}
