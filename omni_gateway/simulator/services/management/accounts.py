"""Service accounts: for Admins only."""

from __future__ import annotations

from datetime import datetime

from google.protobuf import empty_pb2, timestamp_pb2

from omni_gateway.simulator.identity import access, accounts
from omni_gateway.simulator.services.management.base import Calls, Context
from omni_gateway.simulator.wire.codec import timestamp
from omni_gateway.stubs import management_pb2 as pb

_Listed = pb.ListServiceAccountsResponse.ServiceAccount


class AccountCalls(Calls):
    """The calls about service accounts; the rules are in `accounts`."""

    def CreateServiceAccount(
        self, request: pb.CreateServiceAccountRequest, context: Context
    ) -> pb.CreateServiceAccountResponse:
        """Register an account and its first key."""
        access.require("Admin")
        fingerprint = accounts.create_service_account(
            self._store,
            request.name,
            request.role,
            request.armored_pgp_public_key,
            use_user_role=request.use_user_role,
        )
        return pb.CreateServiceAccountResponse(public_key_id=fingerprint)

    def RenewServiceAccount(
        self, request: pb.RenewServiceAccountRequest, context: Context
    ) -> pb.RenewServiceAccountResponse:
        """Add a key to an account; its old keys stay good."""
        access.require("Admin")
        key = accounts.renew_service_account(self._store, request.name, request.armored_pgp_public_key)
        return pb.RenewServiceAccountResponse(public_key_id=key)

    def ListServiceAccounts(self, request: empty_pb2.Empty, context: Context) -> pb.ListServiceAccountsResponse:
        """List every account with its keys."""
        access.require("Admin")
        found = accounts.list_service_accounts(self._store)
        return pb.ListServiceAccountsResponse(service_accounts=[_account(account) for account in found])

    def DestroyServiceAccount(self, request: pb.DestroyServiceAccountRequest, context: Context) -> empty_pb2.Empty:
        """Remove an account; its keys sign nothing from now on."""
        who = access.require("Admin")
        accounts.destroy_service_account(self._store, request.name, who)
        return empty_pb2.Empty()


def _account(account: accounts.ServiceAccount) -> _Listed:
    active = timestamp(account.last_active) if account.last_active else ""
    keys = [_key(key) for key in account.keys]
    return _Listed(name=account.name, role=account.role, pgp_public_keys=keys, last_active=active)


def _key(key: accounts.AccountKey) -> _Listed.PgpPublicKey:
    return _Listed.PgpPublicKey(
        id=key.fingerprint,
        armored=key.armored,
        expiration=_moment(key.expires),
        created=_moment(key.created),
        last_used=_moment(key.last_used),
    )


def _moment(when: datetime | None) -> timestamp_pb2.Timestamp | None:
    if when is None:
        return None
    found = timestamp_pb2.Timestamp()
    found.FromDatetime(when)
    return found
