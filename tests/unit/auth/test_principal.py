"""What a caller may do follows from its role and from the clusters that it may touch."""

from __future__ import annotations

import pytest

from omni_gateway.auth import Principal, Role, Scope


def someone(role: Role | None, *patterns: str, held: bool = True) -> Principal:
    return Principal("someone", role, "oidc:p:someone", "oidc", scope=Scope(patterns if held else None))


def test_an_admin_of_some_clusters_has_nothing_that_takes_an_admin() -> None:
    held = someone(Role.ADMIN, "team-*")
    assert (held.may(Role.ADMIN), held.may(Role.OPERATOR)) == (False, True)


@pytest.mark.parametrize("role", list(Role))
def test_a_role_includes_those_below_it(role: Role) -> None:
    caller = someone(role, held=False)
    assert [caller.may(other) for other in Role] == [other <= role for other in Role]


def test_who_has_no_role_may_nothing() -> None:
    assert not any(someone(None, held=False).may(role) for role in Role)
