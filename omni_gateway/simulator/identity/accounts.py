"""Service accounts: an identity, its user with a role, and the public keys that speak for it, kept in the store."""

from __future__ import annotations

import base64
import uuid
from dataclasses import dataclass
from datetime import datetime

from omni_gateway.simulator.errors import AlreadyExists, InvalidArgument, NotFound, Unknown
from omni_gateway.simulator.identity import activity
from omni_gateway.simulator.identity.caller import INFRA_PROVIDER_SUFFIX, ROLES, SERVICE_ACCOUNT_SUFFIX, Identity
from omni_gateway.simulator.identity.keys import PublicKey, read_public_key
from omni_gateway.simulator.state.resource import Resource
from omni_gateway.simulator.state.store import Store
from omni_gateway.simulator.wire.codec import timestamp

IDENTITY = "Identities.omni.sidero.dev"
USER = "Users.omni.sidero.dev"
PUBLIC_KEY = "PublicKeys.omni.sidero.dev"
STATUS = "ServiceAccountStatuses.omni.sidero.dev"
IDENTITY_STATUS = "IdentityStatuses.omni.sidero.dev"
USER_ID = "user-id"
IS_SERVICE_ACCOUNT = "type-service-account"
_PROVIDER = "infra-provider:"
_PROVIDER_ROLE = "InfraProvider"
_PGP = 1


@dataclass(frozen=True)
class AccountKey:
    """A key of an account, as it is listed."""

    fingerprint: str
    armored: str
    expires: datetime
    created: datetime | None
    last_used: datetime | None


@dataclass(frozen=True)
class ServiceAccount:
    """An account, as it is listed: ``name`` has no domain (but ``infra-provider:`` in front of a provider's)."""

    name: str
    role: str
    keys: tuple[AccountKey, ...]
    last_active: datetime | None


def full_id(name: str) -> str:
    """Return the id of the account's Identity."""
    if name.startswith(_PROVIDER):
        return name.removeprefix(_PROVIDER) + INFRA_PROVIDER_SUFFIX
    return name + SERVICE_ACCOUNT_SUFFIX


def create_service_account(
    store: Store, name: str, role: str, armored_public_key: str, *, use_user_role: bool = False
) -> str:
    """Register an account with its first key and return the key's fingerprint.

    :class:`InvalidArgument` on upper case in the name; :class:`Unknown` on a bad role or key;
    :class:`AlreadyExists` when the account or the key is there. ``use_user_role`` makes an Admin, whatever the role.
    """
    if name != name.lower():
        raise InvalidArgument("an account's name must be in lower case")
    role = _checked_role(name, role, use_user_role)
    key = read_public_key(armored_public_key)
    with store.lock:
        if store.peek("default", IDENTITY, full_id(name)) is not None:
            raise AlreadyExists(f"the service account {name!r} already exists")
        if store.peek("default", PUBLIC_KEY, key.fingerprint) is not None:
            raise AlreadyExists("the key is already registered")
        user_id = add_user(store, full_id(name), role, {IS_SERVICE_ACCOUNT: ""})
        _register(store, key, full_id(name), user_id, role)
        refresh_status(store, full_id(name))
    return key.fingerprint


def renew_service_account(store: Store, name: str, armored_public_key: str) -> str:
    """Add a key to an account, the old ones stay, and return its fingerprint; every failure is :class:`Unknown`."""
    key = read_public_key(armored_public_key)
    with store.lock:
        identity = store.peek("default", IDENTITY, full_id(name))
        if identity is None:
            raise Unknown(f"there is no service account {name!r}")
        if store.peek("default", PUBLIC_KEY, key.fingerprint) is not None:
            raise Unknown("the key is already registered")
        user_id = identity.spec["user_id"]
        _register(store, key, identity.id, user_id, store.get("default", USER, user_id).spec["role"])
        refresh_status(store, identity.id)
    return key.fingerprint


def list_service_accounts(store: Store) -> list[ServiceAccount]:
    """Return every account with its keys, without those of infra providers, which Omni does not list."""
    with store.lock:
        return [_listed(store, identity) for identity in store.view("default", IDENTITY) if _is_listed(identity)]


def _is_listed(identity: Resource) -> bool:
    return IS_SERVICE_ACCOUNT in identity.labels and not identity.id.endswith(INFRA_PROVIDER_SUFFIX)


def destroy_service_account(store: Store, name: str, by: Identity | None = None) -> None:
    """Remove an account and its keys; :class:`NotFound`, :class:`InvalidArgument` when it is the caller's own."""
    with store.lock:
        identity = store.peek("default", IDENTITY, full_id(name))
        if identity is None or IS_SERVICE_ACCOUNT not in identity.labels:
            raise NotFound(f"there is no service account {name!r}")
        if by is not None and by.name == identity.id:
            raise InvalidArgument("an account cannot remove itself")
        remove_identity(store, identity)


