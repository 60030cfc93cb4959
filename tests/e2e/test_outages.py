"""Omni goes away, is slow, is half there, tells of the past: what a caller of the gateway sees, and how it ends."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import httpx
import pytest

from omni_gateway.stubs import simulator_faults_pb2 as pb

from .cluster_steps import problem
from .conftest import PATIENCE, Fragile

pytestmark = pytest.mark.slow

CLUSTERS, PATCHES = "Clusters.omni.sidero.dev", "ConfigPatches.omni.sidero.dev"
REFUSED = pb.Connections(mode=pb.Connections.REFUSED)
UNANSWERED = pb.Connections(mode=pb.Connections.UNANSWERED)
UNAVAILABLE = pb.Error(code=grpc.StatusCode.UNAVAILABLE.value[0], message="restarting")
#: Past the cache.
FRESH = {"Cache-Control": "no-cache"}
#: Reading it again takes as long again, and a loaded machine its time.
LATE = 4 * PATIENCE


def patch(name: str) -> dict[str, Any]:
    return {"id": name, "data": "machine:\n  sysctls:\n    net.core.somaxconn: '4096'\n"}


def health(fragile: Fragile, name: str) -> int:
    return httpx.get(f"{fragile.served.url}/{name}", timeout=30).status_code


def failing_checks(fragile: Fragile) -> list[str]:
    """The checks that a replica names which is in service all the same."""
    answer = httpx.get(f"{fragile.served.url}/readyz", timeout=30)
    assert answer.status_code == 200
    return list(answer.json()["failed"])


def silent(answer: httpx.Response) -> bool:
    """Whether an answer says that Omni is silent: at its own deadline, or at once when that is known already."""
    if answer.status_code not in (503, 504):
        return False
    assert answer.json()["code"] == {503: "omni-unreachable", 504: "omni-timeout"}[answer.status_code]
    assert answer.json()["retryable"] is True
    return True


def test_an_omni_that_goes_away_is_503_until_it_is_back(
    fragile: Fragile, unique: Callable[[str], str], wait_until: Callable[..., Any]
) -> None:
    name = unique("p")
    assert fragile.api.get("clusters").status_code == 200
    with fragile.simulator.faults.during(pb.Rule(connections=REFUSED)):
        for answer in (fragile.api.get("clusters", headers=FRESH), fragile.api.post("configpatches", json=patch(name))):
            assert problem(answer, 503, "omni-unreachable")["retryable"] is True
            assert int(answer.headers["Retry-After"]) > 0
        wait_until(lambda: failing_checks(fragile) == ["omni"], 30)
        assert health(fragile, "livez") == 200

    wait_until(lambda: fragile.api.get("clusters").status_code == 200, 30)
    assert fragile.api.post("configpatches", json=patch(name)).status_code == 201


def test_a_slow_answer_within_the_deadline_is_an_answer(fragile: Fragile) -> None:
    with fragile.simulator.faults.during(pb.Rule(method="*/List", delay=pb.Delay(seconds=0.3))) as state:
        start = time.monotonic()
        assert fragile.api.get("clusters", headers=FRESH).status_code == 200
        assert time.monotonic() - start >= 0.3
        assert state().struck


def test_an_answer_that_is_too_slow_is_504_at_the_deadline_and_holds_up_nothing_else(fragile: Fragile) -> None:
    rule = pb.Rule(method="*/List", resource_type=CLUSTERS, silence=pb.Silence())
    with fragile.simulator.faults.during(rule) as state, ThreadPoolExecutor(4) as pool:
        start = time.monotonic()
        slow = [pool.submit(fragile.api.get, "clusters", headers=FRESH) for _ in range(3)]
        assert fragile.api.get("configpatches").status_code == 200
        assert not any(call.done() for call in slow)

        # A busy machine may be too slow for the probe as well: Omni is known to be silent then, for the last of them.
        answers = [call.result() for call in slow]
        assert all(map(silent, answers))
        assert 504 in {answer.status_code for answer in answers}
        assert PATIENCE <= time.monotonic() - start < LATE
        assert 1 <= state().struck <= 3


def test_a_half_open_connection_is_noticed_by_the_deadline_and_is_got_over(
    fragile: Fragile, wait_until: Callable[..., Any]
) -> None:
    """The connection is there, and nothing comes over it any more."""
    assert fragile.api.get("clusters").status_code == 200
    with fragile.simulator.faults.during(pb.Rule(silence=pb.Silence())):
        start = time.monotonic()
        assert silent(fragile.api.get("clusters", headers=FRESH))
        assert time.monotonic() - start < LATE
        assert health(fragile, "livez") == 200

    wait_until(lambda: fragile.api.get("clusters", headers=FRESH).status_code == 200, 30)


def test_once_omni_is_known_to_be_silent_requests_fail_at_once_and_writes_are_not_sent(
    fragile: Fragile, unique: Callable[[str], str], wait_until: Callable[..., Any]
) -> None:
    name = unique("p")
    with fragile.simulator.faults.during(pb.Rule(silence=pb.Silence())):
        wait_until(lambda: fragile.api.get("clusters", headers=FRESH).status_code == 503, 30)
        start = time.monotonic()
        answers = [fragile.api.post("configpatches", json=patch(name)) for _ in range(5)]
        assert time.monotonic() - start < PATIENCE
        for answer in answers:
            assert "hint" not in problem(answer, 503, "omni-unreachable")  # that it may have been applied
            assert int(answer.headers["Retry-After"]) > 0
    wait_until(lambda: fragile.api.get(f"configpatches/{name}").status_code == 404, 30)


def test_what_is_cached_is_shown_with_its_age_for_a_moment_and_not_once_nobody_answers_probes(
    fragile: Fragile, wait_until: Callable[..., Any]
) -> None:
    wait_until(lambda: fragile.api.get("clusters").headers["Cache-Status"] == "omni-gateway; hit")
    with fragile.simulator.faults.during(pb.Rule(silence=pb.Silence())):
        hit = fragile.api.get("clusters")
        assert (hit.status_code, hit.headers["Cache-Status"]) == (200, "omni-gateway; hit")
        assert int(hit.headers["Age"]) <= 10
        wait_until(lambda: silent(fragile.api.get("clusters")), 30, "the end of belief")

    wait_until(lambda: fragile.api.get("clusters").headers.get("Cache-Status") == "omni-gateway; hit", 30)


def test_a_port_that_takes_connections_and_never_answers_is_noticed_by_the_deadline_and_is_got_over(
    fragile: Fragile, wait_until: Callable[..., Any]
) -> None:
    with fragile.simulator.faults.during(pb.Rule(connections=UNANSWERED)):
        # The connection that broke is noticed first; then a new one is tried.
        wait_until(lambda: fragile.api.get("clusters", headers=FRESH).status_code in (503, 504), 30)
        start = time.monotonic()
        assert silent(fragile.api.get("clusters", headers=FRESH))
        assert time.monotonic() - start < LATE
        wait_until(lambda: failing_checks(fragile) == ["omni"], 30)

    wait_until(lambda: fragile.api.get("clusters").status_code == 200, 30)


@pytest.mark.parametrize(("failures", "status"), [(3, 200), (4, 503)])
def test_a_read_is_tried_four_times_before_its_caller_hears_of_it(fragile: Fragile, failures: int, status: int) -> None:
    rule = pb.Rule(method="*/List", resource_type=CLUSTERS, times=failures, error=UNAVAILABLE)
    with fragile.simulator.faults.during(rule) as state:
        assert fragile.api.get("clusters", headers=FRESH).status_code == status
        assert state().struck == failures


def test_a_write_is_tried_once(fragile: Fragile, unique: Callable[[str], str]) -> None:
    name = unique("p")
    with fragile.simulator.faults.during(pb.Rule(method="*/Create", error=UNAVAILABLE)) as state:
        answer = problem(fragile.api.post("configpatches", json=patch(name)), 503, "omni-unreachable")
        assert "may have been applied" in answer["hint"]
        assert state().matched == 1

    assert fragile.api.get(f"configpatches/{name}").status_code == 404


def test_an_omni_that_reads_from_the_past_for_a_moment_does_not_hide_what_was_just_made(
    fragile: Fragile, unique: Callable[[str], str]
) -> None:
    name = unique("p")
    rule = pb.Rule(method="*/Get", resource_type=PATCHES, resource_id=name, times=4, stale_reads=pb.StaleReads())
    with fragile.simulator.faults.during(rule) as state:
        answer = fragile.api.post("configpatches", json=patch(name))
        assert state().struck  # the look before it is made; after it as well where the worker does not watch the type
    assert (answer.status_code, answer.json()["id"]) == (201, name)


def test_a_change_based_on_the_past_is_made_again_on_the_present(
    fragile: Fragile, unique: Callable[[str], str]
) -> None:
    name = unique("p")
    fragile.api.post("configpatches", json=patch(name))
    rule = pb.Rule(method="*/Get", resource_type=PATCHES, resource_id=name, times=2, stale_reads=pb.StaleReads())
    with fragile.simulator.faults.during(rule) as state:
        fragile.omni.resources.update(
            {
                "metadata": {"namespace": "default", "type": PATCHES, "id": name, "labels": {"by": "another"}},
                "spec": {"data": patch(name)["data"]},
            },
            version=None,
        )
        answer = fragile.api.patch(
            f"configpatches/{name}",
            json={"labels": {"mine": "yes"}},
            headers={"Content-Type": "application/merge-patch+json"},
        )
        assert state().over
    assert answer.status_code == 200, answer.text
    assert fragile.api.get(f"configpatches/{name}").json()["labels"] == {"by": "another", "mine": "yes"}


def test_an_omni_that_reads_from_the_past_for_a_moment_does_not_hide_what_was_just_changed(
    fragile: Fragile, unique: Callable[[str], str]
) -> None:
    name = unique("p")
    assert fragile.api.post("configpatches", json=patch(name)).status_code == 201
    rule = pb.Rule(method="*/Get", resource_type=PATCHES, resource_id=name, times=4, stale_reads=pb.StaleReads())
    with fragile.simulator.faults.during(rule) as state:
        answer = fragile.api.patch(f"configpatches/{name}", json={"labels": {"new": "label"}})
        assert state().struck  # more than once where the worker does not watch the type
    assert (answer.status_code, answer.json()["labels"]) == (200, {"new": "label"})
    assert answer.headers["ETag"] == fragile.api.get(f"configpatches/{name}").headers["ETag"]


def test_a_cluster_that_omni_has_not_finished_to_make_has_no_kubeconfig_yet(
    fragile: Fragile, unique: Callable[[str], str]
) -> None:
    name = unique("c")
    unmade = pb.Rule(method="*/Get", resource_type="ClusterUUIDs.omni.sidero.dev", stale_reads=pb.StaleReads())
    unknown = pb.Rule(method="*/Kubeconfig", error=pb.Error(code=grpc.StatusCode.UNKNOWN.value[0]))
    with fragile.simulator.faults.during(unmade), fragile.simulator.faults.during(unknown):
        assert fragile.api.post("clusters", json={"id": name}).status_code == 201
        answer = fragile.api.get(f"clusters/{name}/kubeconfig", headers={"Cache-Control": "no-cache"})
        assert problem(answer, 409, "too-early")["retryable"]
        assert int(answer.headers["Retry-After"]) > 0

    assert fragile.api.get(f"clusters/{name}/kubeconfig").status_code == 200
    fragile.api.delete(f"clusters/{name}")
