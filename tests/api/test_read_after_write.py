"""What a request has made is read by the next one, though no watch has told of it yet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pytest
from flask import Flask

from omni_gateway.cache.informer import Informer
from omni_gateway.omni import types
from omni_gateway.rest.gateway import EXTENSION, Gateway

from .conftest import Caller


@pytest.fixture
def informer(app: Flask, request: pytest.FixtureRequest, api: Caller, wait_until: Callable[..., Any]) -> Informer:
    """The informer of a collection's type, once it answers."""
    collection, type = request.param
    hit = "omni-gateway; hit"
    wait_until(lambda: api.get(collection).headers.get("Cache-Status") == hit, what="an answer from the cache")
    gateway = cast(Gateway, app.extensions[EXTENSION])
    found = gateway.own_omni.cache.existing(type, "default")
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("informer", "collection", "body"),
    [
        (("join-tokens", types.JOIN_TOKENS), "join-tokens", {"name": "read-at-once"}),
        (
            ("machineclasses", types.MACHINE_CLASSES),
            "machineclasses",
            {"id": "read-at-once", "match_labels": ["omni.sidero.dev/arch = amd64"]},
        ),
    ],
    indirect=["informer"],
    ids=["by a call of its own", "as a resource"],
)
def test_what_was_made_is_read_though_its_event_is_late(
    informer: Informer, api: Caller, collection: str, body: dict[str, Any]
) -> None:
    # The watch delivers nothing while its lock is held; a read that waits for an event lets go of it.
    with informer._lock:
        made = api.post(collection, json=body)
        read = api.get(f"{collection}/{made.json['id']}")

    assert (made.status_code, read.status_code) == (201, 200), (made.text, read.text)
    assert api.delete(f"{collection}/{made.json['id']}").status_code == 204
