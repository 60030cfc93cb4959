"""``Idempotency-Key``: send a POST again, get the first answer again; its effect is never had twice.

The engine gives this to every declared POST (creates, actions, ``apply``); a view of a plugin's own takes the header by
:func:`idempotent`, and one without it refuses the header. Keys are kept in the store, so any replica replays.

A request that was refused before it had any effect is not kept: under its key it may be sent again. One that had an
effect, or may have had one, is never carried out again under its key, whatever it was answered.
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

from omni_gateway.http.guard import current_principal
from omni_gateway.http.omni_errors import problem_for
from omni_gateway.http.problems import Problem
from omni_gateway.http.sealing import seal, unseal
from omni_gateway.omni import OmniError, outcomes
from omni_gateway.store import IdempotencyStore, Recorded

log = logging.getLogger(__name__)

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
LONGEST_KEY = 255
EXTENSION = "omni_gateway_idempotency"
_MARK = "__takes_idempotency_key__"
_KEPT_HEADERS = ("Content-Type", "Location", "Operation-Location", "Retry-After", "ETag")


def init_app(app: Flask, store: IdempotencyStore) -> None:
    """Let this application keep its answers in ``store``; its POSTs that take no key refuse one (400)."""
    app.extensions[EXTENSION] = store
    app.before_request(_refuse_where_it_is_not_taken)


def takes_key(view: Callable[..., Any]) -> bool:
    """Whether a view, or what wraps it, honours the header."""
    return bool(getattr(view, _MARK, False))


def idempotent(
    view: Callable[..., Response], *, forget: Collection[str] = (), certain: bool = True
) -> Callable[..., Response]:
    """Let a view's POST be repeated safely under a key; without the header it runs as ever.

    ``forget`` names secret members of the answer: they are kept only encrypted for the caller's own credential, and a
    replay to another credential of the same caller does not have them. ``certain``: what the view changes is Omni's,
    so that a failure is known to have had no effect where no write was sent; else every failure may have had one.
    """

    @wraps(view)
    def run(*args: Any, **kwargs: Any) -> Response:
        text = request.headers.get(HEADER)
        if text is None:
            return view(*args, **kwargs)
        claim = _Claim(current_app.extensions[EXTENSION], text)
        recorded = claim.take()
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
                claim.keep(response, forget)
        return response

    setattr(run, _MARK, True)
    return run


class _Claim:
    """One request's hold on its key."""

    def __init__(self, store: IdempotencyStore, text: str) -> None:
        if not 1 <= len(text) <= LONGEST_KEY or not text.isascii() or not text.isprintable():
            raise Problem(400, "bad-request", f"{HEADER} must be 1 to {LONGEST_KEY} printable ASCII characters.")
        self._store = store
        # With its caller: one caller's keys say nothing about another's.
        self._key = hashlib.sha256(f"{current_principal().id}\0{text}".encode()).hexdigest()
        digest = hashlib.sha256(f"{request.method}\0{request.full_path}\0".encode())
        digest.update(request.get_data(cache=True))
        self._request = digest.hexdigest()
        self._credential = request.headers.get("Authorization", "").partition(" ")[2].strip()

    def take(self) -> Recorded | None:
        """Claim the key; None when it is ours, else what is kept of its first use."""
        return self._store.claim(self._key, self._request)

    def keep(self, response: Response, forget: Collection[str]) -> None:
        """Keep an answer. The caller gets it even where the store cannot: then the claim stays, without an answer."""
        if response.is_streamed or (response.status_code < 400 and response.cache_control.no_store):
            self.end(unknown=True)  # a file, which may be large, or a credential
            return
        head = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
        body = response.get_data()
        self._write(lambda: self._store.keep(self._key, response.status_code, head, self._sealed(body, forget)))

    def end(self, *, unknown: bool) -> None:
        """Release the key of a request that had no effect, or keep that its effect is not known."""
        end = self._store.keep_unknown if unknown else self._store.release
        self._write(lambda: end(self._key))

    def end_with_error(self, error: BaseException, *, wrote: bool, certain: bool) -> None:
        """End a request that raised: a refusal that followed a write is an answer like any other."""
        refusal = _refusal(error)
        if refusal is None:
            known = isinstance(error, OmniError | Problem) and certain
            self.end(unknown=wrote or not known)
        elif wrote:
            self.keep(refusal.response(), ())
        else:
            self.end(unknown=False)

    def replay(self, recorded: Recorded, forget: Collection[str]) -> Response:
        """Answer as the first request was answered; 409 and 422 problems where that cannot be."""
        if recorded.request != self._request:
            raise Problem(422, "idempotency-mismatch", hint="Take a new key for a new request.")
        if recorded.unknown:
            hint = "Look whether it was done; if not, send it again under a new key."
            raise Problem(409, "outcome-unknown", hint=hint, headers={REPLAYED: "true"})
        if recorded.status is None:
            raise Problem(409, "idempotency-conflict", headers={"Retry-After": "2"})
        body = self._opened(recorded.body) if forget else recorded.body
        response = Response(body, recorded.status, headers=dict(recorded.headers))
        response.headers[REPLAYED] = "true"
        return response

    def _write(self, write: Callable[[], None]) -> None:
        """Write to the store; its failure is not the request's, and leaves a claim without an answer."""
        try:
            write()
        except Exception as error:
            log.warning("the answer under an Idempotency-Key cannot be kept (%s)", type(error).__name__)

    def _sealed(self, body: bytes, forget: Collection[str]) -> bytes:
        """Return what is kept of a body: without its secret members, and whole but encrypted."""
        if not forget:
            return body
        shown = {name: value for name, value in orjson.loads(body).items() if name not in forget}
        kept: dict[str, Any] = {"shown": shown}
        if self._credential:
            kept["sealed"] = base64.b64encode(seal(body, self._credential, self._context)).decode()
        return orjson.dumps(kept)

    def _opened(self, body: bytes) -> bytes:
        kept = orjson.loads(body)
        if "shown" not in kept:  # a refusal
            return body
        sealed = base64.b64decode(kept.get("sealed", ""))
        whole = unseal(sealed, self._credential, self._context) if sealed and self._credential else None
        return orjson.dumps(kept["shown"]) if whole is None else whole

    @property
    def _context(self) -> str:
        return f"{self._key}\0{self._request}"


def _refusal(error: BaseException) -> Problem | None:
    """Return the problem below 500 that an error is answered with; None where it is no refusal."""
    if isinstance(error, OmniError):
        error = problem_for(error)
    elif isinstance(error, ma.ValidationError):
        error = Problem.from_validation(error)
    elif isinstance(error, HTTPException) and 400 <= (error.code or 500) < 500:
        error = Problem(error.code or 400, "bad-request", error.description, title=error.name)
    return error if isinstance(error, Problem) and error.status < 500 else None


def _refuse_where_it_is_not_taken() -> None:
    """Refuse the header on a POST whose view would ignore it: the caller believes to be safe to send it again."""
    if request.method != "POST" or HEADER not in request.headers or request.endpoint is None:
        return
    view: Any = current_app.view_functions[request.endpoint]
    if (methods := getattr(view, "view_class", None)) is not None:
        view = getattr(methods, "post", view)
    if not takes_key(view):
        raise Problem(
            400, "bad-request", f"This route takes no {HEADER}: what it does would be done again.", hint="Leave it out."
        )
