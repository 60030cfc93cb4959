"""``/metrics``, in Prometheus' text format."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Response
from prometheus_client import CollectorRegistry

from omni_gateway.api.fleet.route import fleet_route
from omni_gateway.auth import Role
from omni_gateway.http.metrics import MEDIA_TYPE, exposition
from omni_gateway.http.openapi.tags import Tag
from omni_gateway.http.parser import GatewayBlueprint
from omni_gateway.rest.gateway import Gateway
from omni_gateway.rest.views.registration import add
from omni_gateway.rest.views.route import Responses, Route


def blueprint(gateway: Gateway, plugins: Sequence[CollectorRegistry]) -> GatewayBlueprint:
    """Return the blueprint of ``/metrics`` and ``/metrics/fleet``.

    It requires the reader role, since metrics show which routes are used.
    ``plugins``: the registries of the plugins' metrics.
    """
    routes = GatewayBlueprint(
        "metrics",
        __name__,
        url_prefix="/metrics",
        description="Figures of this gateway in Prometheus' text format.",
        tag=Tag("This gateway"),
    )

    def metrics(arguments: object) -> Response:
        gateway.samples.take()
        return Response(exposition(plugins), content_type=MEDIA_TYPE, headers={"Cache-Control": "no-store"})

    route = Route(
        method="GET",
        rule="",
        operation_id="get_metrics",
        role=Role.READER,
        view=metrics,
        summary="Metrics of this gateway: requests, calls to Omni, open streams, those of plugins",
        description="Text in the format of Prometheus; the figures are those of all worker processes of this replica.",
        responses=Responses(answers={200: (None, "Prometheus' text format")}, media_types=["text/plain"]),
    )
    add(routes, route)
    add(routes, fleet_route(gateway))
    return routes
