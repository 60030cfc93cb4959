"""People's accounts: for Admins only."""

from __future__ import annotations

from google.protobuf import empty_pb2

from omni_gateway.simulator.identity import access, users
from omni_gateway.simulator.services.management.base import Calls, Context
from omni_gateway.simulator.wire.codec import timestamp
from omni_gateway.stubs import management_pb2 as pb


class UserCalls(Calls):
    """The calls about users; the rules are in `users`."""

    def CreateUser(self, request: pb.CreateUserRequest, context: Context) -> pb.CreateUserResponse:
        """Add a user."""
        access.require("Admin")
        return pb.CreateUserResponse(user_id=users.create_user(self._store, request.email, request.role))

    def ListUsers(self, request: empty_pb2.Empty, context: Context) -> pb.ListUsersResponse:
        """List everybody who is not a service account."""
        access.require("Admin")
        return pb.ListUsersResponse(users=[_user(user) for user in users.list_users(self._store)])

    def UpdateUser(self, request: pb.UpdateUserRequest, context: Context) -> empty_pb2.Empty:
        """Change the role of a user, or of a service account by its full id."""
        who = access.require("Admin")
        users.update_user(self._store, request.email, request.role, who)
        return empty_pb2.Empty()

    def DestroyUser(self, request: pb.DestroyUserRequest, context: Context) -> empty_pb2.Empty:
        """Remove a user."""
        who = access.require("Admin")
        users.destroy_user(self._store, request.email, who)
        return empty_pb2.Empty()


def _user(user: users.User) -> pb.ListUsersResponse.User:
    active = timestamp(user.last_active) if user.last_active else ""
    return pb.ListUsersResponse.User(id=user.id, email=user.email, role=user.role, last_active=active)
