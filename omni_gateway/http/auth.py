"""Who calls, and whether that is enough: bearer tokens with roles; deny by default."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import total_ordering, wraps
from threading import Lock
from typing import Any, TypeVar, cast

from flask import Flask, current_app, request

from omni_gateway.http.problems import Problem
from omni_gateway.store import Store, Token

View = TypeVar("View", bound=Callable[..., Any])

EXTENSION = "omni_gateway_auth"
_PRINCIPAL = "omni_gateway.principal"
REALM = 'Bearer realm="omni-gateway"'
CACHE_SECONDS = 5.0
CACHE_SIZE = 1024


@total_ordering
class Role(Enum):
    """What a caller may do; each role includes the ones below it."""

    READER = "reader"
    OPERATOR = "operator"
    ADMIN = "admin"

    def __lt__(self, other: Role) -> bool:
        order = list(Role)
        return order.index(self) < order.index(other)


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller: a token's name, id and role."""

    name: str
    role: Role
    token_id: str


class Authenticator:
    """Looks tokens up by their hash; what it found is good for a few seconds, so that a revocation is soon obeyed."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._lock = Lock()
        self._cache: dict[str, tuple[float, Token | None]] = {}

    def authenticate(self, secret: str) -> Principal | None:
        """Return who holds a token, or None when it is unknown, revoked or expired.

        Only the SHA-256 of a token is kept and looked up: a token has 256 random bits, so its hash gives nothing away
        and the look-up's timing tells of hashes only.
        """
        digest = hashlib.sha256(secret.encode()).hexdigest()
        token = self._find(digest)
        if token is None or not token.valid():
            return None
        return Principal(token.name, Role(token.role), token.id)

    def _find(self, digest: str) -> Token | None:
        now = time.monotonic()
        with self._lock:
            kept = self._cache.get(digest)
            if kept is not None and kept[0] > now:
                return kept[1]
        token = self.store.tokens.find_by_hash(digest)
        with self._lock:
            if len(self._cache) >= CACHE_SIZE:
                self._cache.clear()
            self._cache[digest] = (now + CACHE_SECONDS, token)
        return token


def init_app(app: Flask, store: Store) -> None:
    """Let this application know its callers by the tokens in ``store``."""
    app.extensions[EXTENSION] = Authenticator(store)


def current_principal() -> Principal:
    """Return the caller of the request in flight; a 401 problem when there is no valid credential."""
    principal = known_principal()
    if principal is None:
        principal = request.environ[_PRINCIPAL] = _authenticate()
    return principal


def known_principal() -> Principal | None:
    """Return the caller if this request has proved who it is.

    Kept with the request and not in ``g``, which requests inside one application context share.
    """
    return cast("Principal | None", request.environ.get(_PRINCIPAL))


def _authenticate() -> Principal:
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        raise Problem(401, "unauthenticated", headers={"WWW-Authenticate": REALM})
    authenticator = cast(Authenticator, current_app.extensions[EXTENSION])
    principal = authenticator.authenticate(secret.strip())
    if principal is None:
        raise Problem(
            401,
            "unauthenticated",
            "The token is unknown, revoked or expired.",
            headers={"WWW-Authenticate": f'{REALM}, error="invalid_token"'},
        )
    return principal


def demand(role: Role) -> None:
    """Raise 401 without a valid credential, 403 with too low a role."""
    principal = current_principal()
    if principal.role < role:
        text = f"This needs the role {role.value}; your token has {principal.role.value}."
        raise Problem(403, "forbidden", text)


def require(role: Role) -> Callable[[View], View]:
    """Guard a view: 401 without a valid credential, 403 with too low a role."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            demand(role)
            return view(*args, **kwargs)

        guarded.__required_role__ = role  # type: ignore[attr-defined]
        return cast(View, guarded)

    return decorate


def public(view: View) -> View:
    """Mark a view as open on purpose."""
    view.__public__ = True  # type: ignore[attr-defined]
    return view
