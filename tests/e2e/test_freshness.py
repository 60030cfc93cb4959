"""What is cached, how fresh it is, and that it never lies about that."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import grpc
import httpx
import pytest

from omni_gateway.omni import OmniClient
from omni_gateway.stubs import simulator_faults_pb2 as pb

from .conftest import Fragile, Served

pytestmark = pytest.mark.slow

PATCHES = "ConfigPatches.omni.sidero.dev"
HIT = "omni-gateway; hit"
DATA = "machine:\n  sysctls:\n    net.core.somaxconn: '4096'\n"

NO_NEW_WATCH = pb.Rule(
    method="*/Watch", resource_type=PATCHES, error=pb.Error(code=grpc.StatusCode.UNAVAILABLE.value[0])
)

Wait = Callable[..., Any]
Unique = Callable[[str], str]


def status_of(answer: httpx.Response) -> str:
    assert answer.status_code in (200, 304, 404), answer.text
    return answer.headers.get("Cache-Status", "")


@pytest.fixture
def warm(api: httpx.Client, wait_until: Wait) -> httpx.Client:
    """Config patches are followed."""
    wait_until(lambda: status_of(api.get("configpatches")) == HIT, 45, "a hit")
    return api


def test_what_was_read_before_is_answered_without_omni_and_says_so(warm: httpx.Client) -> None:
    answer = warm.get("configpatches?page_size=1")
    assert status_of(answer) == HIT
    assert 0 <= int(answer.headers["Age"]) <= 10


@pytest.mark.parametrize("wish", ["no-cache", "no-store", "max-age=0"])
def test_a_caller_who_wants_it_fresh_is_answered_by_omni(warm: httpx.Client, wish: str) -> None:
    answer = warm.get("configpatches?page_size=1", headers={"Cache-Control": wish})
    assert status_of(answer) == "omni-gateway; fwd=request; detail=no-cache"
    assert "Age" not in answer.headers


def test_a_caller_who_takes_it_a_minute_old_is_answered_by_the_cache(warm: httpx.Client) -> None:
    assert status_of(warm.get("configpatches?page_size=1", headers={"Cache-Control": "max-age=60"})) == HIT


def test_a_cached_answer_has_the_tags_of_a_fresh_one(warm: httpx.Client, unique: Unique, made: Any) -> None:
    name = unique("tag")
    warm.post("configpatches", json={"id": name, "data": DATA})
    made(f"configpatches/{name}")
    fresh = warm.get(f"configpatches/{name}", headers={"Cache-Control": "no-cache"})
    cached = warm.get(f"configpatches/{name}")
    assert (cached.headers["ETag"], cached.json()) == (fresh.headers["ETag"], fresh.json())
    assert warm.get(f"configpatches/{name}", headers={"If-None-Match": cached.headers["ETag"]}).status_code == 304


def test_a_write_is_seen_by_the_next_read_every_time(warm: httpx.Client, unique: Unique) -> None:
    name = unique("own")
    for number in range(25):
        labels = {"number": str(number)}
        assert warm.post("configpatches", json={"id": name, "data": DATA, "labels": labels}).status_code == 201
        assert warm.get(f"configpatches/{name}").json()["labels"] == labels
        assert warm.patch(f"configpatches/{name}", json={"labels": {"changed": "yes"}}).status_code == 200
        listed = warm.get("configpatches", params={"label_selector": f"number={number},changed=yes"}).json()
        assert [item["id"] for item in listed] == [name]
        assert warm.delete(f"configpatches/{name}").status_code == 204
        assert warm.get(f"configpatches/{name}").status_code == 404
        assert warm.get("configpatches", params={"label_selector": "changed=yes", "search": name}).json() == []


def test_what_others_write_is_seen_soon(warm: httpx.Client, omni: OmniClient, unique: Unique, wait_until: Wait) -> None:
    name = unique("others")
    omni.resources.create(PATCHES, name, {"data": DATA})
    wait_until(lambda: warm.get(f"configpatches/{name}").status_code == 200, what="what was made")
    omni.resources.remove(PATCHES, name)
    wait_until(lambda: warm.get(f"configpatches/{name}").status_code == 404, what="the removal")


def test_a_write_is_held_against_omni_and_not_against_what_is_cached(
    warm: httpx.Client, omni: OmniClient, unique: Unique, made: Any
) -> None:
    name = unique("held")
    warm.post("configpatches", json={"id": name, "data": DATA})
    made(f"configpatches/{name}")
    tag = warm.get(f"configpatches/{name}").headers["ETag"]
    read = omni.resources.get(PATCHES, name)
    read["metadata"]["labels"] = {"by": "others"}
    omni.resources.update(read, version=read["metadata"]["version"])

    answer = warm.patch(f"configpatches/{name}", json={"labels": {"by": "us"}}, headers={"If-Match": tag})

    assert answer.status_code == 412


def test_watchers_share_the_watch_that_is_held_already(fragile: Fragile, unique: Unique, wait_until: Wait) -> None:
    wait_until(lambda: status_of(fragile.api.get("configpatches")) == HIT, 45, "a hit")
    name = unique("shared")
    stream = {"Accept": "application/x-ndjson"}
    with (
        fragile.simulator.faults.during(NO_NEW_WATCH),
        fragile.api.stream("GET", "configpatches", headers=stream) as first,
        fragile.api.stream("GET", "configpatches", headers=stream) as second,
    ):
        told = [first.iter_lines(), second.iter_lines()]
        for lines in told:
            while json.loads(next(lines))["type"] != "BOOKMARK":
                pass
        fragile.omni.resources.create(PATCHES, name, {"data": DATA})
        events = [json.loads(next(lines)) for lines in told]
    assert [(event["type"], event["object"]["id"]) for event in events] == [("ADDED", name)] * 2
    fragile.omni.resources.remove(PATCHES, name)


def test_while_the_watch_cannot_be_held_omni_is_asked_and_the_answer_says_so(
    fragile: Fragile, unique: Unique, wait_until: Wait
) -> None:
    wait_until(lambda: status_of(fragile.api.get("configpatches")) == HIT, 45, "a hit")
    name, later = unique("cut"), unique("later")
    faults = fragile.simulator.faults
    cut = pb.Rule(method="*/Watch", resource_type=PATCHES, cut=pb.Cut())
    with faults.during(NO_NEW_WATCH), faults.during(cut):
        fragile.omni.resources.create(PATCHES, name, {"data": DATA})  # an open stream is cut at its next message
        interrupted = "omni-gateway; fwd=stale; detail=watch-interrupted"
        wait_until(lambda: status_of(fragile.api.get("configpatches")) == interrupted, what="a read from Omni")
        fragile.omni.resources.create(PATCHES, later, {"data": DATA})
        listed = {item["id"] for item in fragile.api.get("configpatches?page_size=1000").json()}
        assert {name, later} <= listed

    wait_until(lambda: status_of(fragile.api.get("configpatches")) == HIT, 30, "a hit again")
    for id in (name, later):
        fragile.omni.resources.remove(PATCHES, id)
        wait_until(lambda id=id: fragile.api.get(f"configpatches/{id}").status_code == 404, what="the removal")


def with_credential(served: Served, credential: str) -> httpx.Client:
    headers = {"Authorization": f"Bearer {credential}"}
    return httpx.Client(base_url=f"{served.url}/api/v1/", headers=headers, timeout=30)


def test_what_comes_from_the_cache_is_within_a_callers_reach_only(
    warm: httpx.Client, served: Served, unique: Unique, made: Any, wait_until: Wait
) -> None:
    inside, outside = unique("reach-in"), unique("reach-out")
    for cluster in (inside, outside):
        assert warm.post("clusters", json={"id": cluster}).status_code == 201
        made(f"clusters/{cluster}")
    token = warm.post("auth/tokens", json={"name": "held", "clusters": ["e2e-reach-in-*"]}).json()
    made(f"auth/tokens/{token['id']}")
    wait_until(lambda: status_of(warm.get("clusters")) == HIT, 45, "a hit")

    with with_credential(served, token["token"]) as held:
        answer = held.get("clusters")
        assert status_of(answer) == HIT
        assert {item["id"] for item in answer.json()} == {inside}
        assert held.get(f"clusters/{outside}").status_code == 404
        assert held.get("cluster-metrics").status_code == 403


def test_a_caller_with_its_own_omni_key_never_touches_the_cache(
    warm: httpx.Client, served: Served, unique: Unique, made: Any
) -> None:
    name = unique("own")
    key = warm.post("auth/service-accounts", json={"id": name, "role": "Reader"}).json()["key"]
    made(f"auth/service-accounts/{name}")
    with with_credential(served, key) as own:
        assert [status_of(own.get("configpatches?page_size=1")) for _ in range(3)] == ["omni-gateway; fwd=uri-miss"] * 3
