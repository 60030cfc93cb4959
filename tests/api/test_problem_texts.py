"""What problems say to those who know no Omni: nouns instead of Omni's types, and the nearest URL to a mistyped one."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask

from omni_gateway.http.type_nouns import nouns_of

from .conftest import Caller
from .routes import body, routes, url
from .test_every_route import document

__all__ = ["document"]

#: An Omni type in a text; `omni.sidero.dev/cluster` is a label.
TYPE = re.compile(r"[A-Z]\w+\.(omni|system)\.sidero\.dev")
ABOUT_TYPES = ("/api/v1/resources", "/api/v1/apply", "/api/v1/auth/can-i")


def test_no_route_speaks_of_omnis_types_where_there_is_no_such_object(document: dict[str, Any], api: Caller) -> None:
    texts = {}
    for method, path, operation in routes(document):
        if "{" not in path or path.startswith(ABOUT_TYPES):
            continue
        answer = getattr(api, method)(url(path), **body(operation))
        if answer.mimetype == "application/problem+json":
            texts[f"{method.upper()} {path}"] = answer.text
    assert len(texts) > 100
    assert [f"{route}: {text}" for route, text in texts.items() if TYPE.search(text)] == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("resource Clusters.omni.sidero.dev(default/c1) doesn't exist", "Cluster 'c1' doesn't exist"),
        (
            'failed: resource MachineSets.omni.sidero.dev(default/m1@3) update conflict: expected version "2"',
            "failed: machine set 'm1' update conflict: expected version \"2\"",
        ),
        ("resource ClusterStatuses.omni.sidero.dev(default/c1) has pending", "Status of cluster 'c1' has pending"),
        (
            'resource Identities.omni.sidero.dev(default/a@b.example@undefined) is owned by "x"',
            None,
        ),
        ("resource Users.omni.sidero.dev(default/a@b.example@12) already exists", "User 'a@b.example' already exists"),
        ("Omni lets no user create Links.omni.sidero.dev.", "Omni lets no user create links."),
        ("ConfigPatches.omni.sidero.dev 'p1' could not be created", "Config patch 'p1' could not be created"),
        ("resource Somethings.omni.sidero.dev(default/x) doesn't exist", None),
        ("the label omni.sidero.dev/cluster", None),
    ],
)
def test_omnis_name_of_an_object_becomes_the_resources_noun(app: Flask, text: str, shown: str | None) -> None:
    assert nouns_of(app).in_text(text) == (shown or text)


def test_who_asks_for_a_type_is_answered_by_that_type(api: Caller) -> None:
    answer = api.get("resources/Clusters.omni.sidero.dev/there-is-none")
    assert answer.status_code == 404
    assert "Clusters.omni.sidero.dev(default/there-is-none)" in answer.json["detail"]


@pytest.mark.parametrize(
    ("mistyped", "meant"),
    [
        ("/api/v1/cluster", "/api/v1/clusters"),
        ("/api/v1/cluster/demo/status", "/api/v1/clusters/demo/status"),
        ("/api/v1/machine-sets", "/api/v1/machinesets"),
        ("/clusters", "/api/v1/clusters"),
        ("/api/v2/machines", "/api/v1/machines"),
        ("/api/v1/users", "/api/v1/auth/users"),
        ("/api/v1/clusters/demo/kubeconf", "/api/v1/clusters/demo/kubeconfig"),
        ("/api/v1/clusters/demo/actions/upgrade-kubernetes", "/api/v1/clusters/demo/actions/kubernetes-upgrade"),
        ("/api/v1/operation/cluster-create/demo", "/api/v1/operations/cluster-create/demo"),
        ("/api/v1/cluster/demo/nothing", "/api/v1/clusters/demo"),
    ],
)
def test_a_mistyped_url_is_answered_with_the_nearest_one(anonymous: Caller, mistyped: str, meant: str) -> None:
    answer = anonymous.get(mistyped)
    assert (answer.status_code, answer.json["code"]) == (404, "not-found")
    assert answer.json["detail"] == f"There is nothing at this URL; did you mean {meant}?"


def test_where_no_url_is_near_the_names_there_are_told(anonymous: Caller) -> None:
    answer = anonymous.get("/api/v1/auth/something")
    assert "did you mean" not in answer.json["detail"]
    assert answer.json["hint"].startswith("Below /api/v1/auth: access-policy, can-i, ")


def test_a_mistyped_url_repeats_no_credential(anonymous: Caller) -> None:
    answer = anonymous.get(f"/api/v1/clusters/ogw_{'s' * 43}/stats")
    assert answer.json["detail"].endswith("did you mean /api/v1/clusters/***/status?")
    assert "s" * 43 not in answer.text


def test_only_urls_of_the_public_document_are_suggested(app: Flask) -> None:
    assert "/assets/<digest>/<name>" in {rule.rule for rule in app.url_map.iter_rules()}
    detail = app.test_client().get("/asset").json["detail"]
    assert "did you mean" not in detail
