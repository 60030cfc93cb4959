"""Watches: what is there, BOOTSTRAPPED, then every change in order (resource-service.md, machine-auth-detail §5)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from tests.conformance.outcomes import DENIED, UNIMPLEMENTED, cases, expect, holds, same
from tests.conformance.world import World
from tests.simulator.caller import Caller, Events, never_made

OWN = "MachineLabels"
Seen = list[tuple[str, dict[str, Any] | None, dict[str, Any] | None]]


@pytest.fixture
def namespace(omni: World) -> str:
    """A namespace of the case's own: what happens elsewhere is not seen."""
    return omni.name()


def _make(omni: World, namespace: str, name: str, by: Caller | None = None, **labels: str) -> None:
    (by or omni.admin).create(OWN, f"{namespace}-{name}", namespace=namespace, labels=labels)


def _update(omni: World, namespace: str, name: str, by: Caller | None = None, **labels: str) -> None:
    read = (by or omni.admin).get(OWN, f"{namespace}-{name}", namespace)
    read["metadata"]["labels"] = labels
    (by or omni.admin).update(read)


def _told(events: Events, count: int) -> list[str]:
    """Return the next events as kind and the last part of the id."""
    found = []
    for _ in range(count):
        kind, resource, _ = events.next()
        found.append(f"{kind} {resource['metadata']['id'].rpartition('-')[2]}" if resource else kind)
    return found


def test_resource_service_what_is_there_comes_first_then_bootstrapped_once(omni: World, namespace: str) -> None:
    for name in ("a", "b", "c"):
        _make(omni, namespace, name)

    with omni.admin.watch(OWN, namespace=namespace) as events:
        same(["created a", "created b", "created c"], sorted(_told(events, 3)))
        same(["bootstrapped"], _told(events, 1))
        _make(omni, namespace, "d")
        same(["created d"], _told(events, 1))


def test_resource_service_nothing_there_is_bootstrapped_at_once(omni: World, namespace: str) -> None:
    with omni.admin.watch(OWN, namespace=namespace) as events:
        same(("bootstrapped", None, None), events.next())


def test_resource_service_an_update_tells_what_was_before(omni: World, namespace: str) -> None:
    _make(omni, namespace, "a", x="1")
    with omni.admin.watch(OWN, namespace=namespace) as events:
        _told(events, 2)
        _update(omni, namespace, "a", x="2")

        kind, new, old = events.next()

    same("updated", kind)
    same([{"x": "2"}, {"x": "1"}], [resource and resource["metadata"]["labels"] for resource in (new, old)])
    same([2, 1], [resource and resource["metadata"]["version"] for resource in (new, old)])


def test_resource_service_an_end_is_told_with_the_object(omni: World) -> None:
    patch = omni.patch(labels={"mine": omni.name()})
    label = omni.admin.get("ConfigPatches", patch)["metadata"]["labels"]["mine"]
    with omni.admin.watch("ConfigPatches", f"mine={label}") as events:
        same(["created", "bootstrapped"], [events.next()[0], events.next()[0]])
        omni.admin.teardown("ConfigPatches", patch)
        omni.at_end(lambda: omni.admin.delete("ConfigPatches", patch, timeout=5))
        threading.Thread(target=lambda: _quietly(lambda: omni.by("admin").delete("ConfigPatches", patch))).start()

        kinds = []
        while "destroyed" not in kinds:
            kind, resource, _ = events.next()
            kinds.append(kind)
        same(patch, resource and resource["metadata"]["id"])
        same({"updated", "destroyed"}, set(kinds))


def _quietly(call: Callable[[], object]) -> None:
    import grpc

    try:
        call()
    except grpc.RpcError:
        return


def test_machine_auth_detail_5_entering_and_leaving_a_filter_looks_like_coming_and_going(
    omni: World, namespace: str
) -> None:
    _make(omni, namespace, "in", colour="red")
    _make(omni, namespace, "out", colour="blue")
    with omni.admin.watch(OWN, "colour=red", namespace=namespace) as events:
        same(["created in", "bootstrapped"], _told(events, 2))
        _update(omni, namespace, "out", colour="red")
        _update(omni, namespace, "out", colour="red", more="1")
        _update(omni, namespace, "out", colour="blue")
        _update(omni, namespace, "out", colour="green")
        _update(omni, namespace, "in", colour="red", last="1")

        same(["created out", "updated out", "destroyed out", "updated in"], _told(events, 4))


