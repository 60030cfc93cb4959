"""The caller of a request, as far as a credential proves it."""

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
    """What a caller may do; each role includes the ones below it."""

    READER = "reader"
    OPERATOR = "operator"
    ADMIN = "admin"

    def __lt__(self, other: Role) -> bool:
        order = list(Role)
        return order.index(self) < order.index(other)


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller.

    ``id`` is unique among all callers and stays the same from request to request: limits, idempotency keys and audit
    lines go by it. ``role`` None: no role here (an Omni account that has none). ``expires``: when the credential does.
    ``omni`` makes calls as the caller itself, in pass-through; Omni then decides what the gateway would otherwise.
    """

    name: str
    role: Role | None
    id: str
    method: MethodName = "token"
    scope: Scope = EVERYTHING
    expires: datetime | None = None
    omni: OmniClient | None = field(default=None, repr=False, compare=False)

    def may(self, role: Role) -> bool:
        """Whether the caller has a role or one that includes it.

        What takes an admin is about all clusters, so who is held to some never has it.
        """
        held_back = role is Role.ADMIN and self.scope.restricted
        return self.role is not None and self.role >= role and not held_back

    @property
    def role_name(self) -> str:
        """Return the role's name; ``none`` for a caller without one."""
        return self.role.value if self.role else "none"
