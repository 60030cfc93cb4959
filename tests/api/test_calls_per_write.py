"""How many calls to Omni a write costs: nothing is read that need not be."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask

from omni_gateway.omni import OmniClient

from .conftest import Caller

PATCHES = "ConfigPatches.omni.sidero.dev"
DATA = 'machine:\n  sysctls:\n    net.core.somaxconn: "4096"\n'
Counted = Callable[[], Any]


@pytest.fixture
def counting(app: Flask) -> Callable[[], Any]:
    """Note the calls that this thread makes: what threads in the background ask for is nobody's write."""
    client: OmniClient = app.extensions["omni_gateway"].own_omni
    here = threading.get_ident()

    @contextmanager
    def count() -> Iterator[list[str]]:
        calls: list[str] = []
        before = client._holder.observer

        def observe(method: str, code: Any, seconds: float | None) -> None:
            if threading.get_ident() == here and seconds is not None:
                calls.append(method.rpartition("/")[2])
            if before is not None:
                before(method, code, seconds)

        client.observe_calls(observe)
        try:
            yield calls
        finally:
            client._holder.observer = before

    return count


@pytest.fixture
def patch_id(omni: OmniClient) -> Iterator[str]:
    name = f"calls-{secrets.token_hex(3)}"
    yield name
    omni.resources.remove(PATCHES, name)


@pytest.fixture
def cold(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """No watch may be believed."""
    monkeypatch.setattr(app.extensions["omni_gateway"].own_omni.cache, "informer", lambda *_: None)


@pytest.fixture
def warm(api: Caller, wait_until: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """The type is watched by this process, whose events may take their time here."""
    monkeypatch.setattr("omni_gateway.cache.client.WRITTEN_SECONDS", 10.0)

    def answered_from_the_cache() -> bool:
        answer: Any = api.get("configpatches")
        return "hit" in answer.headers["Cache-Status"]

    wait_until(answered_from_the_cache)


@pytest.mark.usefixtures("cold")
def test_a_create_is_read_once_after_it(api: Caller, patch_id: str, counting: Counted) -> None:
    with counting() as calls:
        answer: Any = api.post("configpatches", json={"id": patch_id, "data": DATA})

    assert answer.status_code == 201, answer.text
    assert calls == ["Get", "ValidateConfig", "Create", "Get"]


@pytest.mark.usefixtures("warm")
def test_a_create_of_a_watched_type_is_not_read_at_all(api: Caller, patch_id: str, counting: Counted) -> None:
    with counting() as calls:
        answer: Any = api.post("configpatches", json={"id": patch_id, "data": DATA, "labels": {"a": "b"}})

    assert answer.status_code == 201, answer.text
    assert (answer.json["id"], answer.json["labels"], answer.json["metadata"]["version"]) == (patch_id, {"a": "b"}, 1)
    assert calls == ["Get", "ValidateConfig", "Create"]


@pytest.mark.usefixtures("cold")
def test_a_patch_is_read_once_before_and_once_after(api: Caller, patch_id: str, counting: Counted) -> None:
    api.post("configpatches", json={"id": patch_id, "data": DATA})

    with counting() as calls:
        answer: Any = api.patch(f"configpatches/{patch_id}", json={"labels": {"a": "b"}})

    assert answer.status_code == 200, answer.text
    assert calls == ["Get", "Update", "Get"]


@pytest.mark.usefixtures("warm")
def test_a_patch_of_a_watched_type_is_read_before_only(api: Caller, patch_id: str, counting: Counted) -> None:
    api.post("configpatches", json={"id": patch_id, "data": DATA})

    with counting() as calls:
        answer: Any = api.patch(f"configpatches/{patch_id}", json={"labels": {"a": "b"}})

    assert answer.status_code == 200, answer.text
    assert (answer.json["labels"], answer.json["metadata"]["version"]) == ({"a": "b"}, 2)
    assert calls == ["Get", "Update"]
