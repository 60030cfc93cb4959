"""Whether a request may have what it asks for: its caller is found once, and every view names the role it takes."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from flask import Flask, current_app, request

from omni_gateway.auth import Authenticator, Principal, Rejected, Role
from omni_gateway.http.problems import Problem

View = TypeVar("View", bound=Callable[..., Any])

EXTENSION = "omni_gateway_auth"
_PRINCIPAL = "omni_gateway.principal"
REALM = 'Bearer realm="omni-gateway"'


def init_app(app: Flask, authenticator: Authenticator) -> None:
    """Let this application know its callers by what ``authenticator`` makes of their credentials."""
    app.extensions[EXTENSION] = authenticator


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
    authenticator = cast(Authenticator, current_app.extensions[EXTENSION])
    scheme, _, credential = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not credential.strip():
        if authenticator.anonymous is not None and not scheme:
            return authenticator.anonymous
        raise Problem(401, "unauthenticated", headers={"WWW-Authenticate": REALM})
    try:
        return authenticator.authenticate(credential.strip())
    except Rejected as error:
        headers = {"WWW-Authenticate": f'{REALM}, error="invalid_token"'}
        raise Problem(401, "unauthenticated", str(error), headers=headers) from None


def demand(role: Role, *, omni_decides: bool = False) -> None:
    """Raise 401 without a valid credential, 403 with too low a role.

    ``omni_decides``: the answer comes from Omni, so a caller who brings its own Omni identity is Omni's to judge.
    """
    principal = current_principal()
    if omni_decides and principal.signer is not None:
        return
    if not principal.may(role):
        text = f"This needs the role {role.value}; yours is {principal.role_name}."
        raise Problem(403, "forbidden", text)


def require(role: Role, *, omni_decides: bool = False) -> Callable[[View], View]:
    """Guard a view: 401 without a valid credential, 403 with too low a role; see :func:`demand`."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            demand(role, omni_decides=omni_decides)
            return view(*args, **kwargs)

        guarded.__required_role__ = role  # type: ignore[attr-defined]
        return cast(View, guarded)

    return decorate


def public(view: View) -> View:
    """Mark a view as open on purpose."""
    view.__public__ = True  # type: ignore[attr-defined]
    return view