@pytest.mark.parametrize(
    "selector",
    cases(
        "resource-service selectors of a watch",
        [("in", "colour in (red, green)"), ("not", "!shape"), ("and", "colour,!shape")],
    ),
)
def test_a_watch_takes_the_selectors_of_a_list(omni: World, namespace: str, selector: str) -> None:
    _make(omni, namespace, "a", colour="red")
    _make(omni, namespace, "b", colour="red", shape="round")
    _make(omni, namespace, "c", shape="square")
    listed = sorted(omni.admin.ids(OWN, selector, namespace=namespace))

    with omni.admin.watch(OWN, selector, namespace=namespace) as events:
        seen = []
        while (event := events.next())[0] != "bootstrapped":
            seen.append(event[1]["metadata"]["id"])  # type: ignore[index]

    same(listed, sorted(seen))


def test_resource_service_one_object_is_created_then_bootstrapped(omni: World, namespace: str) -> None:
    _make(omni, namespace, "a")
    _make(omni, namespace, "b")
    with omni.admin.watch(OWN, namespace=namespace, id=f"{namespace}-b") as events:
        same(["created b", "bootstrapped"], _told(events, 2))
        _update(omni, namespace, "a", x="1")
        _update(omni, namespace, "b", x="1")
        same(["updated b"], _told(events, 1))


def test_resource_service_one_object_that_is_not_there_is_bootstrapped_alone(omni: World, namespace: str) -> None:
    """The COSI surface tells it as destroyed; this one leaves that out."""
    with omni.admin.watch(OWN, namespace=namespace, id=f"{namespace}-late") as events:
        same(["bootstrapped"], _told(events, 1))
        _make(omni, namespace, "late")
        same(["created late"], _told(events, 1))


@pytest.mark.parametrize(
    ("type_", "role", "wanted"),
    cases(
        "cluster-side 1.2, machine-auth-detail 5 a watch that is not allowed",
        [
            ("Users as Reader", "Users", "Reader", DENIED),
            ("Clusters as None", "Clusters", "None", DENIED),
            ("ClusterSecrets as Admin", "ClusterSecrets", "Admin", DENIED),
            ("an unknown type", "Unicorns", "Admin", DENIED),
        ],
    ),
)
def test_what_one_may_not_read_one_may_not_watch(omni: World, type_: str, role: str, wanted: str) -> None:
    def watch() -> None:
        with omni.by(role).watch(type_) as events:
            events.next()

    expect(wanted, watch)


def test_machine_auth_detail_1_what_is_computed_one_by_one_is_not_watched(omni: World) -> None:
    def watch() -> None:
        with omni.admin.watch("LabelsCompletions", namespace="virtual") as events:
            events.next()

    expect(UNIMPLEMENTED, watch)


# -- order under concurrent writes

WRITERS = 4
ROUNDS = 20


def _storm(omni: World, namespace: str) -> None:
    """Let several writers create, change three times and so on, at once; each has objects of its own."""

    def write(number: int) -> None:
        caller = omni.by("admin")
        for round_ in range(ROUNDS):
            name = f"w{number}r{round_}"
            _make(omni, namespace, name, caller, n="0")
            for step in (1, 2, 3):
                _update(omni, namespace, name, caller, n=str(step))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _until_marker(events: Events) -> Seen:
    seen: Seen = []
    while not seen or not (seen[-1][1] and seen[-1][1]["metadata"]["id"].endswith("-marker")):
        seen.append(events.next())
    return seen[:-1]


