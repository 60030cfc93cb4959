"""A response whose headers and body were computed before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from flask import Response
from werkzeug.wsgi import ClosingIterator


class Ready(Response):
    """A precomputed response: ``fixed`` headers and the body are sent as they are.

    ``fixed`` includes all that :mod:`omni_gateway.http.headers` would add, and the body's length; ``headers`` has only
    those that belong to the current request.
    """

    default_mimetype = None

    def __init__(self, fixed: Sequence[tuple[str, str]], body: bytes | None, status: int = 200) -> None:
        super().__init__(status=status)
        self._fixed = fixed
        self._body = body

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Send the status, both groups of headers and the body (none for HEAD)."""
        start_response(self.status, [*self._fixed, *self.headers.to_wsgi_list()])
        body = [self._body] if self._body and environ["REQUEST_METHOD"] != "HEAD" else []
        return ClosingIterator(body, self.close) if self._on_close else body
