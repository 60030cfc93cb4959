"""Omni's access policy: additional roles of users on clusters."""

from omni_gateway.sdk import ADMIN_READ_WRITE, ResourcePlugin
from resources.accesspolicy.adapter import ID, AccessPolicyAdapter
from resources.accesspolicy.schemas import EXAMPLE, AccessPolicySchema

plugin = ResourcePlugin(
    name="auth/access-policy",
    group="Identity and access",
    singular="access-policy",
    schema=AccessPolicySchema,
    adapter=AccessPolicyAdapter(),
    roles={verb: role for verb, role in ADMIN_READ_WRITE.items() if verb != "list"},
    singleton=ID,
    example=EXAMPLE,
    description="Omni's one access policy: groups of users and of clusters, and the rules that give users roles"
    " on clusters.",
    after_write="Omni runs the policy's own `tests` first and refuses a policy that fails one (422).",
    after_delete="Users keep the role of their own only.",
    import_name=__name__,
)
