"""Images through the gateway: from the image factory as they come, whole or in parts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask

from omni_gateway.omni import OmniClient
from omni_gateway.simulator.embedded import RunningSimulator
from omni_gateway.simulator.image_factory import SIZE, image

from .conftest import Caller

MEDIUM = "installation-medias/downloaded"


@pytest.fixture(scope="module")
def told(app: Flask, tokens: dict[str, str], omni: OmniClient) -> Iterator[dict[str, Any]]:
    """What download-url answers for a configuration."""
    caller: Any = Caller(app.test_client(), tokens["admin"])
    version = max(item["metadata"]["id"] for item in omni.resources.list("TalosVersions.omni.sidero.dev").items)
    body = {"id": "downloaded", "architecture": "ARM64", "talos_version": version}
    assert caller.post("installation-medias", json=body).status_code == 201
    yield caller.post(f"{MEDIUM}/actions/download-url").json
    caller.delete(MEDIUM)


@pytest.fixture
def content(told: dict[str, Any]) -> bytes:
    """What the factory has at the image's URL."""
    return image(urlsplit(told["url"]).path)


def fetched(api: Caller, told: dict[str, Any], headers: dict[str, str] | None = None) -> Any:
    """Download the image; the stream is read to its end, and closed."""
    return api.get(told["download"], headers=headers or {}, buffered=True)


def test_an_image_is_sent_as_the_factory_has_it(api: Caller, told: dict[str, Any], content: bytes) -> None:
    answer = fetched(api, told)
    assert (answer.status_code, answer.data == content) == (200, True)
    assert (answer.headers["Content-Length"], answer.headers["Accept-Ranges"]) == (str(SIZE), "bytes")
    assert answer.headers["Content-Disposition"].endswith(f"{told['talos_version']}-metal-arm64.iso")
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("asked", "begin", "end"), [("bytes=1000-", 1000, SIZE), ("bytes=0-15", 0, 16), ("bytes=-7", SIZE - 7, SIZE)]
)
def test_a_part_is_sent_where_one_is_asked_for(
    api: Caller, told: dict[str, Any], content: bytes, asked: str, begin: int, end: int
) -> None:
    answer = fetched(api, told, {"Range": asked})
    assert (answer.status_code, answer.data == content[begin:end]) == (206, True)
    assert answer.headers["Content-Range"] == f"bytes {begin}-{end - 1}/{SIZE}"
    assert answer.headers["Content-Length"] == str(end - begin)


def test_a_part_of_another_image_is_the_whole(api: Caller, told: dict[str, Any], content: bytes) -> None:
    tag = fetched(api, told, {"Range": "bytes=0-0"}).headers["ETag"]
    same, other = (fetched(api, told, {"Range": "bytes=5-9", "If-Range": each}) for each in (tag, '"another"'))
    assert (same.status_code, other.status_code, other.data == content) == (206, 200, True)


def test_a_part_that_there_is_none_of_is_a_416_with_the_length(api: Caller, told: dict[str, Any]) -> None:
    answer = fetched(api, told, {"Range": f"bytes={SIZE}-"})
    assert (answer.status_code, answer.json["code"]) == (416, "range-not-satisfiable")
    assert answer.headers["Content-Range"] == f"bytes */{SIZE}"


@pytest.mark.parametrize(
    ("status", "reason"), [(500, "answered 500."), (200, f"broke off {SIZE} bytes before the end.")]
)
def test_a_factory_that_fails_is_a_503_that_names_it(
    api: Caller, simulator: RunningSimulator, told: dict[str, Any], status: int, reason: str
) -> None:
    with simulator.factory.failing(status):
        answer = fetched(api, told)
    assert (answer.status_code, answer.json["code"]) == (503, "back-end-unreachable")
    assert answer.json["detail"] == f"The image factory 127.0.0.1 {reason}"
    assert answer.headers["Retry-After"]


def test_an_image_that_the_factory_does_not_have_is_a_404(
    api: Caller, simulator: RunningSimulator, told: dict[str, Any]
) -> None:
    with simulator.factory.failing(404):
        answer = fetched(api, told)
    assert (answer.status_code, answer.json["code"]) == (404, "not-found")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({}, "schematic_id"),
        ({"schematic_id": "../x"}, "schematic_id"),
        ({"schematic_id": "0" * 64, "talos_version": "0.0.1"}, "talos_version"),
        ({"schematic_id": "0" * 64, "kind": "pxe"}, "kind"),
    ],
)
def test_an_image_that_cannot_be_is_refused_by_field(
    api: Caller, told: dict[str, Any], query: dict[str, str], field: str
) -> None:
    answer = api.get(f"{MEDIUM}/download", query_string=query)
    assert (answer.status_code, list(answer.json["errors"])) == (422, [field])


def test_a_download_is_for_operators_and_audited(
    api: Caller, reader: Caller, told: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    assert reader.get(told["download"]).status_code == 403
    caplog.clear()
    assert api.head(told["download"]).status_code == 200
    assert fetched(api, told, {"Range": "bytes=0-0"}).status_code == 206
    lines = [json.loads(record.getMessage()) for record in caplog.records if record.name == "omni_gateway.audit"]
    assert [(line["method"], line["status"]) for line in lines] == [("GET", 206)]
