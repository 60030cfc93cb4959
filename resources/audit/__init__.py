"""The gateway's own audit: requests that changed something or were refused, with caller and outcome."""

from marshmallow import fields, validate

from omni_gateway.sdk import (
    Filter,
    Problem,
    ResourcePlugin,
    Role,
)
from omni_gateway.sdk.actions import check_role, current_principal
from resources.audit.adapter import AuditAdapter
from resources.audit.schemas import METHODS, OUTCOMES, AuditEntrySchema


def _text(name: str, description: str) -> Filter:
    return Filter(name, description, field=fields.String(validate=validate.Length(min=1, max=1024)))


def _choice(name: str, description: str, choices: tuple[str, ...]) -> Filter:
    return Filter(name, description, field=fields.String(validate=validate.OneOf(choices)))


FILTERS = (
    _text("who", "Only requests of callers of this name"),
    _text("caller_id", "Only requests of this caller"),
    _choice("method", "Only requests with this method", METHODS),
    _text("resource", "Only requests about this resource, such as `clusters` or `auth/users`"),
    _text("object_id", "Only requests about the object of this id"),
    _text("cluster", "Only requests that are known to concern this cluster"),
    Filter(
        "status", "Only requests with this HTTP status", field=fields.Integer(validate=validate.Range(min=100, max=599))
    ),
    _choice("outcome", "Only requests with this outcome", OUTCOMES),
    _text("code", "Only requests answered with this problem"),
    _text("request_id", "Only the request of this id"),
    Filter("since", "Only requests at this time or later, e.g. `2026-08-01T00:00:00Z`", field=fields.AwareDateTime()),
    Filter("until", "Only requests before this time", field=fields.AwareDateTime()),
)

plugin = ResourcePlugin(
    name="audit",
    group="This gateway",
    singular="audit-entry",
    schema=AuditEntrySchema,
    adapter=AuditAdapter(),
    roles={"list": Role.ADMIN, "get": Role.ADMIN},
    filters=FILTERS,
    description="Requests that changed something or were refused, with their callers: the gateway's own record in"
    " its store, newest first. Omni's own record, which covers all of its clients, is at `audit-log`.",
    import_name=__name__,
)


def only_for_admins_of_everything() -> None:
    """Raise 403 unless the caller is an admin of the gateway itself, and not restricted to some clusters.

    The record covers all callers and all clusters, and Omni does not authorize its readers.
    """
    check_role(Role.ADMIN)
    if current_principal().scope.restricted:
        raise Problem(
            403, "forbidden", "The audit covers every cluster, and your access is restricted to some of them."
        )


plugin.blueprint.before_request(only_for_admins_of_everything)
