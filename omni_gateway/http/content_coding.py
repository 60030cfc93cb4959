"""Content codings (RFC 9110 §8.4): fixed content, compressed once per process and sent as ``Accept-Encoding`` prefers.

For documents and pages that are the same for all callers. Answers that depend on the caller are not compressed: the
length of a compressed answer would tell of secrets in it (BREACH).
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping
from threading import Lock

import brotli
from flask import Request, Response

from omni_gateway.http import etags
from omni_gateway.http.problems import Problem

IDENTITY = "identity"
#: A megabyte of JSON in 15 ms; brotli's highest level takes forty times that for a tenth of the size less.
_LEVEL = 6
#: The preferred coding first.
_COMPRESSORS: Mapping[str, Callable[[bytes], bytes]] = {
    "br": lambda body: bytes(brotli.compress(body, quality=_LEVEL)),
    "gzip": lambda body: gzip.compress(body, _LEVEL, mtime=0),
}
IMMUTABLE = "public, max-age=31536000, immutable"
REVALIDATE = "no-cache"


class EncodedContent:
    """Content of one media type in each coding; a coding is made at the first request for it."""

    def __init__(self, body: bytes, media_type: str) -> None:
        self._tag = etags.of_content(body)
        self.digest = self._tag.strip('"')
        self._media_type = media_type
        self._bodies = {IDENTITY: body}
        self._lock = Lock()

    def response(self, request: Request, cache_control: str, headers: Mapping[str, str] | None = None) -> Response:
        """Return the content in the coding that the request prefers, or 304 where the caller has it already.

        Raises a 406 problem where the request refuses every coding.
        """
        coding = preferred_coding(request)
        tag = self._tag if coding == IDENTITY else etags.of_coding(self._tag, coding)
        head = {"ETag": tag, "Cache-Control": cache_control, "Vary": "Accept-Encoding", **(headers or {})}
        if etags.if_none_match(request, tag):
            return Response(status=304, headers=head)
        if coding != IDENTITY:
            head["Content-Encoding"] = coding
        return Response(self._body(coding), headers=head, mimetype=self._media_type)

    def _body(self, coding: str) -> bytes:
        # Others wait: compressing the same content in each thread would take the worker's CPU for as many times.
        with self._lock:
            if coding not in self._bodies:
                self._bodies[coding] = _COMPRESSORS[coding](self._bodies[IDENTITY])
            return self._bodies[coding]


def preferred_coding(request: Request) -> str:
    """Return the coding that ``Accept-Encoding`` gives the highest weight (RFC 9110 §12.5.3).

    Without that field it is no coding; of equal ones the first of br, gzip, none. Raises a 406 problem if the field
    allows none of these.
    """
    accepted = request.accept_encodings
    weights = {coding: accepted.quality(coding) for coding in _COMPRESSORS}
    position = accepted.find(IDENTITY)
    # Not named, it is allowed (§12.5.3), but a coding that is named is preferred to it.
    weights[IDENTITY] = accepted[position][1] if position >= 0 else 0.001
    best = max(weights, key=lambda coding: weights[coding])
    if weights[best] == 0:
        detail = "`Accept-Encoding` allows neither br nor gzip nor identity."
        raise Problem(406, "not-acceptable", detail, headers={"Vary": "Accept-Encoding"})
    return best
