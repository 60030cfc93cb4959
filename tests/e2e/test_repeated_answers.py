"""Answers that are given again as long as nothing that they were made of has changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from omni_gateway.omni import OmniClient

from .conftest import Served

PATCHES = "ConfigPatches.omni.sidero.dev"
HIT = "omni-gateway; hit"
DATA = "machine:\n  sysctls:\n    net.core.somaxconn: '4096'\n"

Wait = Callable[..., Any]
Unique = Callable[[str], str]


@pytest.fixture
def repeated(api: httpx.Client, wait_until: Wait) -> Callable[..., httpx.Response]:
    """Read a path until the answer comes from the cache, and then once more."""

    def read(path: str, **headers: str) -> httpx.Response:
        wait_until(lambda: api.get(path).headers.get("Cache-Status") == HIT, 45, f"a hit for {path}")
        return api.get(path, headers=headers)

    return read


@pytest.fixture
def patch(api: httpx.Client, unique: Unique, made: Any) -> str:
    """A configuration patch."""
    name = unique("again")
    assert api.post("configpatches", json={"id": name, "data": DATA, "labels": {"e2e-again": name}}).status_code == 201
    made(f"configpatches/{name}")
    return name


@pytest.mark.parametrize("form", ["configpatches/{}", "configpatches?label_selector=e2e-again={}", "machines?page=1"])
def test_an_answer_that_is_given_again_is_the_very_same(repeated: Any, patch: str, form: str) -> None:
    path = form.format(patch)
    first, second = repeated(path), repeated(path)
    dated = {"date", "age", "x-request-id", "ratelimit"}
    assert second.content == first.content
    assert {name: value for name, value in second.headers.items() if name not in dated} == {
        name: value for name, value in first.headers.items() if name not in dated
    }
    assert first.headers["X-Request-ID"] != second.headers["X-Request-ID"]


def test_its_tag_makes_it_a_304_without_a_body(repeated: Any, patch: str) -> None:
    path = f"configpatches/{patch}"
    tag = repeated(path).headers["ETag"]
    answer = repeated(path, **{"If-None-Match": tag})
    assert (answer.status_code, answer.content, answer.headers["ETag"]) == (304, b"", tag)
    assert "Content-Type" not in answer.headers
    assert repeated(path, **{"If-None-Match": '"another"'}).status_code == 200


def test_who_never_asked_but_with_a_tag_gets_the_whole_without_one(
    api: httpx.Client, patch: str, wait_until: Wait
) -> None:
    path = f"configpatches?label_selector=e2e-again={patch}&page_size=7"
    tagged = {"If-None-Match": api.get(path, headers={"Cache-Control": "no-cache"}).headers["ETag"]}
    wait_until(lambda: api.get(path, headers=tagged).headers["Cache-Status"] == HIT, 45, "a hit")
    assert [api.get(path, headers=tagged).status_code for _ in range(2)] == [304] * 2
    assert [item["id"] for item in api.get(path).json()] == [patch]


def test_head_has_the_headers_of_get_and_no_body(api: httpx.Client, repeated: Any, patch: str) -> None:
    path = f"configpatches/{patch}"
    read, head = repeated(path), api.head(path)
    assert (head.status_code, head.content, head.headers["ETag"]) == (200, b"", read.headers["ETag"])
    assert head.headers["Content-Length"] == read.headers["Content-Length"]


def test_a_change_by_others_ends_it(
    api: httpx.Client, omni: OmniClient, repeated: Any, patch: str, wait_until: Wait
) -> None:
    paths = [f"configpatches/{patch}", f"configpatches?label_selector=e2e-again={patch}"]
    tags = [repeated(path).headers["ETag"] for path in paths]
    read = omni.resources.get(PATCHES, patch)
    read["metadata"]["labels"]["by"] = "others"
    omni.resources.update(read, version=None)
    for path, tag in zip(paths, tags, strict=True):
        wait_until(lambda path=path, tag=tag: api.get(path).headers["ETag"] != tag, what=f"the change in {path}")
        assert '"by":"others"' in api.get(path).text


def test_a_filter_follows_the_labels(api: httpx.Client, patch: str, repeated: Any) -> None:
    path = "configpatches?label_selector=e2e-moved"
    assert repeated(path).json() == []
    api.patch(f"configpatches/{patch}", json={"labels": {"e2e-moved": "yes"}})
    assert [item["id"] for item in api.get(path).json()] == [patch]
    assert [item["id"] for item in repeated(f"{path}=yes").json()] == [patch]
    api.patch(f"configpatches/{patch}", json={"labels": {"e2e-moved": "no"}})
    assert api.get(f"{path}=yes").json() == []
    api.patch(f"configpatches/{patch}", json={"labels": {"e2e-moved": None}})
    assert api.get(path).json() == []


def test_what_lies_below_an_object_goes_with_it(
    api: httpx.Client, repeated: Any, unique: Unique, made: Any, wait_until: Wait
) -> None:
    cluster = unique("below")
    assert api.post("clusters", json={"id": cluster}).status_code == 201
    made(f"clusters/{cluster}")
    assert repeated(f"clusters/{cluster}/machinesets").status_code == 200
    api.delete(f"clusters/{cluster}")
    wait_until(lambda: api.get(f"clusters/{cluster}").status_code == 404, 60, "the end of the cluster")
    assert api.get(f"clusters/{cluster}/machinesets").status_code == 404


def test_a_stream_is_no_answer_to_be_given_again(api: httpx.Client, repeated: Any, patch: str) -> None:
    path = f"configpatches?label_selector=e2e-again={patch}"
    assert repeated(path).headers["Content-Type"] == "application/json"
    for _ in range(2):
        with api.stream("GET", path, headers={"Accept": "application/x-ndjson"}) as stream:
            assert json.loads(next(stream.iter_lines()))["type"] == "ADDED"


def test_it_is_given_to_nobody_whose_credential_has_ended(
    api: httpx.Client, served: Served, patch: str, made: Any, wait_until: Wait, unique: Unique
) -> None:
    token = api.post("auth/tokens", json={"name": unique("ends"), "role": "reader"}).json()
    made(f"auth/tokens/{token['id']}")
    url, headers = f"{served.url}/api/v1/configpatches/{patch}", {"Authorization": f"Bearer {token['token']}"}
    wait_until(lambda: httpx.get(url, headers=headers).headers.get("Cache-Status") == HIT, 45, "a hit")
    api.delete(f"auth/tokens/{token['id']}")
    wait_until(lambda: httpx.get(url, headers=headers).status_code == 401, what="the end of the token")


def test_an_answer_that_also_asked_omni_does_not_say_that_it_is_a_hit(
    api: httpx.Client, repeated: Any, unique: Unique, made: Any
) -> None:
    cluster = unique("asks")
    assert api.post("clusters", json={"id": cluster}).status_code == 201
    made(f"clusters/{cluster}")
    repeated("clusters")
    statuses = [api.get("etcdbackups").headers["Cache-Status"] for _ in range(3)]
    assert HIT not in statuses


def test_what_omni_makes_up_for_whoever_asks_is_never_kept(api: httpx.Client) -> None:
    answers = [api.get("resources/currentusers") for _ in range(3)]
    assert {answer.headers["Cache-Status"] for answer in answers} == {"omni-gateway; fwd=bypass; detail=computed"}
    assert all([item["id"] for item in answer.json()] == ["current"] for answer in answers)
    assert len({api.get("auth/whoami").json()["identity"] for _ in range(3)}) == 1
