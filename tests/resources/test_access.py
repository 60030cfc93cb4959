"""The promises of the HTTP contract for identities and access."""

from __future__ import annotations

from omni_gateway.sdk.testing import ResourceConformance
from resources import accesspolicy, jointoken, oidcprovider, samllabelrule, serviceaccount, token, user


class TestSAMLLabelRules(ResourceConformance):
    plugin = samllabelrule.plugin
    second = {"id": "readers", "match_labels": ["saml.omni.sidero.dev/groups/all"], "assign_role": "Reader"}


class TestOIDCProviders(ResourceConformance):
    plugin = oidcprovider.plugin


class TestTokens(ResourceConformance):
    plugin = token.plugin


class TestUsers(ResourceConformance):
    plugin = user.plugin
    second = {"id": "bob@example.com", "role": "Operator"}


class TestServiceAccounts(ResourceConformance):
    plugin = serviceaccount.plugin


class TestJoinTokens(ResourceConformance):
    plugin = jointoken.plugin


class TestAccessPolicy(ResourceConformance):
    plugin = accesspolicy.plugin
