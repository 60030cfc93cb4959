"""Entity tags (``ETag``, RFC 9110 §8.8.3) of each kind of response, and the preconditions that name them.

| response | tag | made by |
|---|---|---|
| an object | ``"<hash of spec, labels, annotations and phase>-<version>"`` | :func:`of_object` |
| a view of it, or some of its fields | the object's, followed by ``.`` and a checksum of these | :func:`of_selection` |
| a list of objects | ``W/"<hash of the objects' states in order, the total, the view and fields>"`` | :func:`of_list` |
| anything else: documents, pages, operations, answers of actions | ``"<hash of the body>"`` | :func:`of_content` |
| such content in a coding | its own, followed by ``-br`` or ``-gzip`` | :func:`of_coding` |

Images of machines keep the tag of the image factory, which sends them.

If-None-Match compares the whole tag. If-Match compares the hash of the content and not the version: Omni's controllers
raise an object's version by themselves (a new cluster goes from 1 to 14 in a second), which must not fail a caller's
write with 412.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Any

import orjson
from flask import Request

_TAG = re.compile(r'(W/)?"([^"]*)"')
#: What proxies and compressors append inside the quotes.
_SUFFIX = re.compile(r"[:;-](gzip|br|zstd|deflate)$")


def of_object(
    spec: Mapping[str, Any], labels: Mapping[str, str], annotations: Mapping[str, str], phase: str, version: int
) -> str:
    """Return the strong entity tag of an object's state."""
    content = orjson.dumps([spec, labels, annotations, phase], option=orjson.OPT_SORT_KEYS)
    return f'"{blake2b(content, digest_size=8).hexdigest()}-{version}"'


def of_selection(tag: str, selection: Sequence[str]) -> str:
    """Return the tag of a part of an object that is tagged ``tag``: a view, fields, or both, by name."""
    return f'{tag[:-1]}.{zlib.crc32(",".join(selection).encode()):08x}"'


def of_list(states: Iterable[bytes], total: int, selection: Sequence[str]) -> str:
    """Return the weak tag of a page of objects, in a selection of views and fields.

    ``states``: those of its objects in order, each a hash of content, phase, version and time of creation. ``total``:
    the number of objects on all pages. Weak, for the same objects may be serialized in another way.
    """
    digest = blake2b(b"".join(states), digest_size=16)
    digest.update(f"{total}\0{','.join(selection)}".encode())
    return f'W/"{digest.hexdigest()}"'


def of_content(body: bytes) -> str:
    """Return the strong tag of a body."""
    return f'"{content_hash(body)}"'


def of_coding(tag: str, coding: str) -> str:
    """Return the tag of content in a coding; each has its own, for their bytes differ (RFC 9110 §8.8.3.3)."""
    return f'{tag[:-1]}-{coding}"'


def content_hash(body: bytes) -> str:
    """Return a short hash of a body, for its tag and for a URL that changes with it."""
    return blake2b(body, digest_size=8).hexdigest()


def content_part(tag: str) -> str:
    """Return the hash of a tag, quotes and version left out."""
    return tag.strip('"').partition("-")[0]


def _read(header: str) -> list[tuple[bool, str]]:
    return [(bool(weak), opaque) for weak, opaque in _TAG.findall(header)]


def _without_suffix(opaque: str) -> str:
    return _SUFFIX.sub("", opaque)


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
    return any(opaque in (value, _without_suffix(value)) for _, value in _read(header))


def if_match_fails(request: Request, tag: str) -> bool:
    """Return whether If-Match is present and no tag in it has this content (strong comparison, RFC 9110 §13.1.1)."""
    header = request.headers.get("If-Match")
    if header is None or header.strip() == "*":
        return False
    wanted = content_part(tag)
    return not any(not weak and content_part(_without_suffix(value)) == wanted for weak, value in _read(header))
