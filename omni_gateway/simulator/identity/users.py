"""People with an account: an identity by e-mail and its user with a role."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from omni_gateway.simulator.errors import InvalidArgument, NotFound, Unknown
from omni_gateway.simulator.identity import activity
from omni_gateway.simulator.identity.accounts import (
    IDENTITY,
    IS_SERVICE_ACCOUNT,
    USER,
    add_user,
    refresh_status,
    remove_identity,
)
from omni_gateway.simulator.identity.caller import ROLES, Identity
from omni_gateway.simulator.state.resource import Resource
from omni_gateway.simulator.state.store import Store

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


@dataclass(frozen=True)
class User:
    """A user, as listed."""

    id: str
    email: str
    role: str
    last_active: datetime | None


def create_user(store: Store, email: str, role: str) -> str:
    """Add a user and return its id; :class:`InvalidArgument` on the address, :class:`Unknown` on role or existing."""
    email = email.lower()
    if not _EMAIL.search(email):
        raise InvalidArgument("that is no e-mail address")
    _check_role(role)
    with store.lock:
        if store.peek("default", IDENTITY, email) is not None:
            raise Unknown(f"the user {email!r} already exists")
        user_id = add_user(store, email, role)
        refresh_status(store, email)
    return user_id


def update_user(store: Store, email: str, role: str, by: Identity | None = None) -> None:
    """Give a user, or a service account by its full id, another role.

    :class:`NotFound`, :class:`InvalidArgument` on the caller's own, :class:`Unknown` on a bad role.
    """
    _check_role(role)
    with store.lock:
        identity = _found(store, email, by)

        def change(res: Resource) -> None:
            res.spec["role"] = role

        store.modify("default", USER, identity.spec["user_id"], change)
        refresh_status(store, identity.id)


def list_users(store: Store) -> list[User]:
    """Return every user that is not a service account."""
    with store.lock:
        people = [res for res in store.view("default", IDENTITY) if IS_SERVICE_ACCOUNT not in res.labels]
        return [_listed(store, person) for person in people]


def destroy_user(store: Store, email: str, by: Identity | None = None) -> None:
    """Remove a user; :class:`NotFound`, :class:`InvalidArgument` on a service account or the caller's own."""
    with store.lock:
        identity = _found(store, email, by)
        if IS_SERVICE_ACCOUNT in identity.labels:
            raise InvalidArgument(f"{email!r} is a service account")
        remove_identity(store, identity)


def _listed(store: Store, person: Resource) -> User:
    user = store.peek("default", USER, person.spec["user_id"])
    role = user.spec["role"] if user else "None"
    return User(person.spec["user_id"], person.id, role, activity.last_active(store, person.id))


def _found(store: Store, email: str, by: Identity | None) -> Resource:
    identity = store.peek("default", IDENTITY, email.lower())
    if identity is None:
        raise NotFound(f"there is no user {email!r}")
    if by is not None and by.name == identity.id:
        raise InvalidArgument("nobody changes or removes their own account")
    return identity


def _check_role(role: str) -> None:
    if role not in ROLES:
        raise Unknown(f"{role!r} is no role")
