"""``Idempotency-Key`` (draft-ietf-httpapi-idempotency-key-header): a repeated POST gets the first one's response.

The engine supports it on every declared POST (creates, actions, ``apply``); a plugin's own view does so by
:func:`idempotent`, and without it a POST with the header is refused. Keys are stored in the database, so any replica
replays.

A request that was refused before it had any effect releases its key, and may be sent again under it. One that had an
effect, or may have had one, is never executed again under its key, whatever its response was.
"""

from __future__ import annotations

import base64
import hashlib
import logging
from collections.abc import Callable, Collection
from functools import wraps
from typing import Any

import marshmallow as ma
import orjson
from flask import Flask, Response, current_app, request
from werkzeug.exceptions import HTTPException

from omni_gateway.http.encryption import decrypt, encrypt
from omni_gateway.http.guard import current_credential, current_principal
from omni_gateway.http.omni_errors import problem_for
from omni_gateway.http.problems import Problem
from omni_gateway.omni import OmniError, outcomes
from omni_gateway.store import IdempotencyStore, Recorded

log = logging.getLogger(__name__)

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
LONGEST_KEY = 255
EXTENSION = "omni_gateway_idempotency"
_MARK = "__takes_idempotency_key__"
_RECORDED_HEADERS = ("Content-Type", "Location", "Operation-Location", "Retry-After", "ETag")


def init_app(app: Flask, store: IdempotencyStore) -> None:
    """Record this application's responses in ``store``; POSTs without support for keys answer 400 to the header."""
    app.extensions[EXTENSION] = store
    app.before_request(_refuse_unsupported)


def takes_key(view: Callable[..., Any]) -> bool:
    """Return whether a view, or a wrapper of it, supports the header."""
    return bool(getattr(view, _MARK, False))


def supports_key(app: Flask, endpoint: str) -> bool:
    """Return whether POSTs to an endpoint support the header."""
    view: Any = app.view_functions[endpoint]
    if (methods := getattr(view, "view_class", None)) is not None:
        view = getattr(methods, "post", view)
    return takes_key(view)


def idempotent(
    view: Callable[..., Response], *, forget: Collection[str] = (), certain: bool = True
) -> Callable[..., Response]:
    """Wrap a POST view so that it runs once per key; without the header it runs unchanged.

    ``forget`` names secret members of the response: they are stored only encrypted with the caller's credential, and a
    replay to another credential of the same caller has empty texts for them. ``certain``: the view changes nothing
    outside of Omni, so a failure without a write to Omni had no effect; if False, any failure may have had one.
    """

    @wraps(view)
    def run(*args: Any, **kwargs: Any) -> Response:
        text = request.headers.get(HEADER)
        if text is None:
            return view(*args, **kwargs)
        claim = _Claim(current_app.extensions[EXTENSION], text)
        recorded = claim.acquire()
        if recorded is not None:
            return claim.replay(recorded, forget)
        with outcomes.record_writes() as wrote:
            try:
                response = current_app.make_response(view(*args, **kwargs))
            except BaseException as error:
                claim.end_with_error(error, wrote=wrote(), certain=certain)
                raise
            if response.status_code >= 500:
                claim.end(unknown=wrote() or not certain)
            else:
                claim.record(response, forget)
        return response

    setattr(run, _MARK, True)
    return run


