"""The caller of the current call: set by the server's interceptor, read by the services."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass

ROLES = ("None", "InfraProvider", "Reader", "Auditor", "Operator", "Admin")
"""Omni's roles, each with all that the ones before it may do (save the audit log: the Auditor's and the Admin's)."""

SERVICE_ACCOUNT_SUFFIX = "@serviceaccount.omni.sidero.dev"
INFRA_PROVIDER_SUFFIX = "@infra-provider.serviceaccount.omni.sidero.dev"


@dataclass(frozen=True)
class Identity:
    """A caller: the account's full name, its user's id, and the role of this call, the lesser of user's and key's."""

    name: str
    user_id: str
    role: str
    fingerprint: str = ""

    def at_least(self, role: str) -> bool:
        """Return whether the caller's role is this one or above it."""
        return ROLES.index(self.role) >= ROLES.index(role)


ANONYMOUS = Identity("", "", "None")
"""The caller of an unsigned call."""

_caller: ContextVar[Identity] = ContextVar("caller", default=ANONYMOUS)


def caller() -> Identity:
    """Return the caller of the call that this thread serves."""
    return _caller.get()


def set_caller(identity: Identity) -> None:
    """Set the caller of the call that this thread is about to serve."""
    _caller.set(identity)


def lesser(one: str, other: str) -> str:
    """Return the lower of two roles."""
    return min(one, other, key=ROLES.index)
