"""A watch is cut again and again while many write: a client that goes on where it was ends up with the truth."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import grpc
import httpx
import pytest

from omni_gateway.omni import OmniClient
from omni_gateway.omni.errors import NotFound
from omni_gateway.stubs import simulator_faults_pb2 as pb

from .conftest import PATIENCE, Fragile

pytestmark = pytest.mark.slow

PATCHES = "ConfigPatches.omni.sidero.dev"
RULES = "SAMLLabelRules.omni.sidero.dev"
WATCH = "omni.resources.ResourceService/Watch"
SSE, NDJSON = "text/event-stream", "application/x-ndjson"
CUTS = 12
BURST = 400
TRUTH_SECONDS = 60


State = tuple[str, int, str]
"""When an object was created, its version, what is in it."""


class Follower:
    """What a caller would write: hold what the stream tells, go on from the last resume point, begin anew on 410."""

    def __init__(self, api: httpx.Client, media: str, prefix: str) -> None:
        self._api = httpx.Client(base_url=api.base_url, headers=api.headers, timeout=30)
        self._media, self._prefix = media, prefix
        self.held: dict[str, State] = {}
        self.point = ""
        self.broken: list[str] = []
        self.went_back: list[tuple[str, State, State]] = []
        self.resumed = self.restarted = 0
        self.done = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Follower:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.done.set()
        self._api.close()

    def _run(self) -> None:
        try:
            self._follow_until_done()
        except httpx.TransportError:
            assert self.done.is_set()  # the client was closed under an idle stream

    def _follow_until_done(self) -> None:
        while not self.done.is_set():
            head = {"Accept": self._media, **({"Last-Event-ID": self.point} if self.point else {})}
            self.resumed += bool(self.point)
            with self._api.stream("GET", f"configpatches?search={self._prefix}", headers=head) as answer:
                if answer.status_code == 410:
                    self._restart()
                elif answer.status_code == 200:
                    self._follow(self._events(answer))
                else:
                    self.broken.append(json.loads(answer.read())["code"])  # cut before it told anything
                    self.done.wait(0.05)

    def _restart(self) -> None:
        self.restarted += 1
        self.point = ""
        self.held.clear()

    def _follow(self, events: Iterator[tuple[str, str, Any]]) -> None:
        for kind, point, document in events:
            self.point = point or self.point
            if kind == "ERROR":
                if document["code"] == "gone":
                    self._restart()
                else:
                    self.broken.append(document["code"])
            elif kind == "DELETED":
                self.held.pop(document["id"], None)
            elif kind in ("ADDED", "MODIFIED"):
                now = (document["metadata"]["created"], document["metadata"]["version"], document["data"])
                before = self.held.get(document["id"], now)
                if now[:2] < before[:2]:
                    self.went_back.append((document["id"], before, now))
                self.held[document["id"]] = now
            if self.done.is_set():
                return

    def _events(self, answer: httpx.Response) -> Iterator[tuple[str, str, Any]]:
        if self._media == NDJSON:
            for line in answer.iter_lines():
                event = json.loads(line)
                yield event["type"], event.get("resume_point", ""), event.get("object")
            return
        fields: dict[str, str] = {}
        for line in answer.iter_lines():
            name, _, value = line.partition(": ")
            if line and name:
                fields[name] = value
            elif "data" in fields:
                yield fields.pop("event"), fields.pop("id", ""), json.loads(fields.pop("data"))


def burst(omni: OmniClient, prefix: str, seed: int) -> None:
    """Create, change, remove and make again, the same in every run."""
    draw = random.Random(seed)
    present: set[str] = set()
    for number in range(BURST):
        id = f"{prefix}-{draw.randrange(40):02d}"
        if id not in present:
            omni.resources.create(PATCHES, id, {"data": f"machine: {{sysctls: {{a: '{number}'}}}}"})
            present.add(id)
        elif draw.random() < 0.6:
            read = omni.resources.get(PATCHES, id)
            read["spec"]["data"] = f"machine: {{sysctls: {{a: '{number}'}}}}"
            omni.resources.update(read, version=None)
        else:
            with suppress(NotFound):  # Omni removes a torn-down object itself, which may come first
                omni.resources.delete(PATCHES, id, timeout=20)
            present.discard(id)


@pytest.mark.parametrize("media", [SSE, NDJSON])
def test_a_client_of_a_watch_that_is_cut_in_a_burst_ends_up_with_the_truth(
    fragile: Fragile, unique: Callable[[str], str], wait_until: Callable[..., Any], media: str
) -> None:
    prefix = unique("w")
    with Follower(fragile.api, media, prefix) as follower:
        wait_until(lambda: follower.point)
        faults = fragile.simulator.faults
        cut = pb.Rule(method=WATCH, resource_type=PATCHES, times=CUTS, cut=pb.Cut(after_messages=25))
        with faults.during(cut) as state:
            burst(fragile.omni, prefix, seed=5)
            assert state().struck >= 3, state()

        def truth() -> dict[str, State]:
            listing = fragile.omni.resources.list(PATCHES, search=[prefix])
            return {
                item["metadata"]["id"]: (item["metadata"]["created"], item["metadata"]["version"], item["spec"]["data"])
                for item in listing.items
            }

        wait_until(lambda: follower.held == truth(), TRUTH_SECONDS, "the truth")
        assert set(follower.broken) == {"omni-unreachable"}
        assert len(follower.broken) >= 3
        assert follower.resumed >= 1
        assert follower.went_back == []

        # and it is still listening
        fragile.omni.resources.create(PATCHES, f"{prefix}-last", {"data": "machine: {}"})
        wait_until(lambda: f"{prefix}-last" in follower.held)


def test_a_watch_that_cannot_begin_again_yet_says_so_by_its_status(fragile: Fragile) -> None:
    unavailable = pb.Error(code=grpc.StatusCode.UNAVAILABLE.value[0])
    with fragile.simulator.faults.during(pb.Rule(method=WATCH, error=unavailable)):
        start = time.monotonic()
        with fragile.api.stream("GET", "configpatches", headers={"Accept": SSE, "Cache-Control": "no-cache"}) as answer:
            assert answer.status_code == 503
        assert time.monotonic() - start < 20


def test_a_stream_opened_while_the_processs_own_watch_is_broken_outlasts_its_requests_time(
    fragile: Fragile, unique: Callable[[str], str], wait_until: Callable[..., Any]
) -> None:
    id = unique("rule")
    unavailable = pb.Error(code=grpc.StatusCode.UNAVAILABLE.value[0])
    broken = pb.Rule(method=WATCH, resource_type=RULES, times=4, error=unavailable)
    with fragile.simulator.faults.during(broken) as state:
        fragile.api.get(
            "auth/saml-label-rules"
        )  # from now on the process watches, and its next attempt is seconds away
        wait_until(lambda: state().struck == 4)
        with fragile.api.stream("GET", "auth/saml-label-rules", headers={"Accept": NDJSON}) as answer:
            opened = time.monotonic()
            assert answer.status_code == 200
            events = map(json.loads, answer.iter_lines())
            assert next(events)["type"] == "BOOKMARK"
            wait_until(lambda: time.monotonic() > opened + PATIENCE + 0.5)

            rule = {"match_labels": ["saml.omni.sidero.dev/role/x"], "assign_role": "Reader"}
            fragile.omni.resources.create(RULES, id, rule)

            assert next(event["object"]["id"] for event in events if "id" in event.get("object", {})) == id
    fragile.omni.resources.delete(RULES, id)
