"""Whether a request may have what it asks for: its caller is found once, and every view names the role it takes."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from flask import Flask, current_app, has_request_context, request

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


def refused_by_omni() -> Problem | None:
    """Return the 401 for a caller whose own Omni key Omni stopped to take; None where the key is the gateway's."""
    principal = known_principal() if has_request_context() else None
    if principal is None or principal.omni is None:
        return None
    headers = {"WWW-Authenticate": f'{REALM}, error="invalid_token"'}
    return Problem(401, "unauthenticated", "Omni does not take your key any more.", headers=headers)


def demand(role: Role, *, omni_decides: bool = False) -> None:
    """Raise 401 without a valid credential, 403 with too low a role.

    ``omni_decides``: the answer comes from Omni, so a caller who brings its own Omni identity is Omni's to judge.
    A caller who is held to some clusters never gets what takes an admin: that is about all of them.
    """
    principal = current_principal()
    if omni_decides and principal.omni is not None:
        return
    if role is Role.ADMIN and principal.scope.restricted:
        raise Problem(403, "forbidden", "This is about all clusters; you may touch only some.")
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
