"""``auth/can-i`` tells the truth about the routes, and ``operations`` its kinds."""

from __future__ import annotations

import pytest
from flask import Flask

from .conftest import Caller


@pytest.mark.parametrize(
    ("role", "resource", "verb", "allowed", "needed"),
    [
        ("reader", "clusters", "list", True, "reader"),
        ("reader", "clusters", "watch", True, "reader"),
        ("reader", "clusters", "delete", False, "operator"),
        ("operator", "clusters", "delete", True, "operator"),
        ("operator", "auth/users", "list", False, "admin"),
        ("admin", "auth/users", "create", True, "admin"),
        ("admin", "talos-versions", "create", False, None),
    ],
)
def test_what_is_told_is_what_the_routes_do(
    app: Flask, tokens: dict[str, str], role: str, resource: str, verb: str, allowed: bool, needed: str | None
) -> None:
    answer = Caller(app.test_client(), tokens[role]).get(f"auth/can-i?resource={resource}&verb={verb}")
    assert answer.status_code == 200
    assert (answer.json["allowed"], answer.json["needed_role"], answer.json["role"]) == (allowed, needed, role)


@pytest.mark.parametrize(
    ("query", "field"),
    [("resource=cluster&verb=list", "resource"), ("resource=clusters&verb=eat", "verb"), ("verb=list", "resource")],
)
def test_a_bad_question_is_refused_by_field(api: Caller, query: str, field: str) -> None:
    answer = api.get(f"auth/can-i?{query}")
    assert (answer.status_code, answer.json["code"]) == (422, "validation")
    assert field in answer.json["errors"]


def test_the_kinds_of_operations_are_listed(api: Caller) -> None:
    kinds = {item["kind"]: item["url"] for item in api.get("operation-kinds").json}
    assert kinds["cluster-create"] == "/api/v1/operations/cluster-create/{id}"
    assert "etcd-backup" in kinds
