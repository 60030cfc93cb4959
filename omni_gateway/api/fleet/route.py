"""The route ``/metrics/fleet``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from flask import Response
from marshmallow import fields

from omni_gateway.api.fleet.metrics import FleetMetrics
from omni_gateway.auth import Role
from omni_gateway.http.fixed_schema import FixedSchema
from omni_gateway.http.guard import about_all_clusters
from omni_gateway.http.metrics import MEDIA_TYPE
from omni_gateway.omni import OmniError
from omni_gateway.rest.gateway import Gateway, current_gateway
from omni_gateway.rest.request_context import request_context
from omni_gateway.rest.views.route import Request, Responses, Route


class FleetQuery(FixedSchema):
    """Query of the fleet's metrics."""

    machines = fields.Boolean(
        load_default=True,
        metadata={
            "description": "`false`: totals, and series of clusters and machine sets only, none of single machines"
        },
    )
    operations = fields.Boolean(
        load_default=False,
        metadata={
            "description": "`true`: long-running work by kind and state as well; it is derived from all objects, which"
            " takes some 20 ms for each thousand machines"
        },
    )


def fleet_route(gateway: Gateway) -> Route:
    """Return the route; its application shares the rendered lines of objects."""
    metrics = FleetMetrics(gateway.own_omni.cache)
    gateway.samples.add(metrics.drop_unused)

    def fleet(arguments: Mapping[str, Any]) -> Response:
        # A caller with an Omni key of its own has Omni's role Reader at least, which may read all of these types.
        if request_context().principal.scope.restricted:
            raise about_all_clusters()
        operations = _operations if arguments["operations"] else None
        body = metrics.exposition(operations, machines=arguments["machines"])
        return Response(body, content_type=MEDIA_TYPE, headers={"Cache-Control": "no-store"})

    return Route(
        method="GET",
        rule="/fleet",
        operation_id="get_fleet_metrics",
        role=Role.READER,
        view=fleet,
        summary="Metrics of the fleet: clusters, machine sets, machines, upgrades, backups, operations",
        description="Text in the format of Prometheus, with the names of Omni's exporter (`omni_exporter_…`) and of"
        " Omni's own totals (`omni_machines`). Read from the cache of the worker that answers;"
        " `omni_gateway_fleet_staleness_seconds` tells how old the figures may be. Scrape one replica.",
        request=Request(query=FleetQuery()),
        responses=Responses(answers={200: (None, "Prometheus' text format")}, media_types=["text/plain"]),
    )


def _operations() -> Mapping[tuple[str, ...], int]:
    """Return how many operations are listed, by kind and state; kinds that cannot be read now are left out."""
    gateway = current_gateway()
    counts: Counter[tuple[str, ...]] = Counter()
    for kind in gateway.operations.values():
        if kind.under_way is None:
            continue
        try:
            counts.update((kind.name, each.state) for each in kind.under_way(gateway.operation_source(kind)))
        except OmniError:
            continue
    return counts
