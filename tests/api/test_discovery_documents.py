"""What discovery needed of computed documents: lists, bodies, entity tags and the caller's scope."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import marshmallow as ma
import pytest

from omni_gateway.plugin_check.check import check
from omni_gateway.plugin_check.package import Package
from omni_gateway.plugin_check.subject import Subject
from omni_gateway.sdk import ResourceAdapter, Role
from omni_gateway.sdk.actions import ComputedDocument, PluginError, ServicePlugin


class DiscoveryBody(ma.Schema):
    pass


def run(adapter: ResourceAdapter, query: Mapping[str, Any]) -> Mapping[str, Any]:
    return {}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"query": DiscoveryBody, "body": DiscoveryBody}, "`query` and `body`"),
        ({"conditional": True, "body": DiscoveryBody}, "a POST has no entity tag"),
        ({"conditional": True, "media_type": "text/plain"}, "only JSON has an entity tag"),
        ({"scoped": True, "cluster_independent": True}, "`scoped` and `cluster_independent`"),
        ({"scoped": True, "on_collection": False}, "`scoped` without `on_collection`"),
    ],
)
def test_a_document_whose_arguments_exclude_each_other_is_refused(arguments: dict[str, Any], words: str) -> None:
    given = {"on_collection": True, **arguments}
    with pytest.raises(PluginError, match=words):
        ComputedDocument("", role=Role.READER, summary="", run=run, **given)


def bodies(example: Mapping[str, Any] | None) -> list[str]:
    """Return the findings about bodies in a plugin with a document that has one."""
    document = ComputedDocument("", role=Role.READER, summary="", run=run, on_collection=True, body=DiscoveryBody)
    plugin = ServicePlugin(name="acme", documents=[replace(document, example=example)])
    subject = Subject("acme", "acme:plugin", plugin, Package("acme", "1.0"))
    return [str(found) for found in check(subject).findings if "example" in str(found)]


def test_the_example_of_a_body_is_checked(undocumented: None) -> None:
    (refused,) = bodies({"no": 1})
    assert "the example of the document '' is refused by DiscoveryBody" in refused
    assert bodies({}) == []
