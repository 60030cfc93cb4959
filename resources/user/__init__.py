"""Users: people who sign in to Omni."""

from omni_gateway.sdk import ADMIN_READ_WRITE, ResourcePlugin
from resources.user.adapter import UserAdapter
from resources.user.schemas import UserSchema

EXAMPLE = {"id": "ada@example.com", "role": "Reader"}

plugin = ResourcePlugin(
    name="auth/users",
    group="Identity and access",
    example_id="ops@example.com",
    singular="user",
    schema=UserSchema,
    adapter=UserAdapter(),
    roles=ADMIN_READ_WRITE,
    example=EXAMPLE,
    description="People who sign in to Omni, by e-mail address in lower case.",
    after_write="The role is the only member that can be changed; one's own is refused (422).",
    after_delete="Omni removes the user's identity and keys; one's own account is refused (422).",
    import_name=__name__,
)
