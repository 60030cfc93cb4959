"""Authentication and role checks: a request's caller is looked up once, and each view declares the role it requires."""

from __future__ import annotations

import ipaddress
import logging
import math
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache, wraps
from typing import Any, TypeVar, cast

from flask import Flask, current_app, has_request_context, request

from omni_gateway.auth import Authenticator, FailedLogins, Principal, Rejected, Role, Unverifiable
from omni_gateway.http.metrics import count_authentication
from omni_gateway.http.paths import TICKET, request_path
from omni_gateway.http.problems import Problem
from omni_gateway.http.store_errors import problem_for_store
from omni_gateway.http.stream_tickets import MEDIA_TYPE, VALID_SECONDS, StreamTickets, TicketRefused
from omni_gateway.store import StoreUnavailable

log = logging.getLogger(__name__)

View = TypeVar("View", bound=Callable[..., Any])

EXTENSION = "omni_gateway_auth"
_LOGINS = "omni_gateway_failed_logins"
_TICKETS = "omni_gateway_stream_tickets"
_PRINCIPAL = "omni_gateway.principal"
_REDEEMED = "omni_gateway.redeemed"
_REFUSED = "omni_gateway.refused"
REALM = 'Bearer realm="omni-gateway"'


def init_app(app: Flask, authenticator: Authenticator, logins: FailedLogins, tickets: StreamTickets) -> None:
    """Use ``authenticator`` for this application's credentials, and ``logins`` to count failed ones.

    ``tickets`` are credentials of requests that open a stream.
    """
    app.extensions[EXTENSION] = authenticator
    app.extensions[_LOGINS] = logins
    app.extensions[_TICKETS] = tickets


def current_principal() -> Principal:
    """Return the caller of the current request; raise a 401 problem when there is no valid credential.

    The credential is checked once per request; a refusal is remembered as well, and raised again.
    """
    principal = cast("Principal | None", request.environ.get(_PRINCIPAL))
    if principal is None:
        if (refused := request.environ.get(_REFUSED)) is not None:
            raise cast(Problem, refused)
        try:
            principal = request.environ[_PRINCIPAL] = _authenticate()
        except Problem as problem:
            request.environ[_REFUSED] = problem
            count_authentication("", problem.code)
            raise
        count_authentication(principal.method, "accepted")
    return principal


def known_principal() -> Principal | None:
    """Return the caller if this request has been authenticated already, else None.

    Stored in the request's environ and not in ``g``, which requests inside one application context share.
    """
    return principal_of(request.environ)


def principal_of(environ: Mapping[str, Any]) -> Principal | None:
    """Return the caller of the request with this environ, None if it has not been authenticated."""
    return cast("Principal | None", environ.get(_PRINCIPAL))


def act_as(environ: dict[str, Any], principal: Principal) -> None:
    """Set the caller of a request that the gateway makes itself; its credential was checked before."""
    environ[_PRINCIPAL] = principal


def credential_checker() -> Callable[[], bool]:
    """Return a function that checks the caller's credential again; streams call it after the response has begun.

    It returns False once the credential is revoked or expired, or maps to another role or other clusters than before,
    and when the store has been unavailable for longer than known credentials are accepted without it. It returns True
    while an OIDC issuer cannot be reached.
    """
    before = known_principal()
    authenticator = cast("Authenticator | None", current_app.extensions.get(EXTENSION))
    credential = request.environ.get(_REDEEMED) or current_credential()
    if before is None or authenticator is None or not credential:
        return lambda: True

    def is_valid() -> bool:
        try:
            return authenticator.authenticate(credential) == before
        except Unverifiable:
            return True
        except (Rejected, StoreUnavailable):  # the latter is raised only after the store's grace period
            return False
        except Exception as error:
            # A defect here must not end every open stream.
            log.warning("cannot check the credential of a stream's caller again (%s)", type(error).__name__)
            return True

    return is_valid


def current_credential() -> str:
    """Return the credential in the request's ``Authorization``, of any scheme; empty if there is none."""
    return request.headers.get("Authorization", "").partition(" ")[2].strip()


def issue_ticket(path: str, query: str) -> tuple[str, datetime]:
    """Return a ticket of the current caller for a stream's URL, and its expiry. Raises 429 if it has too many."""
    tickets = cast(StreamTickets, current_app.extensions[_TICKETS])
    issued = tickets.issue(current_principal().id, current_credential(), path, query)
    if issued is None:
        raise Problem(429, "too-many-tickets", headers={"Retry-After": str(VALID_SECONDS)})
    return issued


def _authenticate() -> Principal:
    authenticator = cast(Authenticator, current_app.extensions[EXTENSION])
    if (ticket := request.environ.get(TICKET)) is not None:
        credential = request.environ[_REDEEMED] = _redeem(ticket)
        if credential:
            return _look_up(authenticator, credential)
        if authenticator.anonymous is not None:
            return authenticator.anonymous
        raise _bad_ticket("The ticket is of a caller without a credential.")
    scheme, _, credential = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not credential.strip():
        if authenticator.anonymous is not None and not scheme:
            return authenticator.anonymous
        raise Problem(401, "unauthenticated", headers={"WWW-Authenticate": REALM})
    return _look_up(authenticator, credential.strip())


