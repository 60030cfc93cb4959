"""The class that the built-in resources are checked by."""

from __future__ import annotations

from omni_gateway.sdk.testing import ResourceConformance


class BuiltIn(ResourceConformance):
    """A built-in resource. Several workers and a restart are checked for one of each kind of back end only."""

    under_gunicorn = False