# -- shared with users


def add_user(store: Store, identity: str, role: str, labels: dict[str, str] | None = None) -> str:
    """Store an identity and its user, and return the user's id."""
    user_id = str(uuid.uuid4())
    store.create(Resource("default", USER, user_id, {"role": role}))
    marks = {USER_ID: user_id, **(labels or {})}
    store.create(Resource("default", IDENTITY, identity, {"user_id": user_id}, marks))
    return user_id


def remove_identity(store: Store, identity: Resource) -> None:
    """Remove an identity, its user and its keys; a call signed with one of them fails from now on."""
    user_id = identity.spec["user_id"]
    for key in keys_of(store, user_id):
        _drop(store, key)
    for type_, id_ in ((IDENTITY, identity.id), (USER, user_id)):
        if res := store.peek("default", type_, id_):
            _drop(store, res)
    for type_ in (STATUS, IDENTITY_STATUS):
        if res := store.peek("ephemeral", type_, identity.id):
            _drop(store, res)


def keys_of(store: Store, user_id: str) -> list[Resource]:
    """Return the keys of a user."""
    return [key for key in store.view("default", PUBLIC_KEY) if key.labels.get(USER_ID) == user_id]


def refresh_status(store: Store, identity_id: str) -> None:
    """Update the IdentityStatus and ServiceAccountStatus of an identity."""
    identity = store.peek("default", IDENTITY, identity_id)
    if identity is None:
        return
    user_id = identity.spec["user_id"]
    user = store.peek("default", USER, user_id)
    role = user.spec["role"] if user else "None"
    active = activity.last_active(store, identity_id)

    def shown(res: Resource) -> None:
        res.spec = {"user_id": user_id, "role": role, "last_active": timestamp(active) if active else ""}
        res.labels = dict(identity.labels)

    store.modify("ephemeral", IDENTITY_STATUS, identity_id, shown, "IdentityStatusController", create=True)
    if _is_listed(identity):
        spec = _status_spec(store, user_id, role)

        def counted(res: Resource) -> None:
            res.spec = spec

        store.modify("ephemeral", STATUS, identity_id, counted, "ServiceAccountStatusController", create=True)


def _status_spec(store: Store, user_id: str, role: str) -> dict[str, object]:
    keys = [_listed_key(store, key) for key in keys_of(store, user_id)]
    shown = []
    for key in keys:
        entry = {"id": key.fingerprint, "armored": key.armored, "expiration": timestamp(key.expires)}
        if key.created:
            entry["created"] = timestamp(key.created)
        shown.append(entry)
    latest = max((key.expires for key in keys), default=None)
    return {"role": role, "public_keys": shown, "expiration": timestamp(latest) if latest else None}


# -- the rest


def _checked_role(name: str, role: str, use_user_role: bool) -> str:
    if use_user_role:
        if name.startswith(_PROVIDER):
            raise Unknown("an infra provider cannot take the caller's role")
        return "Admin"
    if role not in ROLES:
        raise Unknown(f"{role!r} is no role")
    if (role == _PROVIDER_ROLE) is not name.startswith(_PROVIDER):
        raise Unknown(f"the role {_PROVIDER_ROLE} and names with {_PROVIDER!r} in front go together")
    return role


def _register(store: Store, key: PublicKey, identity: str, user_id: str, role: str) -> None:
    spec = {
        "public_key": base64.b64encode(key.armored.encode()).decode(),
        "expiration": timestamp(key.expires),
        "confirmed": True,
        "identity": {"email": identity},
        "role": role,
        "type": _PGP,
    }
    store.create(Resource("default", PUBLIC_KEY, key.fingerprint, spec, {USER_ID: user_id}))


def _drop(store: Store, res: Resource) -> None:
    store.destroy(*res.key, owner=res.owner)


def _listed(store: Store, identity: Resource) -> ServiceAccount:
    user_id = identity.spec["user_id"]
    user = store.peek("default", USER, user_id)
    return ServiceAccount(
        identity.id.removesuffix(SERVICE_ACCOUNT_SUFFIX),
        user.spec["role"] if user else "None",
        tuple(_listed_key(store, key) for key in keys_of(store, user_id)),
        activity.last_active(store, identity.id),
    )


def _listed_key(store: Store, key: Resource) -> AccountKey:
    return AccountKey(
        key.id,
        base64.b64decode(key.spec["public_key"]).decode(),
        datetime.fromisoformat(key.spec["expiration"]),
        key.created,
        activity.last_used(store, key.id),
    )
