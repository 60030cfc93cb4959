"""Service accounts and users: admins only.

Service accounts go by their short name here (``automation``, ``infra-provider:name``): a full id would get its
suffix twice.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from google.protobuf.empty_pb2 import Empty

from omni_gateway.omni import deadline, key_pairs, outcomes, rpcs
from omni_gateway.omni.errors import OmniError
from omni_gateway.omni.management.group import CallGroup, moment
from omni_gateway.stubs import management_pb2 as pb


@dataclass(frozen=True, slots=True)
class ServiceAccountKeyInfo:
    """A registered public key: its fingerprint, its armored text, and three moments, each None if Omni has none."""

    id: str
    armored: str
    expires: datetime | None
    created: datetime | None
    last_used: datetime | None


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """An account of a machine or a script; ``last_active`` is Omni's text, empty when never."""

    name: str
    role: str
    keys: tuple[ServiceAccountKeyInfo, ...]
    last_active: str


@dataclass(frozen=True, slots=True)
class User:
    """A person; ``last_active`` is Omni's text, empty when never."""

    id: str
    email: str
    role: str
    saml_labels: Mapping[str, str]
    last_active: str


class AccountCalls(CallGroup):
    """Make, list, change and remove identities."""

    def create_service_account(
        self, name: str, armored_public_key: str, *, role: str = "", use_user_role: bool = False
    ) -> str:
        """Create an account with its first key (armored OpenPGP, at most 365 days to live); return the key's id.

        ``use_user_role`` takes the caller's own role. ``AlreadyExists`` for a name or a key that is known;
        ``Unknown`` for an invalid role or key, so check both before. If the answer is lost, accounts are listed: one
        with this key counts as created by this call.
        """
        try:
            answer = self._calls.unary(
                rpcs.CREATE_SERVICE_ACCOUNT,
                lambda: pb.CreateServiceAccountRequest(
                    name=name, armored_pgp_public_key=armored_public_key, role=role, use_user_role=use_user_role
                ),
            )
        except OmniError as error:
            return self._find_registered(error, name, armored_public_key)
        return answer.public_key_id

    def renew_service_account(self, name: str, armored_public_key: str) -> str:
        """Add a key to an account (the old ones go on working) and return its id; ``Unknown`` for an unknown name.

        If the answer is lost, accounts are listed to find out whether this one has the key.
        """
        try:
            answer = self._calls.unary(
                rpcs.RENEW_SERVICE_ACCOUNT,
                lambda: pb.RenewServiceAccountRequest(name=name, armored_pgp_public_key=armored_public_key),
            )
        except OmniError as error:
            return self._find_registered(error, name, armored_public_key)
        return answer.public_key_id

    def _find_registered(self, error: OmniError, name: str, armored_public_key: str) -> str:
        """Return the id of a key whose registration was applied in spite of ``error``; else raise that error."""
        wanted = key_pairs.fingerprint(armored_public_key)
        if not outcomes.may_have_been_applied(error):
            raise error
        deadline.grace()
        for pause in outcomes.LOOKS:
            time.sleep(pause)
            try:
                listed = [account.keys for account in self.list_service_accounts() if account.name == name]
            except OmniError:
                break
            for key in (key for keys in listed for key in keys if wanted and key.id.lower() == wanted):
                return key.id
        raise error

    def list_service_accounts(self) -> list[ServiceAccount]:
        """Return every account with its keys."""
        return [_account(account) for account in self._calls.unary(rpcs.LIST_SERVICE_ACCOUNTS, Empty).service_accounts]

    def destroy_service_account(self, name: str) -> None:
        """Remove an account, its keys at once; ``NotFound``, or ``InvalidArgument`` for the caller's own."""
        self._calls.unary(rpcs.DESTROY_SERVICE_ACCOUNT, lambda: pb.DestroyServiceAccountRequest(name=name))

    def create_user(self, email: str, role: str) -> str:
        """Create a user and return its id; ``Unknown`` when the address is taken or the role is none."""
        return self._calls.unary(rpcs.CREATE_USER, lambda: pb.CreateUserRequest(email=email, role=role)).user_id

    def list_users(self) -> list[User]:
        """Return every user."""
        return [
            User(user.id, user.email, user.role, dict(user.saml_labels), user.last_active)
            for user in self._calls.unary(rpcs.LIST_USERS, Empty).users
        ]

    def update_user(self, email: str, role: str) -> None:
        """Give a user (or a service account, by its full id) another role."""
        self._calls.unary(rpcs.UPDATE_USER, lambda: pb.UpdateUserRequest(email=email, role=role))

    def destroy_user(self, email: str) -> None:
        """Remove a user; ``InvalidArgument`` for a service account or the caller's own."""
        self._calls.unary(rpcs.DESTROY_USER, lambda: pb.DestroyUserRequest(email=email))


def _account(account: pb.ListServiceAccountsResponse.ServiceAccount) -> ServiceAccount:
    keys = tuple(
        ServiceAccountKeyInfo(
            key.id, key.armored, moment(key, "expiration"), moment(key, "created"), moment(key, "last_used")
        )
        for key in account.pgp_public_keys
    )
    return ServiceAccount(account.name, account.role, keys, account.last_active)
