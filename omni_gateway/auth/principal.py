"""The authenticated caller of a request."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from functools import total_ordering
from typing import TYPE_CHECKING, Literal

from omni_gateway.auth.scope import EVERYTHING, Scope

if TYPE_CHECKING:
    from omni_gateway.omni import OmniClient

MethodName = Literal["token", "oidc", "omni-key", "off"]


@total_ordering
class Role(Enum):
    """A role of the gateway; each includes the lower ones."""

    READER = "reader"
    OPERATOR = "operator"
    ADMIN = "admin"

    def __lt__(self, other: Role) -> bool:
        order = list(Role)
        return order.index(self) < order.index(other)


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller.

    ``id`` is unique among all callers and stable between requests: rate limits, idempotency keys and audit entries use
    it. ``role`` None: no role of the gateway (an Omni account without one). ``expires``: the credential's expiry.
    ``omni``: in pass-through, a client that signs calls with the caller's own key, so that Omni authorizes them.
    """

    name: str
    role: Role | None
    id: str
    method: MethodName = "token"
    scope: Scope = EVERYTHING
    expires: datetime | None = None
    omni: OmniClient | None = field(default=None, repr=False, compare=False)

    def may(self, role: Role) -> bool:
        """Return whether the caller has ``role`` or a higher one.

        Admin routes concern all clusters, so a caller restricted to some clusters is never an admin.
        """
        excluded_by_scope = role is Role.ADMIN and self.scope.restricted
        return self.role is not None and self.role >= role and not excluded_by_scope

    @property
    def role_name(self) -> str:
        """Return the role's name; ``none`` for a caller without one."""
        return self.role.value if self.role else "none"
