"""Pages: ``X-Pagination`` as flask-smorest writes it, and RFC 8288 ``Link`` to the neighbours."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote, urlencode

import orjson
from werkzeug.datastructures import MultiDict

DEFAULT_PAGE_SIZE = 100
MAX_PAGE_SIZE = 1000


def page_headers(*, page: int, page_size: int, total: int, path: str, args: MultiDict[str, str]) -> dict[str, str]:
    """Return ``X-Pagination`` and ``Link`` of a page; links are relative references, valid behind any proxy."""
    last = max(1, -(-total // page_size))
    neighbours = {
        "first": 1,
        "prev": page - 1 if 1 < page <= last + 1 else None,
        "next": page + 1 if page < last else None,
        "last": last,
    }
    info = {
        "total": total,
        "total_pages": last if total else 0,
        "page": page,
        "page_size": page_size,
        "first_page": 1,
        "last_page": last,
        "previous_page": neighbours["prev"],
        "next_page": neighbours["next"],
    }
    others = [(name, value) for name, value in args.items(multi=True) if name != "page"]
    links = (f'<{_url(path, others, number)}>; rel="{rel}"' for rel, number in neighbours.items() if number)
    return {"X-Pagination": orjson.dumps(info).decode(), "Link": ", ".join(links)}


def _url(path: str, others: Iterable[tuple[str, str]], page: int) -> str:
    return f"{quote(path)}?{urlencode([*others, ('page', str(page))])}"
