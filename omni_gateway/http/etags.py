"""Entity tags: ``"<hash of spec, labels, annotations, phase>-<version>"``, with ``fields`` followed by their checksum.

Lists have weak tags (``W/"…"``) of the objects on the page.

If-None-Match compares the whole tag. If-Match compares the hash only: Omni's controllers raise an object's version by
themselves (a new cluster goes from 1 to 14 in a second), which must not fail a caller's write with 412.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import orjson
from flask import Request

_TAG = re.compile(r'(W/)?"([^"]*)"')
#: What proxies and compressors append inside the quotes.
_SUFFIX = re.compile(r"[:;-](gzip|br|zstd|deflate)$")


def make(
    spec: Mapping[str, Any], labels: Mapping[str, str], annotations: Mapping[str, str], phase: str, version: int
) -> str:
    """Return the strong entity tag of an object's state."""
    content = orjson.dumps([spec, labels, annotations, phase], option=orjson.OPT_SORT_KEYS)
    return f'"{blake2b(content, digest_size=8).hexdigest()}-{version}"'


def content_part(tag: str) -> str:
    """Return the hash of a tag, quotes and version left out."""
    return tag.strip('"').partition("-")[0]


def _read(header: str) -> list[tuple[bool, str]]:
    return [(bool(weak), _SUFFIX.sub("", opaque)) for weak, opaque in _TAG.findall(header)]


def only_if_missing(request: Request) -> bool:
    """Return whether the request is for a missing object only: ``If-None-Match: *``."""
    return request.headers.get("If-None-Match", "").strip() == "*"


def if_none_match(request: Request, tag: str) -> bool:
    """Return whether the request has an If-None-Match that :func:`matches`.

    If so, a read is answered 304 and a write 412.
    """
    header = request.headers.get("If-None-Match")
    return header is not None and matches(header, tag)


def matches(header: str, tag: str) -> bool:
    """Return whether the value of an If-None-Match names ``tag`` (weak comparison, RFC 9110 §13.1.2)."""
    if header == tag or header.strip() == "*":
        return True
    opaque = tag.removeprefix("W/").strip('"')
    return any(value == opaque for _, value in _read(header))


def if_match_fails(request: Request, tag: str) -> bool:
    """Return whether If-Match is present and no tag in it has this content (strong comparison, RFC 9110 §13.1.1)."""
    header = request.headers.get("If-Match")
    if header is None or header.strip() == "*":
        return False
    wanted = content_part(tag)
    return not any(not weak and content_part(value) == wanted for weak, value in _read(header))
