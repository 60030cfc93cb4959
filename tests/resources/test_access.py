"""The promises of the HTTP contract for identities and access."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from omni_gateway.sdk.testing import ResourceConformance
from resources import accesspolicy, jointoken, oidcprovider, samllabelrule, serviceaccount, token, user

ROLES = ("Reader", "Operator", "None")


class TestSAMLLabelRules(ResourceConformance):
    plugin = samllabelrule.plugin
    second = {"id": "readers", "match_labels": ["saml.omni.sidero.dev/groups/all"], "assign_role": "Reader"}


class TestOIDCProviders(ResourceConformance):
    plugin = oidcprovider.plugin


class TestTokens(ResourceConformance):
    plugin = token.plugin
    second = {"name": "monitoring", "role": "reader"}
    takes_labels = False
    made_by_back_end = ("id", "created_at", "expires_at")


class TestUsers(ResourceConformance):
    plugin = user.plugin
    second = {"id": "bob@example.com", "role": "Operator"}
    takes_labels = False
    made_by_back_end = ("user_id",)

    def body(self, number: int, token: str) -> Mapping[str, Any]:
        return {"id": f"ada-{token}-{number}@example.com", "role": "Reader"}

    def variation(self, number: int) -> Mapping[str, Any]:
        return {"role": ROLES[number % len(ROLES)]}


class TestServiceAccounts(ResourceConformance):
    plugin = serviceaccount.plugin
    second = {"id": "monitoring", "role": "Reader"}
    takes_labels = False
    made_by_back_end = ("created_at", "identity", "public_keys")


class TestJoinTokens(ResourceConformance):
    plugin = jointoken.plugin
    second = {"name": "rack-8"}
    takes_labels = False
    made_by_back_end = ("id", "masked_id", "state")

    def variation(self, number: int) -> Mapping[str, Any]:
        return {"name": f"rack-{number}"}


class TestAccessPolicy(ResourceConformance):
    plugin = accesspolicy.plugin
