"""``/metrics``, in Prometheus' text format."""

from __future__ import annotations

from flask import Response

from omni_gateway.auth import Role
from omni_gateway.http.metrics import MEDIA_TYPE, exposition
from omni_gateway.http.parser import GatewayBlueprint
from omni_gateway.rest.parameters import NoQuery
from omni_gateway.rest.views.openapi import documented


def blueprint() -> GatewayBlueprint:
    """Return the blueprint of ``/metrics``; it requires the reader role, since metrics show which routes are used."""
    routes = GatewayBlueprint("metrics", __name__, url_prefix="/metrics", description="For Prometheus")

    def metrics(arguments: object) -> Response:
        return Response(exposition(), content_type=MEDIA_TYPE, headers={"Cache-Control": "no-store"})

    view = documented(
        routes,
        metrics,
        role=Role.READER,
        authorized_by_omni=False,
        operation_id="get_metrics",
        summary="Metrics of this gateway: requests, calls to Omni, open streams",
        query=NoQuery(),
        answers={200: ({"type": "string"}, "Prometheus' text format")},
        content_type="text/plain",
    )
    routes.add_url_rule("", endpoint="metrics", view_func=view, methods=["GET"])
    return routes
