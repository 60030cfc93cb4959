"""``Idempotency-Key``: send a POST again, get the first answer again.

For POSTs whose effect has no name of its own (actions). Kept 24 hours in the store, so any replica replays it. A
request that was refused or failed is not kept: under its key it may be sent again. But one that failed after it wrote,
or may have written, to Omni is never done again under its key: its answer was lost, and its effect may be there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection
from functools import wraps
from typing import Any

import orjson
from flask import Flask, Response, current_app, request

from omni_gateway.http.guard import current_principal
from omni_gateway.http.omni_errors import problem_for
from omni_gateway.http.problems import MEDIA_TYPE, Problem
from omni_gateway.omni import OmniError, outcomes
from omni_gateway.store import IdempotencyStore, Recorded

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
LONGEST_KEY = 255
EXTENSION = "omni_gateway_idempotency"
_KEPT_HEADERS = ("Content-Type", "Location", "Operation-Location", "Retry-After", "ETag")


def init_app(app: Flask, store: IdempotencyStore) -> None:
    """Let this application keep its answers in ``store``."""
    app.extensions[EXTENSION] = store


def idempotent(view: Callable[..., Response], *, forget: Collection[str] = ()) -> Callable[..., Response]:
    """Let a view's POST be repeated safely under a key; without the header it runs as ever.

    ``forget`` names members of the answer that are told once: they are not kept, and a replay does not have them.
    """

    @wraps(view)
    def run(*args: Any, **kwargs: Any) -> Response:
        text = request.headers.get(HEADER)
        if text is None:
            return view(*args, **kwargs)
        store: IdempotencyStore = current_app.extensions[EXTENSION]
        key = _key(text)
        recorded = store.claim(key, _request_hash())
        if recorded is not None:
            return _replay(recorded)
        with outcomes.noting_writes() as wrote:
            try:
                response = view(*args, **kwargs)
            except BaseException as error:
                _end(store, key, unknown=wrote() and _says_nothing(error))
                raise
            if response.status_code >= 500:
                _end(store, key, unknown=wrote())
                return response
        kept = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
        store.keep(key, response.status_code, kept, _without(forget, response.get_data()))
        return response

    return run


def _says_nothing(error: BaseException) -> bool:
    """Whether an error leaves open what became of the request: anything but an answer that refuses it."""
    problem = problem_for(error) if isinstance(error, OmniError) else error
    return not isinstance(problem, Problem) or problem.status >= 500


def _end(store: IdempotencyStore, key: str, *, unknown: bool) -> None:
    """Forget a request that failed, or keep that nobody knows what became of it."""
    if not unknown:
        store.release(key)
        return
    problem = Problem(409, "outcome-unknown", hint="Look whether it was done; if not, send it again under a new key.")
    store.keep(key, problem.status, {"Content-Type": MEDIA_TYPE}, orjson.dumps(problem.to_dict()))


def _without(names: Collection[str], body: bytes) -> bytes:
    if not names:
        return body
    return orjson.dumps({name: value for name, value in orjson.loads(body).items() if name not in names})


def _key(text: str) -> str:
    """Hash the key together with its caller: one caller's keys say nothing about another's."""
    if not 1 <= len(text) <= LONGEST_KEY or not text.isascii() or not text.isprintable():
        raise Problem(400, "bad-request", f"{HEADER} must be 1 to {LONGEST_KEY} printable ASCII characters.")
    return hashlib.sha256(f"{current_principal().id}\0{text}".encode()).hexdigest()


def _request_hash() -> str:
    digest = hashlib.sha256(f"{request.method}\0{request.full_path}\0".encode())
    digest.update(request.get_data(cache=True))
    return digest.hexdigest()


def _replay(recorded: Recorded) -> Response:
    if recorded.request != _request_hash():
        raise Problem(422, "idempotency-mismatch", hint="Take a new key for a new request.")
    if recorded.status is None:
        raise Problem(409, "idempotency-conflict", headers={"Retry-After": "2"})
    response = Response(recorded.body, recorded.status, headers=dict(recorded.headers))
    response.headers[REPLAYED] = "true"
    return response