@pytest.fixture(scope="module")
def storm(shared: World) -> tuple[Seen, Seen, list[dict[str, Any]]]:
    """What two watches tell of a storm, and the list after it."""
    namespace = shared.name()
    with (
        shared.admin.watch(OWN, namespace=namespace) as one,
        shared.by("admin").watch(OWN, namespace=namespace) as other,
    ):
        same(["bootstrapped", "bootstrapped"], [one.next()[0], other.next()[0]])
        _storm(shared, namespace)
        _make(shared, namespace, "marker")
        seen = _until_marker(one), _until_marker(other)
    return (*seen, shared.admin.list(OWN, namespace=namespace)[0])


def test_watch_ordering_no_event_is_lost_or_told_twice(storm: tuple[Seen, Seen, list[dict[str, Any]]]) -> None:
    told = [(r["metadata"]["id"], r["metadata"]["version"]) for _, r, _ in storm[0] if r]
    same(WRITERS * ROUNDS * 4, len(told))
    same(len(told), len(set(told)))


def test_watch_ordering_every_object_goes_through_its_versions_in_order(
    storm: tuple[Seen, Seen, list[dict[str, Any]]],
) -> None:
    versions: dict[str, list[int]] = {}
    for _, resource, _ in storm[0]:
        if resource:
            versions.setdefault(resource["metadata"]["id"], []).append(resource["metadata"]["version"])
    same({(1, 2, 3, 4)}, {tuple(found) for found in versions.values()})


def test_watch_ordering_created_comes_first_then_updated(storm: tuple[Seen, Seen, list[dict[str, Any]]]) -> None:
    kinds: dict[str, list[str]] = {}
    for kind, resource, _ in storm[0]:
        if resource:
            kinds.setdefault(resource["metadata"]["id"], []).append(kind)
    same({("created", "updated", "updated", "updated")}, {tuple(found) for found in kinds.values()})


def test_watch_ordering_what_was_before_is_what_was_told_before(storm: tuple[Seen, Seen, list[dict[str, Any]]]) -> None:
    last: dict[str, dict[str, Any]] = {}
    for kind, resource, old in storm[0]:
        if not resource:
            continue
        if kind == "updated":
            same(last[resource["metadata"]["id"]], old)
        last[resource["metadata"]["id"]] = resource


def test_watch_ordering_two_watches_tell_the_same_story(storm: tuple[Seen, Seen, list[dict[str, Any]]]) -> None:
    one, other = (
        [(kind, r and (r["metadata"]["id"], r["metadata"]["version"])) for kind, r, _ in seen] for seen in storm[:2]
    )
    same(one, other)


def test_watch_ordering_the_story_ends_as_the_list_has_it(storm: tuple[Seen, Seen, list[dict[str, Any]]]) -> None:
    last = {r["metadata"]["id"]: r for _, r, _ in storm[0] if r}
    listed = {item["metadata"]["id"]: item for item in storm[2] if not item["metadata"]["id"].endswith("-marker")}
    same(listed, last)


def test_watch_ordering_a_watch_opened_amid_writes_misses_nothing(omni: World, namespace: str) -> None:
    writing = threading.Thread(target=_storm, args=(omni, namespace))
    _make(omni, namespace, "first")
    writing.start()
    with omni.admin.watch(OWN, namespace=namespace) as events:
        writing.join()
        _make(omni, namespace, "marker")
        seen = _until_marker(events)

    last: dict[str, int] = {}
    for kind, resource, _ in seen:
        if resource:
            id_, version = resource["metadata"]["id"], resource["metadata"]["version"]
            holds(
                kind == "created" or last.get(id_) == version - 1,
                "no version is skipped",
                (kind, id_, last.get(id_), version),
            )
            last[id_] = version
    same(WRITERS * ROUNDS + 1, len(last))
    same({1, 4}, set(last.values()))
    same(1, [kind for kind, _, _ in seen].count("bootstrapped"))


def test_resource_service_a_watch_ends_when_its_caller_goes(omni: World, namespace: str) -> None:
    for _ in range(20):
        with omni.admin.watch(OWN, namespace=namespace) as events:
            same("bootstrapped", events.next()[0])
    expect("NotFound", lambda: omni.admin.update(never_made(OWN, omni.name())))
