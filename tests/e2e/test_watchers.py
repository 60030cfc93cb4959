"""Many watch the same: one watch of Omni's feeds them all, and none of them holds a thread."""

from __future__ import annotations

import http.client
import json
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from omni_gateway.omni import OmniClient, OmniConfig
from omni_gateway.stubs import simulator_faults_pb2 as pb

from .conftest import Fragile, Served, omni_environ, start_gateway, stop_gateway

pytestmark = pytest.mark.slow

PATCHES = "ConfigPatches.omni.sidero.dev"
CLUSTER = "omni.sidero.dev/cluster"
NDJSON, SSE = "application/x-ndjson", "text/event-stream"
THREADS, MOST, OWN = 4, 300, 290

Wait = Callable[..., Any]
Unique = Callable[[str], str]


@pytest.fixture(scope="module")
def served(omni_config: OmniConfig, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A gateway of one worker with four threads, that keeps what its watches tell."""
    bounds = {"THREADS": THREADS, "MAX_STREAMS": 2, "MAX_WATCHES": MOST, "MAX_WATCHES_PER_CALLER": OWN}
    environ = omni_environ(omni_config)
    environ |= {f"OMNI_GATEWAY_{name}": str(value) for name, value in bounds.items()}
    running = start_gateway(tmp_path_factory.mktemp("watched"), environ)
    yield running
    if running.process.poll() is None:
        stop_gateway(running)


@pytest.fixture(scope="module")
def api(served: Served, wait_until: Wait) -> Iterator[httpx.Client]:
    with client(served, served.tokens["admin"]) as caller:
        wait_until(lambda: caller.get("configpatches").headers["Cache-Status"].endswith("hit"), 45, "a hit")
        yield caller


def client(served: Served, credential: str) -> httpx.Client:
    headers = {"Authorization": f"Bearer {credential}"}
    return httpx.Client(base_url=f"{served.url}/api/v1/", headers=headers, timeout=30)


class Watcher:
    """A caller with an open watch, who has read what is there; ``told`` is what came first."""

    def __init__(
        self, served: Served, path: str = "configpatches", token: str = "", since: str = "", media: str = NDJSON
    ) -> None:
        host, _, port = served.url.removeprefix("http://").partition(":")
        self._connection = http.client.HTTPConnection(host, int(port), timeout=60)
        headers = {"Accept": media, "Authorization": f"Bearer {token or served.tokens['reader']}"}
        headers |= {"Last-Event-ID": since} if since else {}
        self._connection.request(
            "GET", f"/api/v1/{path}", headers=headers | ({"Last-Event-ID": since} if since else {})
        )
        self.answer = self._connection.getresponse()
        self.told: list[Any] = []
        if self.answer.status != 200 or media != NDJSON:
            return
        while not self.told or self.told[-1]["type"] != "BOOKMARK":
            self.told.append(self.next())

    def line(self) -> bytes:
        """Return the next line, as it is."""
        return self.answer.readline()

    def next_line(self) -> bytes:
        """Return the next line that is no heartbeat, as it is."""
        while True:
            line = self.line()
            if json.loads(line)["type"] != "HEARTBEAT":
                return line

    def next(self) -> Any:
        """Return the next event that is no heartbeat."""
        return json.loads(self.next_line())

    def until_gone(self, *names: str) -> list[Any]:
        """Read until all of these are deleted; each may tear down first."""
        missing, told = set(names), []
        while missing:
            told.append(self.next())
            if told[-1]["type"] == "DELETED":
                missing.remove(told[-1]["object"]["id"])
        return told

    def ids(self) -> list[str]:
        return [event["object"]["id"] for event in self.told[:-1]]

    def leave(self) -> None:
        self.answer.close()
        self._connection.close()


def worker_threads(served: Served) -> int:
    """Return how many threads the worker has; its children are none of ours."""
    return len(list(Path(f"/proc/{served.workers[0]}/task").iterdir()))


def open_streams(caller: httpx.Client, served: Served) -> float:
    families = text_string_to_metric_families(caller.get(f"{served.url}/metrics").text)
    return next(
        sample.value for each in families for sample in each.samples if sample.name == "omni_gateway_open_streams"
    )


def test_hundreds_of_watchers_take_no_threads_and_are_all_told_every_change_alike(
    served: Served, api: httpx.Client, omni: OmniClient, unique: Unique, wait_until: Wait
) -> None:
    wait_until(lambda: open_streams(api, served) == 0)
    names = [unique("many") for _ in range(5)]
    before = worker_threads(served)
    watchers = [Watcher(served) for _ in range(200)]

    for name in names:
        omni.resources.create(PATCHES, name, {"data": "machine: {}"})
    told = {tuple(watcher.next_line() for _ in names) for watcher in watchers}

    assert worker_threads(served) - before < 20
    assert open_streams(api, served) == 200
    (same,) = told
    assert [json.loads(line)["object"]["id"] for line in same] == names
    for name in names:
        omni.resources.remove(PATCHES, name)
    told_first = watchers[0].until_gone(*names)
    assert all(watcher.until_gone(*names) == told_first for watcher in watchers[1:])
    for watcher in watchers:
        watcher.leave()
    wait_until(lambda: open_streams(api, served) == 0, what="the places of those who left")


def test_watchers_of_machines_take_no_threads_either(
    served: Served, api: httpx.Client, free_machines: Any, unique: Unique, wait_until: Wait
) -> None:
    machine, label = free_machines(1)[0], unique("watched")
    for path in ("machines", f"machines/{machine}"):
        wait_until(lambda path=path: api.get(path).headers["Cache-Status"].endswith("hit"), 45, "a hit")
    wait_until(lambda: open_streams(api, served) == 0)
    before = worker_threads(served)
    watchers = [Watcher(served, "machines") for _ in range(30)] + [Watcher(served, f"machines/{machine}")]

    api.patch(f"machines/{machine}", json={"labels": {label: "yes"}})

    assert worker_threads(served) - before < 20
    for watcher in watchers:
        while label not in watcher.next()["object"]["labels"]:
            pass
        watcher.leave()
    api.patch(f"machines/{machine}", json={"labels": {label: None}})
    wait_until(lambda: open_streams(api, served) == 0, what="the places of those who left")


def test_one_more_than_there_is_room_for_is_told_when_to_come_again(
    served: Served, api: httpx.Client, wait_until: Wait
) -> None:
    wait_until(lambda: open_streams(api, served) == 0)
    watchers = [Watcher(served) for _ in range(OWN)]
    refused = Watcher(served).answer
    assert (refused.status, refused.headers["Retry-After"]) == (429, "5")
    assert json.loads(refused.read())["code"] == "too-many-own-streams"

    watchers += [Watcher(served, token=served.tokens["operator"]) for _ in range(MOST - OWN)]
    refused = Watcher(served, token=served.tokens["admin"]).answer
    assert (refused.status, refused.headers["Retry-After"]) == (503, "5")
    assert json.loads(refused.read())["code"] == "too-many-streams"

    watchers.pop().leave()
    wait_until(lambda: open_streams(api, served) == MOST - 1, what="a place")
    watchers.append(Watcher(served, token=served.tokens["admin"]))
    assert watchers[-1].answer.status == 200
    for watcher in watchers:
        watcher.leave()


def test_a_watcher_that_comes_late_begins_with_how_things_are_by_now(
    served: Served, api: httpx.Client, unique: Unique
) -> None:
    early = Watcher(served)
    name = unique("late")
    for number in range(10):
        assert api.post("configpatches", json={"id": f"{name}-{number}", "data": "machine: {}"}).status_code == 201
        late = Watcher(served)
        assert f"{name}-{number}" in late.ids() and late.ids() == sorted(late.ids())
        late.leave()
    point = [early.next() for _ in range(10)][-1]["resume_point"]
    again = Watcher(served)
    assert again.told[-1]["resume_point"] == point
    for number in range(10):
        api.delete(f"configpatches/{name}-{number}")
    early.leave(), again.leave()


def test_a_watch_goes_on_from_a_point_that_another_watcher_was_given(
    served: Served, api: httpx.Client, omni: OmniClient, unique: Unique
) -> None:
    first, names = Watcher(served), [unique("since") for _ in range(2)]
    omni.resources.create(PATCHES, names[0], {"data": "machine: {}"})
    point = first.next()["resume_point"]
    omni.resources.create(PATCHES, names[1], {"data": "machine: {}"})
    assert first.next()["object"]["id"] == names[1]
    second = Watcher(served, since=point)
    assert names[1] in second.ids() and set(second.ids()) <= set(names)  # of the last second, twice maybe
    for name in names:
        omni.resources.remove(PATCHES, name)
    first.until_gone(*names)
    gone = Watcher(served, since=point).answer
    assert (gone.status, json.loads(gone.read())["code"]) == (410, "gone")
    first.leave(), second.leave()


def test_watchers_are_told_what_they_asked_for_in_the_form_they_asked_for(
    served: Served, api: httpx.Client, omni: OmniClient, unique: Unique
) -> None:
    name, other = unique("form"), unique("form")
    whole, some, one, chosen, sse = (
        Watcher(served),
        Watcher(served, "configpatches?fields=data"),
        Watcher(served, f"configpatches?label_selector=form={name}"),
        Watcher(served, f"configpatches?label_selector=form={other}"),
        Watcher(served, media=SSE),
    )
    omni.resources.create(PATCHES, name, {"data": "machine: {}"}, labels={"form": name})
    omni.resources.create(PATCHES, other, {"data": "machine: {}"}, labels={"form": other})
    assert [whole.next()["object"]["id"], whole.next()["object"]["id"]] == [name, other]
    assert some.next()["object"].keys() == {"id", "metadata", "data"}
    assert (one.next()["object"]["id"], chosen.next()["object"]["id"]) == (name, other)
    while f'"id":"{other}"'.encode() not in sse.line():
        pass
    single = Watcher(served, f"configpatches/{name}")
    assert single.ids() == [name]
    omni.resources.remove(PATCHES, other)
    omni.resources.remove(PATCHES, name)
    single.until_gone(name), one.until_gone(name), chosen.until_gone(other)
    for watcher in (whole, some, one, chosen, sse, single):
        watcher.leave()


def test_a_watcher_is_told_of_its_own_clusters_only(
    served: Served, api: httpx.Client, omni: OmniClient, unique: Unique
) -> None:
    ours, theirs = unique("ours"), unique("theirs")
    held = {}
    for name in (ours, theirs):
        held[name] = api.post("auth/tokens", json={"name": name, "clusters": [name]}).json()
    watchers = {name: [Watcher(served, token=held[name]["token"]) for _ in range(2)] for name in held}
    for name in (theirs, ours):
        omni.resources.create(PATCHES, name, {"data": "machine: {}"}, labels={CLUSTER: name})
    assert {name: [one.next()["object"]["id"] for one in some] for name, some in watchers.items()} == {
        ours: [ours] * 2,
        theirs: [theirs] * 2,
    }
    for name in held:
        omni.resources.remove(PATCHES, name)
        assert api.delete(f"auth/tokens/{held[name]['id']}").status_code == 204
    for name, one in ((name, one) for name, some in watchers.items() for one in some):
        one.until_gone(name)
        last = one.next()  # within about ten seconds: the token is no more
        assert (last["type"], last["object"]["code"], one.line()) == ("ERROR", "unauthenticated", b"")


def test_watchers_are_told_when_their_type_is_followed_no_more(fragile: Fragile, wait_until: Wait) -> None:
    """A feed that begins anew tells the difference, and its watchers never notice."""
    caller = fragile.api
    wait_until(lambda: caller.get("configpatches").headers["Cache-Status"].endswith("hit"), 45, "a hit")
    served = replace(fragile.served, tokens={"reader": fragile.served.tokens["admin"]})
    watcher, faults = Watcher(served), fragile.simulator.faults
    cut = pb.Rule(method="*/Watch", resource_type=PATCHES, cut=pb.Cut(), times=1)
    with faults.during(cut):
        for name in ("cut-1", "cut-2"):
            fragile.omni.resources.create(PATCHES, name, {"data": "machine: {}"})
        told = {watcher.next()["object"]["id"] for _ in range(2)}
    assert told == {"cut-1", "cut-2"}
    for name in told:
        fragile.omni.resources.remove(PATCHES, name)
    watcher.leave()


def test_a_stop_ends_every_watch_in_good_order(served: Served, api: httpx.Client) -> None:
    watchers = [Watcher(served) for _ in range(100)]
    served.process.send_signal(signal.SIGTERM)
    assert {watcher.answer.read() for watcher in watchers} == {b""}
    assert served.process.wait(30) == 0
