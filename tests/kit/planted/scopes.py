"""Mistakes about clusters, and about who may do what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import marshmallow as ma
from flask import Response

from omni_gateway.sdk import (
    ListQuery,
    Resource,
    ResourceAdapter,
    ResourcePlugin,
    Role,
    SpecSchema,
    require_role,
)
from omni_gateway.sdk.actions import Action, ComputedDocument, current_gateway
from omni_gateway.sdk.adapters import OmniSource, View

from ..sound import INSPECT, PLATE, POWER, RackAdapter, RackNoQuerySchema, TunnelAdapter, racks, tunnels, visits
from .entry import Planted


class OfNoCluster(RackAdapter):
    def cluster_of(self, resource: Resource) -> str | None:
        return resource.spec.get("cluster")  # a member that racks do not have: they name it by a label


class ListedForAll(RackAdapter):
    def clusters_of(self, resources: Sequence[Resource]) -> Sequence[str | None]:
        return [None] * len(resources)  # `list` asks for all at once, `get` for one


class OwnerlessSource(OmniSource):
    def owner(self, view: View, resource: Resource) -> str | None:
        return None


class WatchedByAll(TunnelAdapter):
    watch_source_class = OwnerlessSource


class SaidToBeOmnis(RackAdapter):
    authorized_by_omni = True  # by CallAdapter's default, for whoever subclasses that


class RackCensusSchema(SpecSchema):
    """All racks."""

    racks = ma.fields.List(ma.fields.String())


def census(adapter: ResourceAdapter, query: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"racks": [rack.id for rack in adapter.list(ListQuery()).items]}


CENSUS = ComputedDocument(
    "census",
    role=Role.READER,
    summary="All racks",
    answers=RackCensusSchema,
    on_collection=True,
    cluster_independent=True,
    run=census,
)


def inspect_all(adapter: ResourceAdapter, body: Mapping[str, Any], *, dry_run: bool) -> Mapping[str, Any]:
    ids = [rack.id for rack in adapter.list(ListQuery()).items]
    for id in ids:
        INSPECT.run(adapter, id, {"inspector": "all"}, dry_run=dry_run)
    return {"racks": ids}


INSPECT_ALL = Action(
    "inspect-all",
    role=Role.OPERATOR,
    summary="Inspect all racks",
    answers=RackCensusSchema,
    on_collection=True,
    cluster_independent=True,
    run=inspect_all,
)

INSPECT_BY_READERS = replace(INSPECT, role=Role.READER)


def unscoped_plate(plugin: ResourcePlugin) -> None:
    @plugin.blueprint.get("/<id>/plate")
    @require_role(Role.READER)
    @plugin.blueprint.doc(operationId=f"get_{plugin.singular_id}_plate", responses=PLATE)
    @plugin.blueprint.arguments(RackNoQuerySchema, location="query")
    def show_plate(query: Mapping[str, Any], id: str) -> Response:
        adapter = plugin.adapter.bind(current_gateway().omni)
        adapter.store = current_gateway().store
        rack = adapter.get(id)
        return Response(f"{rack.id}: {rack.spec['title']}\n", mimetype="text/plain")


forgets_the_scope = racks("forgets-the-scope", OfNoCluster)
forgets_the_scope_on_the_list = racks("forgets-the-scope-on-the-list", ListedForAll)
watch_tells_of_other_clusters = tunnels("watch-tells-of-other-clusters", WatchedByAll)
document_tells_of_other_clusters = racks("document-tells-of-other-clusters", documents=[POWER, CENSUS])
action_changes_other_clusters = racks("action-changes-other-clusters", actions=[INSPECT, INSPECT_ALL])
view_reads_past_the_scope = racks("view-reads-past-the-scope", views=[unscoped_plate, visits])
readers_may_act = racks("readers-may-act", actions=[INSPECT_BY_READERS])
says_that_omni_authorizes = racks("says-that-omni-authorizes", SaidToBeOmnis)

PLANTED = [
    Planted(
        forgets_the_scope,
        "`cluster_of` looks where no object names its cluster",
        "callers of some clusters see the objects of these only",
        found_by=("test_a_caller_held_to_another_cluster_does_not_find_an_object",),
    ),
    Planted(
        forgets_the_scope_on_the_list,
        "`clusters_of`, which lists ask, finds no cluster; `cluster_of` does",
        "callers of some clusters see the objects of these only, in lists too",
        found_by=(
            "test_a_caller_held_to_another_cluster_is_not_shown_an_object_in_a_list",
            "test_objects_of_other_clusters_are_not_counted",
        ),
    ),
    Planted(
        watch_tells_of_other_clusters,
        "the `owner` of its watch source finds no cluster",
        "callers of some clusters watch the objects of these only",
        found_by=("test_a_watch_does_not_show_objects_of_other_clusters",),
    ),
    Planted(
        document_tells_of_other_clusters,
        "a document of the collection is `cluster_independent` and names objects of all clusters",
        "callers of some clusters see the objects of these only, in documents too",
        found_by=("test_a_further_read_shows_nothing_of_another_cluster",),
    ),
    Planted(
        action_changes_other_clusters,
        "an action on the collection is `cluster_independent` and changes objects of all clusters",
        "callers of some clusters change the objects of these only",
        found_by=("test_a_caller_held_to_another_cluster_changes_nothing_by_a_further_route",),
    ),
    Planted(
        view_reads_past_the_scope,
        "a view of its own binds the adapter itself, without the caller's scope",
        "callers of some clusters see the objects of these only, in views too",
        found_by=("test_a_further_read_shows_nothing_of_another_cluster",),
    ),
    Planted(
        readers_may_act,
        "an action that writes takes the reader role",
        "a reader changes nothing",
        found_by=("test_a_reader_changes_nothing_by_a_further_route",),
    ),
    Planted(
        says_that_omni_authorizes,
        "`authorized_by_omni`, of objects that Omni knows nothing of",
        "a reader changes nothing, whatever the credential is",
        found_by=("test_a_key_of_a_reader_of_omni_writes_nothing[patch]",),
    ),
]
