"""The access policy as callers read and write it (``specs.AccessPolicySpec``)."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from omni_gateway.sdk import ResourceSchema, SpecSchema
from omni_gateway.sdk import fields as wire


def _text(description: str, example: str) -> fields.String:
    return fields.String(metadata={"description": description, "example": example})


def _texts(description: str, *example: str) -> fields.List[str]:
    return fields.List(fields.String(), metadata={"description": description, "example": list(example)})


class AccessPolicyUserSchema(SpecSchema):
    """One user of a group, by exactly one of the three."""

    name = _text("Identity of a user: an e-mail address", "ada@example.com")
    match = _text("A pattern of identities: `*@example.com`", "*@example.com")
    label_selectors = _texts("Selectors of labels that SAML gave the identity", "saml.omni.sidero.dev/groups/support")


class AccessPolicyUserGroupSchema(SpecSchema):
    """A group of users."""

    users = fields.List(fields.Nested(AccessPolicyUserSchema), metadata={"description": "Members of the group"})


class AccessPolicyClusterSchema(SpecSchema):
    """One cluster of a group, by one of the two."""

    name = _text("Id of a cluster", "staging-1")
    match = _text("A pattern of ids: `prod-*`", "prod-*")


class AccessPolicyClusterGroupSchema(SpecSchema):
    """A group of clusters."""

    clusters = fields.List(fields.Nested(AccessPolicyClusterSchema), metadata={"description": "Members of the group"})


class AccessPolicyImpersonateSchema(SpecSchema):
    """The Kubernetes groups of a user."""

    groups = _texts("Groups of Kubernetes: `system:masters`", "system:masters")


class AccessPolicyKubernetesSchema(SpecSchema):
    """The access that a rule gives in Kubernetes."""

    impersonate = wire.Message(
        AccessPolicyImpersonateSchema,
        metadata={"description": "Kubernetes groups that the users act as in the clusters"},
    )


class AccessPolicyRuleSchema(SpecSchema):
    """A rule: users get a role, and Kubernetes groups, on clusters."""

    users = _texts("Identities, or groups of `user_groups` as `group/<name>`", "group/support")
    clusters = _texts("Ids of clusters, or groups of `cluster_groups` as `group/<name>`", "group/staging")
    kubernetes = wire.Message(
        AccessPolicyKubernetesSchema, metadata={"description": "Access in Kubernetes that the rule gives; null: none"}
    )
    role = _text("`None`, `Reader`, `Operator` or `Admin`; left out: the rule changes no role", "Operator")


class AccessPolicyTestUserSchema(SpecSchema):
    """The user of a test."""

    name = _text("Identity of the user: an e-mail address; need not exist", "ada@support.example.com")
    labels = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        metadata={
            "description": "Labels that SAML would give the user",
            "example": {"saml.omni.sidero.dev/groups/support": ""},
        },
    )


class AccessPolicyTestClusterSchema(SpecSchema):
    """The cluster of a test."""

    name = _text("Id of the cluster; need not exist", "staging-1")


class AccessPolicyExpectedSchema(SpecSchema):
    """The expected result of a test."""

    kubernetes = wire.Message(
        AccessPolicyKubernetesSchema, metadata={"description": "Kubernetes groups that the rules should give the user"}
    )
    role = fields.String(
        metadata={
            "description": "Role that the rules should give the user: `None`, `Reader`, `Operator` or `Admin`",
            "example": "Operator",
        }
    )


class AccessPolicyTestSchema(SpecSchema):
    """A test of the rules; Omni runs it when the policy is written."""

    name = fields.String(
        metadata={"description": "Name of the test, which Omni's refusal names", "example": "support operates staging"}
    )
    user = wire.Message(
        AccessPolicyTestUserSchema, metadata={"description": "The user whose access is tested; need not exist"}
    )
    cluster = wire.Message(
        AccessPolicyTestClusterSchema, metadata={"description": "The cluster on which it is tested; need not exist"}
    )
    expected = wire.Message(
        AccessPolicyExpectedSchema, metadata={"description": "What the rules should give the user there"}
    )


class AccessPolicySchema(ResourceSchema):
    """Roles of users on clusters, in addition to the users' own role."""

    user_groups = fields.Dict(
        keys=fields.String(),
        values=fields.Nested(AccessPolicyUserGroupSchema),
        metadata={"description": "Groups of users, by name"},
    )
    cluster_groups = fields.Dict(
        keys=fields.String(),
        values=fields.Nested(AccessPolicyClusterGroupSchema),
        metadata={"description": "Groups of clusters, by name"},
    )
    rules = fields.List(
        fields.Nested(AccessPolicyRuleSchema),
        metadata={
            "description": "Rules that give users a role, and Kubernetes groups, on clusters; the highest role counts"
        },
    )
    tests = fields.List(
        fields.Nested(AccessPolicyTestSchema),
        metadata={
            "description": "Tests of the rules; Omni runs them at each write and refuses a policy that fails one"
        },
    )


EXAMPLE: dict[str, Any] = {
    "user_groups": {"support": {"users": [{"match": "*@support.example.com"}]}},
    "cluster_groups": {"staging": {"clusters": [{"match": "staging-*"}]}},
    "rules": [{"users": ["group/support"], "clusters": ["group/staging"], "role": "Operator"}],
    "tests": [
        {
            "name": "support operates staging",
            "user": {"name": "ada@support.example.com"},
            "cluster": {"name": "staging-1"},
            "expected": {"role": "Operator"},
        }
    ],
}
