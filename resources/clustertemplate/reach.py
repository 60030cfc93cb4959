"""The cluster of a template that is only sent, held against the clusters of the caller."""

from __future__ import annotations

from omni_gateway.sdk import ResourceAdapter
from omni_gateway.sdk.adapters import scope_error
from omni_gateway.sdk.templates import Template


def check_scope(adapter: ResourceAdapter, template: Template) -> None:
    """Raise 403 if the caller may not access the cluster of a template."""
    if adapter.scope.restricted and not adapter.scope.allows(template.name):
        raise scope_error(adapter.scope)
