"""Omni does what it was asked, and its answer is lost: what the caller sees, and what sending it again gives.

Whatever happens, nothing is done twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import grpc
import pytest

from omni_gateway.omni import types
from omni_gateway.simulator.state.resource import Resource
from omni_gateway.stubs import simulator_faults_pb2 as pb

from .cluster_steps import at, end_of, problem
from .conftest import Fragile
from .test_serviceaccount import as_account

pytestmark = pytest.mark.slow

CLUSTERS, PATCHES, SETS, NODES = (
    f"{name}.omni.sidero.dev" for name in ("Clusters", "ConfigPatches", "MachineSets", "MachineSetNodes")
)
LOST, NEVER = pb.AnswerLost(), pb.AnswerLost(hang=True)
UNAVAILABLE = pb.Error(code=grpc.StatusCode.UNAVAILABLE.value[0])
TOKENS = "management.ManagementService/CreateJoinToken"


def patch(name: str) -> dict[str, Any]:
    return {"id": name, "data": "machine:\n  sysctls:\n    net.core.somaxconn: '4096'\n", "labels": {"team": "a"}}


def writes(fragile: Fragile, type: str, id: str) -> int:
    """Return how often an object was written: its version."""
    return int(fragile.omni.resources.get(type, id)["metadata"]["version"])


@contextmanager
def blind(fragile: Fragile, type: str, id: str) -> Iterator[None]:
    """Let the next write of an object succeed unheard, and nobody read the object after that."""
    lost = pb.Rule(method="*/[CUT]*", resource_type=type, resource_id=id, answer_lost=LOST)
    unread = pb.Rule(method="*/Get", resource_type=type, resource_id=id, skip=1, error=UNAVAILABLE)
    with fragile.simulator.faults.during(lost) as state, fragile.simulator.faults.during(unread):
        yield
        assert state().struck == 1


@pytest.mark.parametrize("lost", [LOST, NEVER], ids=["broken", "never"])
def test_a_post_whose_answer_was_lost_looks_what_became_of_it_and_answers_201(
    fragile: Fragile, unique: Callable[[str], str], lost: pb.AnswerLost
) -> None:
    name = unique("p")
    with fragile.simulator.faults.during(pb.Rule(method="*/Create", resource_id=name, answer_lost=lost)) as state:
        answer = fragile.api.post("configpatches", json=patch(name))
        assert state().struck == 1

    assert answer.status_code == 201, answer.text
    assert answer.json()["labels"] == {"team": "a"}
    assert writes(fragile, PATCHES, name) == 1
    again = fragile.api.post("configpatches", json=patch(name))
    problem(again, 409, "exists")
    assert again.headers["Location"] == answer.headers["Location"]


def test_a_post_that_nobody_can_look_after_is_503_and_sending_it_again_finds_it_done(
    fragile: Fragile, unique: Callable[[str], str]
) -> None:
    name = unique("p")
    with blind(fragile, PATCHES, name):
        told = problem(fragile.api.post("configpatches", json=patch(name)), 503, "omni-unreachable")
        assert "check before you send it again" in told["hint"]

    again = fragile.api.post("configpatches", json=patch(name))
    problem(again, 409, "exists")
    assert fragile.api.get(at(fragile.api, again.headers["Location"])).json()["data"] == patch(name)["data"]
    assert writes(fragile, PATCHES, name) == 1


def test_an_object_that_another_made_meanwhile_is_not_taken_for_ours(
    fragile: Fragile, unique: Callable[[str], str]
) -> None:
    name = unique("p")
    rule = pb.Rule(method="*/Create", resource_id=name, times=1, error=UNAVAILABLE)  # lost on the way there
    early = pb.Rule(method="*/Get", resource_id=name, times=1, stale_reads=pb.StaleReads())
    with fragile.simulator.faults.during(early), fragile.simulator.faults.during(rule):
        fragile.simulator.store.create(Resource("default", PATCHES, name, {"data": "machine: {sysctls: {a: b}}"}))
        problem(fragile.api.post("configpatches", json=patch(name)), 503, "omni-unreachable")


def test_a_put_and_a_patch_whose_answers_were_lost_look_what_became_of_them_and_answer_200(
    fragile: Fragile, unique: Callable[[str], str]
) -> None:
    name = unique("p")
    fragile.api.post("configpatches", json=patch(name))
    wanted = {**patch(name), "labels": {"team": "b"}}
    change = {"labels": {"tier": "one"}}
    head = {"Content-Type": "application/merge-patch+json"}
    for send in (
        lambda: fragile.api.put(f"configpatches/{name}", json=wanted),
        lambda: fragile.api.patch(f"configpatches/{name}", json=change, headers=head),
    ):
        rule = pb.Rule(method="*/Update", resource_id=name, times=1, answer_lost=LOST)
        with fragile.simulator.faults.during(rule) as state:
            answer = send()
            assert state().struck == 1
        assert answer.status_code == 200, answer.text
    assert answer.json()["labels"] == {"team": "b", "tier": "one"}
    assert writes(fragile, PATCHES, name) == 3


def test_a_put_that_nobody_can_look_after_is_503_and_can_be_sent_again(
    fragile: Fragile, unique: Callable[[str], str]
) -> None:
    name = unique("p")
    fragile.api.post("configpatches", json=patch(name))
    wanted = {**patch(name), "labels": {"team": "b"}}
    with blind(fragile, PATCHES, name):
        problem(fragile.api.put(f"configpatches/{name}", json=wanted), 503, "omni-unreachable")
    assert fragile.api.put(f"configpatches/{name}", json=wanted).json()["labels"] == {"team": "b"}


def test_an_update_that_did_not_reach_omni_is_not_taken_for_done(
    fragile: Fragile, unique: Callable[[str], str]
) -> None:
    name = unique("p")
    fragile.api.post("configpatches", json=patch(name))
    wanted = {**patch(name), "labels": {}}  # what is there has this and more
    with fragile.simulator.faults.during(pb.Rule(method="*/Update", resource_id=name, times=1, error=UNAVAILABLE)):
        problem(fragile.api.put(f"configpatches/{name}", json=wanted), 503, "omni-unreachable")
    assert writes(fragile, PATCHES, name) == 1


@pytest.mark.parametrize("lost", [LOST, NEVER], ids=["broken", "never"])
def test_a_delete_whose_answer_was_lost_looks_what_became_of_it(
    fragile: Fragile, unique: Callable[[str], str], wait_until: Callable[..., Any], lost: pb.AnswerLost
) -> None:
    name = unique("p")
    fragile.api.post("configpatches", json=patch(name))
    rule = pb.Rule(method="*/Teardown", resource_id=name, times=1, answer_lost=lost)
    with fragile.simulator.faults.during(rule) as state:
        answer = fragile.api.delete(f"configpatches/{name}")
        assert (answer.status_code in (202, 204), state().struck) == (True, 1)

    wait_until(lambda: fragile.api.get(f"configpatches/{name}").status_code == 404)
    problem(fragile.api.delete(f"configpatches/{name}"), 404, "not-found")


def document(name: str, label: str) -> dict[str, Any]:
    metadata = {"type": PATCHES, "id": name, "labels": {"team": label}}
    return {"metadata": metadata, "spec": {"data": patch(name)["data"]}}


def team(fragile: Fragile, name: str) -> str | None:
    labels: dict[str, str] = fragile.omni.resources.get(PATCHES, name)["metadata"]["labels"]
    return labels.get("team")


def actions(answer: Any) -> dict[str, str]:
    return {item["id"]: item["action"] for item in answer.json()["results"]}


def test_an_atomic_apply_goes_on_over_an_update_whose_answer_was_lost(
    fragile: Fragile, unique: Callable[[str], str]
) -> None:
    old, new = unique("p"), unique("p")
    fragile.api.post("configpatches", json=patch(old))
    with fragile.simulator.faults.during(pb.Rule(method="*/Update", resource_id=old, answer_lost=LOST)) as state:
        answer = fragile.api.post("apply?atomic=true", json=[document(old, "b"), document(new, "b")])
        assert state().struck == 1

    assert (answer.status_code, actions(answer)) == (200, {old: "updated", new: "created"})
    assert (team(fragile, old), team(fragile, new)) == ("b", "b")


def test_an_atomic_apply_takes_back_what_it_could_not_look_after_at_once(
    fragile: Fragile, unique: Callable[[str], str]
) -> None:
    first, old = unique("p1"), unique("p2")
    fragile.api.post("configpatches", json=patch(old))
    lost = pb.Rule(method="*/Update", resource_id=old, times=1, answer_lost=LOST)
    broken = pb.Error(code=grpc.StatusCode.INTERNAL.value[0])  # which gRPC does not try again by itself
    unread = pb.Rule(method="*/Get", resource_id=old, skip=1, times=1, error=broken)
    with fragile.simulator.faults.during(lost), fragile.simulator.faults.during(unread) as state:
        answer = fragile.api.post("apply?atomic=true", json=[document(first, "b"), document(old, "b")])
        assert state().struck == 1

    assert (answer.status_code, actions(answer)) == (422, {first: "taken-back", old: "taken-back"})
    assert team(fragile, old) == "a"
    problem(fragile.api.get(f"configpatches/{first}"), 404, "not-found")


def test_an_atomic_apply_says_what_may_have_been_written(fragile: Fragile, unique: Callable[[str], str]) -> None:
    old = unique("p")
    fragile.api.post("configpatches", json=patch(old))
    with blind(fragile, PATCHES, old):
        answer = fragile.api.post("apply?atomic=true", json=document(old, "b"))

    assert actions(answer) == {old: "failed"}
    assert "may have been written" in answer.json()["results"][0]["problem"]["detail"]


def test_an_atomic_apply_takes_back_over_a_teardown_whose_answer_was_lost(
    fragile: Fragile, unique: Callable[[str], str], wait_until: Callable[..., Any]
) -> None:
    new, bad = unique("p1"), unique("p2")
    wrong = pb.Rule(method="*/Create", resource_id=bad, error=pb.Error(code=grpc.StatusCode.INVALID_ARGUMENT.value[0]))
    lost = pb.Rule(method="*/Teardown", resource_id=new, times=1, answer_lost=LOST)
    with fragile.simulator.faults.during(wrong), fragile.simulator.faults.during(lost) as state:
        answer = fragile.api.post("apply?atomic=true", json=[document(new, "b"), document(bad, "b")])
        assert state().struck == 1

    assert actions(answer) == {new: "taken-back", bad: "failed"}
    wait_until(lambda: fragile.api.get(f"configpatches/{new}").status_code == 404)


@pytest.mark.parametrize("type", [CLUSTERS, SETS, NODES])
def test_a_cluster_is_whole_whichever_of_its_parts_answers_was_lost(
    fragile: Fragile, unique: Callable[[str], str], wait_until: Callable[..., Any], type: str
) -> None:
    name = unique("c")
    free = fragile.omni.resources.list("MachineStatuses.omni.sidero.dev", selectors=["omni.sidero.dev/available"])
    machines = [item["metadata"]["id"] for item in free.items][:2]
    body = {"id": name, "control_plane": {"machines": machines[:1]}, "workers": [{"machines": machines[1:]}]}
    with fragile.simulator.faults.during(pb.Rule(method="*/Create", resource_type=type, answer_lost=LOST)) as state:
        answer = fragile.api.post("clusters", json=body)
        assert state().struck >= 1

    assert answer.status_code == 201, answer.text
    assert end_of(fragile.api, answer, wait_until)["state"] == "succeeded"
    mine = [f"omni.sidero.dev/cluster = {name}"]
    assert fragile.omni.resources.list(SETS, selectors=mine).total == 2
    assert fragile.omni.resources.list(NODES, selectors=mine).total == 2
    problem(fragile.api.post("clusters", json=body), 409, "exists")
    fragile.api.delete(f"clusters/{name}")
    wait_until(lambda: fragile.api.get(f"clusters/{name}").status_code == 404, 60)


def tokens(fragile: Fragile, name: str) -> int:
    return [item["name"] for item in fragile.api.get("join-tokens").json()].count(name)


@pytest.mark.parametrize("lost", [LOST, NEVER], ids=["broken", "never"])
def test_under_an_idempotency_key_what_may_have_been_done_is_never_done_again(
    fragile: Fragile, unique: Callable[[str], str], lost: pb.AnswerLost
) -> None:
    name = unique("t")[-16:]
    key = {"Idempotency-Key": unique("key")}
    with fragile.simulator.faults.during(pb.Rule(method=TOKENS, answer_lost=lost)) as state:
        first = fragile.api.post("join-tokens", json={"name": name}, headers=key)
        assert (first.status_code, state().struck) == (504 if lost.hang else 503, 1)

    for _ in range(2):
        again = fragile.api.post("join-tokens", json={"name": name}, headers=key)
        told = problem(again, 409, "outcome-unknown")
        assert told["retryable"] is False
        assert again.headers["Idempotency-Replayed"] == "true"
    assert tokens(fragile, name) == 1


@pytest.mark.parametrize("rpc", ["CreateServiceAccount", "RenewServiceAccount"])
def test_an_account_whose_answer_was_lost_is_found_by_its_key_which_works(
    fragile: Fragile, unique: Callable[[str], str], rpc: str
) -> None:
    name = unique("sa")
    if rpc == "RenewServiceAccount":
        assert fragile.api.post("auth/service-accounts", json={"id": name, "role": "Reader"}).status_code == 201
    url, body = {
        "CreateServiceAccount": ("auth/service-accounts", {"id": name, "role": "Reader"}),
        "RenewServiceAccount": (f"auth/service-accounts/{name}/actions/renew", {}),
    }[rpc]
    rule = pb.Rule(method=f"management.ManagementService/{rpc}", answer_lost=LOST)
    with fragile.simulator.faults.during(rule) as state:
        answer = fragile.api.post(url, json=body, headers={"Idempotency-Key": unique("key")})
        assert state().struck == 1

    assert answer.status_code in (200, 201), answer.text
    with as_account(fragile.omni.config, answer.json()["key"]) as omni:
        assert omni.resources.list(types.CURRENT_USERS).items
    fragile.api.delete(f"auth/service-accounts/{name}")


def test_what_was_done_but_could_not_be_read_back_is_never_done_again_either(
    fragile: Fragile, unique: Callable[[str], str]
) -> None:
    name = unique("t")[-16:]
    key = {"Idempotency-Key": unique("key")}
    with fragile.simulator.faults.during(pb.Rule(method="*/Get", resource_type="JoinToken*", error=UNAVAILABLE)):
        problem(fragile.api.post("join-tokens", json={"name": name}, headers=key), 503, "omni-unreachable")

    problem(fragile.api.post("join-tokens", json={"name": name}, headers=key), 409, "outcome-unknown")
    assert tokens(fragile, name) == 1


def test_what_was_surely_not_done_may_be_sent_again_under_the_same_key(
    fragile: Fragile, unique: Callable[[str], str], wait_until: Callable[..., Any]
) -> None:
    name = unique("t")[-16:]
    key = {"Idempotency-Key": unique("key")}
    with fragile.simulator.faults.during(pb.Rule(connections=pb.Connections())):
        fragile.api.get("clusters")  # notices that the connection is gone
        wait_until(lambda: fragile.api.get("clusters").status_code == 503)
        problem(fragile.api.post("join-tokens", json={"name": name}, headers=key), 503, "omni-unreachable")

    wait_until(lambda: fragile.api.get("clusters").status_code == 200, 30)
    answer = fragile.api.post("join-tokens", json={"name": name}, headers=key)
    assert answer.status_code == 201, answer.text
    assert tokens(fragile, name) == 1
