"""The permissions of each role on each type."""

from __future__ import annotations

from omni_gateway.simulator.errors import PermissionDenied, Unauthenticated
from omni_gateway.simulator.identity.caller import ANONYMOUS, Identity, caller
from omni_gateway.simulator.wire.types import Verb, catalogue

PUBLIC_READ = frozenset({"AuthConfigs.omni.sidero.dev", "EulaAcceptances.omni.sidero.dev"})
"""Types that can be read and listed without a signature."""

PUBLIC_CREATE = frozenset({"EulaAcceptances.omni.sidero.dev"})


def require(role: str) -> Identity:
    """Return the caller if its role is this one or above; :class:`Unauthenticated`, :class:`PermissionDenied`."""
    who = require_signed()
    if not who.at_least(role):
        raise PermissionDenied(f"the role {role} is needed, the caller's is {who.role}")
    return who


def require_one_of(*roles: str) -> Identity:
    """Return the caller if its role is exactly one of these."""
    who = require_signed()
    if who.role not in roles:
        raise PermissionDenied(f"one of the roles {', '.join(roles)} is needed, the caller's is {who.role}")
    return who


def require_signed() -> Identity:
    """Return the caller of a signed call, whatever its role; :class:`Unauthenticated`."""
    who = caller()
    if who is ANONYMOUS:
        raise Unauthenticated("the call carries no valid signature")
    return who


def problem(who: Identity, type_: str, verb: Verb) -> str | None:
    """Return the reason why a caller may not do this with a type, or None when it may."""
    known = catalogue().get(type_)
    if known is None:
        return f"no access to {type_!r}"
    role = known.roles[verb]
    if role is None:
        return f"nobody may {verb} {type_}"
    if not who.at_least(role):
        return f"the role {role} is needed to {verb} {type_}, the caller's is {who.role}"
    return None