def _redeem(ticket: str) -> str:
    """Return the credential behind the ticket in the request's URL; raise a 401 problem if it cannot be used."""
    if request.method != "GET" or request.headers.get("Accept", "").strip() != MEDIA_TYPE:
        raise _bad_ticket(f"A ticket is for a GET with `Accept: {MEDIA_TYPE}`.")
    logins = cast(FailedLogins, current_app.extensions[_LOGINS])
    tickets = cast(StreamTickets, current_app.extensions[_TICKETS])
    address = remote_network()
    if seconds := logins.seconds_to_wait(address, ticket):
        raise _too_many_failures(seconds)
    try:
        return tickets.redeem(ticket, request_path(), request.query_string.decode("latin-1"))
    except StoreUnavailable as error:
        raise problem_for_store(error) from error
    except TicketRefused as error:
        if error.unknown:
            logins.failed(address, ticket)
        raise _bad_ticket(str(error)) from None


def _bad_ticket(text: str) -> Problem:
    return Problem(401, "bad-ticket", text, headers={"WWW-Authenticate": REALM})


def _too_many_failures(seconds: float) -> Problem:
    return Problem(429, "too-many-failed-logins", headers={"Retry-After": str(math.ceil(seconds))})


def _look_up(authenticator: Authenticator, credential: str) -> Principal:
    logins = cast(FailedLogins, current_app.extensions[_LOGINS])
    address = remote_network()
    if seconds := logins.seconds_to_wait(address, credential):
        raise _too_many_failures(seconds)
    try:
        principal = authenticator.authenticate(credential)
    except StoreUnavailable as error:
        raise problem_for_store(error) from error
    except Rejected as error:
        if not isinstance(error, Unverifiable):
            logins.failed(address, credential)
        raise _invalid(str(error)) from None
    logins.succeeded(credential)
    return principal


def remote_network() -> str:
    """Return the caller's IPv4 address, or its IPv6 /64 network: one caller commonly has a whole /64."""
    return _network(request.remote_addr or "")


@lru_cache(1024)
def _network(text: str) -> str:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return text
    if address.version == 4:
        return text
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, 64), strict=False))


def refused_by_omni() -> Problem | None:
    """Return the 401 for a caller whose own Omni key Omni no longer accepts; None if the gateway's key was used."""
    principal = known_principal() if has_request_context() else None
    if principal is None or principal.omni is None:
        return None
    return _invalid("Omni does not accept your key any more.")


def _invalid(detail: str) -> Problem:
    """Return the 401 for an invalid credential (``error="invalid_token"``, RFC 6750 §3.1)."""
    return Problem(401, "unauthenticated", detail, headers={"WWW-Authenticate": f'{REALM}, error="invalid_token"'})


def about_all_clusters() -> Problem:
    """Return the 403 for a caller restricted to some clusters whose request concerns all of them."""
    return Problem(403, "forbidden", "This is about all clusters; you may touch only some.")


def check_role(role: Role, *, authorized_by_omni: bool = False) -> None:
    """Raise 401 without a valid credential, 403 with too low a role.

    ``authorized_by_omni``: callers with an Omni key of their own are not checked, for Omni authorizes their calls. A
    caller restricted to some clusters never passes the check for admins: admin routes concern all clusters.
    """
    principal = current_principal()
    if authorized_by_omni and principal.omni is not None:
        return
    if role is Role.ADMIN and principal.scope.restricted:
        raise about_all_clusters()
    if not principal.may(role):
        text = f"This needs the role {role.value}; yours is {principal.role_name}."
        raise Problem(403, "forbidden", text)


def permitted(role: Role, *, authorized_by_omni: bool = False) -> bool:
    """Return whether the caller has the role, or is authorized by Omni; raise 401 without a valid credential."""
    principal = current_principal()
    return (authorized_by_omni and principal.omni is not None) or principal.may(role)


def require_role(role: Role, *, authorized_by_omni: bool = False) -> Callable[[View], View]:
    """Guard a view: 401 without a valid credential, 403 with too low a role; see :func:`check_role`.

    Put it directly on the view, below the route's decorator; above it, the route would call the unguarded view.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            check_role(role, authorized_by_omni=authorized_by_omni)
            return view(*args, **kwargs)

        guarded.__required_role__ = role  # type: ignore[attr-defined]
        guarded.__omni_decides__ = authorized_by_omni  # type: ignore[attr-defined]
        return cast(View, guarded)

    return decorate


def public(view: View) -> View:
    """Declare a view as open: it is called without any credential.

    The mark is on the returned wrapper only, so that another route to the same view is not open as well.
    """

    @wraps(view)
    def opened(*args: Any, **kwargs: Any) -> Any:
        return view(*args, **kwargs)

    opened.__public__ = True  # type: ignore[attr-defined]
    return cast(View, opened)
