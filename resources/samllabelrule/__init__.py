"""Rules that give users a role by the labels that SAML gave them."""

from omni_gateway.sdk import ADMIN_READ_WRITE, OmniResourceAdapter, ResourcePlugin
from omni_gateway.sdk.omni import types
from resources.samllabelrule.schemas import EXAMPLE, SAMLLabelRuleSchema

plugin = ResourcePlugin(
    name="auth/saml-label-rules",
    group="Identity and access",
    singular="saml-label-rule",
    title="SAML label rule",
    schema=SAMLLabelRuleSchema,
    adapter=OmniResourceAdapter(types.SAML_LABEL_RULES, sortable=("assign_role", "update_on_each_login")),
    roles=ADMIN_READ_WRITE,
    example=EXAMPLE,
    description="A rule that gives users who sign in by SAML a role in Omni, by the labels of their SAML assertion.",
    after_write="The rule applies from the next sign-in on: a user's first one, or each with `update_on_each_login`.",
    after_delete="Users keep the role that the rule gave them.",
    import_name=__name__,
)
