"""Authentication: the methods, the principal that each returns, and the clusters that it is restricted to.

Independent of HTTP: ``omni_gateway.http.guard`` calls an :class:`Authenticator` and guards the views.
"""

from omni_gateway.auth.authenticator import Authenticator, Method, Rejected, Unverifiable
from omni_gateway.auth.failed_logins import FailedLogins
from omni_gateway.auth.omni_key import OmniKeyMethod
from omni_gateway.auth.principal import Principal, Role
from omni_gateway.auth.scope import EVERYTHING, Scope
from omni_gateway.auth.tokens import TokenMethod

__all__ = [
    "EVERYTHING",
    "Authenticator",
    "FailedLogins",
    "Method",
    "OmniKeyMethod",
    "Principal",
    "Rejected",
    "Role",
    "Scope",
    "TokenMethod",
    "Unverifiable",
]
