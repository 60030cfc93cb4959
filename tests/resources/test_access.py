"""The promises of the HTTP contract for identities and access."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from resources import accesspolicy, infraprovider, jointoken, oidcprovider, samllabelrule, serviceaccount, token, user

from .built_in import BuiltIn

ROLES = ("Reader", "Operator", "None")


class TestSAMLLabelRules(BuiltIn):
    plugin = samllabelrule.plugin
    second = {"id": "readers", "match_labels": ["saml.omni.sidero.dev/groups/all"], "assign_role": "Reader"}


class TestOIDCProviders(BuiltIn):
    plugin = oidcprovider.plugin
    under_gunicorn = True  # objects of the gateway's store


class TestTokens(BuiltIn):
    plugin = token.plugin
    second = {"name": "monitoring", "role": "reader"}
    takes_labels = False
    made_by_back_end = ("id", "created_at", "expires_at")


class TestUsers(BuiltIn):
    plugin = user.plugin
    second = {"id": "bob@example.com", "role": "Operator"}
    takes_labels = False
    made_by_back_end = ("user_id",)
    unfit = {"test_a_change_of_an_object_raises_its_version": "Omni's users have no versions"}

    def body(self, number: int, token: str) -> Mapping[str, Any]:
        return {"id": f"ada-{token}-{number}@example.com", "role": "Reader"}

    def variation(self, number: int) -> Mapping[str, Any]:
        return {"role": ROLES[number % len(ROLES)]}


class TestServiceAccounts(BuiltIn):
    plugin = serviceaccount.plugin
    second = {"id": "monitoring", "role": "Reader"}
    takes_labels = False
    made_by_back_end = ("created_at", "identity", "public_keys", "roles")


class TestInfraProviders(BuiltIn):
    plugin = infraprovider.plugin
    second = {"id": "virtual"}


class TestJoinTokens(BuiltIn):
    plugin = jointoken.plugin
    second = {"name": "rack-8"}
    takes_labels = False
    made_by_back_end = ("id", "masked_id", "state")

    def variation(self, number: int) -> Mapping[str, Any]:
        return {"name": f"rack-{number}"}


class TestAccessPolicy(BuiltIn):
    plugin = accesspolicy.plugin
