"""The promises of the HTTP contract for kept cluster templates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from resources import clustertemplate
from resources.clustertemplate.schemas import EXAMPLE, EXAMPLE_DOCUMENTS

from .built_in import BuiltIn


class TestClusterTemplates(BuiltIn):
    plugin = clustertemplate.plugin
    cluster = "my-cluster-*"  # the objects' own
    made_by_back_end = ("changed_at",)  # a dry run and the write after it may be in two seconds
    unfit = {"test_a_patch_replaces_an_array": "fewer documents are no template"}

    def body(self, number: int, token: str) -> Mapping[str, Any]:
        name = f"my-cluster-{token}-{number}"
        [cluster, *others] = EXAMPLE_DOCUMENTS
        return {**EXAMPLE, "id": name, "documents": [{**cluster, "name": name}, *others]}
