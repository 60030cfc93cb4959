"""Users, by Omni's management calls: the underlying objects cannot be written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from marshmallow import ValidationError, validate

from omni_gateway.sdk import Problem, Resource
from omni_gateway.sdk.adapters import CallAdapter, Created
from omni_gateway.sdk.omni import types

_ADDRESS = validate.Email(error="Must be an e-mail address such as ada@example.com.")
_ACCOUNTS = "serviceaccount.omni.sidero.dev"


class UserAdapter(CallAdapter):
    """Users by their addresses, which Omni stores in lower case."""

    type = types.USERS
    sortable = frozenset({"role", "last_active"})

    def items(self, filters: Mapping[str, Any]) -> Sequence[Resource]:
        """Return every user."""
        return [
            Resource(
                user.email,
                {
                    "role": user.role,
                    "user_id": user.id,
                    "saml_labels": dict(user.saml_labels),
                    "last_active": user.last_active,
                },
                type=self.type,
                namespace=self.namespace,
            )
            for user in self.omni.management.list_users()
            if not user.email.endswith(_ACCOUNTS)
        ]

    def canonical(self, id: str) -> str:
        """Return the address in lower case."""
        return id.lower()

    def check(self, resource: Resource, existing: Resource | None, extras: Mapping[str, Any]) -> None:
        """Raise 422 for addresses that Omni would refuse with ``Unknown``, and for those of service accounts."""
        super().check(resource, existing, extras)
        try:
            _ADDRESS(resource.id)
        except ValidationError as error:
            raise Problem(422, "validation", errors={"id": [str(text) for text in error.messages]}) from error
        if resource.id.endswith(_ACCOUNTS):
            hint = "POST /api/v1/auth/service-accounts"
            raise Problem(422, "validation", errors={"id": ["This is the name of a service account."]}, hint=hint)

    def create(self, resource: Resource, extras: Mapping[str, Any]) -> Created:
        """Create the user."""
        self.omni.management.create_user(resource.id, resource.spec["role"])
        return None

    def replace(self, resource: Resource) -> None:
        """Set the user's role, the only field that can be changed."""
        self.omni.management.update_user(resource.id, resource.spec["role"])

    def delete(self, resource: Resource) -> None:
        """Remove the user; 422 for the caller's own."""
        self.omni.management.destroy_user(resource.id)