class _Claim:
    """The claim of one request on its key: acquired before the view runs, then recorded or ended."""

    def __init__(self, store: IdempotencyStore, text: str) -> None:
        if not 1 <= len(text) <= LONGEST_KEY or not text.isascii() or not text.isprintable():
            raise Problem(400, "bad-request", f"{HEADER} must be 1 to {LONGEST_KEY} printable ASCII characters.")
        self._store = store
        # The key includes the caller, so that callers cannot see or block each other's keys.
        self._key = hashlib.sha256(f"{current_principal().id}\0{text}".encode()).hexdigest()
        digest = hashlib.sha256(f"{request.method}\0{request.full_path}\0".encode())
        digest.update(request.get_data(cache=True))
        self._request = digest.hexdigest()
        self._credential = current_credential()

    def acquire(self) -> Recorded | None:
        """Claim the key; return None if it was free, else the record of its first use."""
        return self._store.claim(self._key, self._request)

    def record(self, response: Response, forget: Collection[str]) -> None:
        """Record a response under the key.

        The caller gets the response even if the store fails; the key then stays claimed, without a response.
        """
        if response.is_streamed or (response.status_code < 400 and response.cache_control.no_store):
            self.end(unknown=True)  # a file, which may be large, or a credential
            return
        head = {name: response.headers[name] for name in _RECORDED_HEADERS if name in response.headers}
        body = response.get_data()
        self._write(lambda: self._store.keep(self._key, response.status_code, head, self._sealed(body, forget)))

    def end(self, *, unknown: bool) -> None:
        """Release the key (the request had no effect), or record that the outcome is ``unknown``."""
        end = self._store.keep_unknown if unknown else self._store.release
        self._write(lambda: end(self._key))

    def end_with_error(self, error: BaseException, *, wrote: bool, certain: bool) -> None:
        """End the claim of a request that raised; a refusal (4xx) after a write is recorded like a response."""
        refusal = _refusal(error)
        if refusal is None:
            known = isinstance(error, OmniError | Problem) and certain
            self.end(unknown=wrote or not known)
        elif wrote:
            self.record(refusal.response(), ())
        else:
            self.end(unknown=False)

    def replay(self, recorded: Recorded, forget: Collection[str]) -> Response:
        """Return the recorded response.

        Raises problems: 422 if the key was used for another request, 409 if that request is still running or its
        outcome is unknown.
        """
        if recorded.request != self._request:
            raise Problem(422, "idempotency-mismatch", hint="Use a new key for a new request.")
        if recorded.unknown:
            hint = "Check whether it was applied; if not, send it again under a new key."
            raise Problem(409, "outcome-unknown", hint=hint, headers={REPLAYED: "true"})
        if recorded.status is None:
            raise Problem(409, "idempotency-conflict", headers={"Retry-After": "2"})
        body = self._unsealed(recorded.body) if forget else recorded.body
        response = Response(body, recorded.status, headers=dict(recorded.headers))
        response.headers[REPLAYED] = "true"
        return response

    def _write(self, write: Callable[[], None]) -> None:
        """Write to the store, and only log a failure: the view has run, and its response must reach the caller."""
        try:
            write()
        except Exception as error:
            log.warning("cannot record the response under an Idempotency-Key (%s)", type(error).__name__)

    def _sealed(self, body: bytes, forget: Collection[str]) -> bytes:
        """Return the record of a body: its members with the secret ones empty, and the whole body encrypted."""
        if not forget:
            return body
        shown = {name: "" if name in forget else value for name, value in orjson.loads(body).items()}
        record: dict[str, Any] = {"shown": shown}
        if self._credential:
            record["sealed"] = base64.b64encode(encrypt(body, self._credential, self._context)).decode()
        return orjson.dumps(record)

    def _unsealed(self, body: bytes) -> bytes:
        """Return the whole body of a record, or its members with the secret ones empty for another credential."""
        record = orjson.loads(body)
        if "shown" not in record:  # a refusal
            return body
        sealed = base64.b64decode(record.get("sealed", ""))
        whole = decrypt(sealed, self._credential, self._context) if sealed and self._credential else None
        return orjson.dumps(record["shown"]) if whole is None else whole

    @property
    def _context(self) -> str:
        return f"{self._key}\0{self._request}"


def _refusal(error: BaseException) -> Problem | None:
    """Return the problem with a status below 500 that an error becomes; None for any other error."""
    if isinstance(error, OmniError):
        error = problem_for(error)
    elif isinstance(error, ma.ValidationError):
        error = Problem.from_validation(error)
    elif isinstance(error, HTTPException) and 400 <= (error.code or 500) < 500:
        error = Problem(error.code or 400, "bad-request", error.description, title=error.name)
    return error if isinstance(error, Problem) and error.status < 500 else None


def _refuse_unsupported() -> None:
    """Raise 400 for the header on a POST whose view would ignore it: a repetition would not be safe."""
    if request.method != "POST" or HEADER not in request.headers or request.endpoint is None:
        return
    if not supports_key(current_app, request.endpoint):
        raise Problem(
            400, "bad-request", f"This route does not support {HEADER}: it would run again.", hint="Leave it out."
        )
