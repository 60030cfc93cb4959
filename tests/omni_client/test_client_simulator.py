"""The client against the embedded Omni: signatures that are checked, versions, phases and roles that are kept."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from omni_gateway.omni import OmniClient, OmniConfig, errors
from omni_gateway.simulator.embedded import RunningSimulator
from tests.omni_client.scripted_omni import make_key

CLUSTERS = "Clusters.omni.sidero.dev"
PATCHES = "ConfigPatches.omni.sidero.dev"
TALOS_VERSIONS = "TalosVersions.omni.sidero.dev"


def client_of(simulator: RunningSimulator, key: str) -> OmniClient:
    return OmniClient(OmniConfig(simulator.endpoint, key))


@pytest.fixture
def omni(simulator: RunningSimulator) -> Iterator[OmniClient]:
    with client_of(simulator, simulator.key) as client:
        yield client


@pytest.fixture
def patch_id(omni: OmniClient) -> str:
    """A config patch of this test's own; it targets nothing."""
    name = f"client-{secrets.token_hex(4)}"
    omni.resources.create(PATCHES, name, {"data": "machine: {}\n"}, labels={"client-test": name})
    return name


def test_a_good_key_is_taken(omni: OmniClient) -> None:
    omni.ping()


def test_the_caller_is_who_the_key_says(omni: OmniClient) -> None:
    (me,) = omni.resources.list("CurrentUsers.omni.sidero.dev", "virtual").items
    assert me["spec"]["role"] == "Admin"
    assert me["spec"]["identity"].startswith(omni.identity.name)


def test_a_key_that_omni_does_not_know_is_refused(simulator: RunningSimulator) -> None:
    with client_of(simulator, make_key().text) as stranger, pytest.raises(errors.CredentialRefused):
        stranger.ping()


def test_without_a_key_nothing_but_public_objects_is_read(simulator: RunningSimulator) -> None:
    with client_of(simulator, "") as nobody:
        with pytest.raises(errors.CredentialRefused):
            nobody.ping()
        assert nobody.resources.get("AuthConfigs.omni.sidero.dev", "auth-config")["metadata"]["id"] == "auth-config"


def test_a_readers_key_reads_and_does_not_write(simulator: RunningSimulator) -> None:
    with client_of(simulator, simulator.make_key("Reader")) as reader:
        assert reader.resources.list(TALOS_VERSIONS).total > 0
        with pytest.raises(errors.PermissionDenied):
            reader.resources.create(PATCHES, "mine", {"data": "machine: {}"})


def test_an_object_is_read_as_it_was_written(omni: OmniClient, patch_id: str) -> None:
    read = omni.resources.get(PATCHES, patch_id)
    assert read["spec"] == {"data": "machine: {}\n"}
    assert read["metadata"]["labels"] == {"client-test": patch_id}
    assert (read["metadata"]["version"], read["metadata"]["phase"]) == (1, "running")


def test_what_is_not_there_is_not_found_and_what_is_there_already_exists(omni: OmniClient, patch_id: str) -> None:
    with pytest.raises(errors.NotFound):
        omni.resources.get(PATCHES, "no-such-patch")
    with pytest.raises(errors.AlreadyExists):
        omni.resources.create(PATCHES, patch_id, {"data": "machine: {}"})


def test_an_update_at_the_version_that_was_read_wins_and_at_an_older_one_is_stale(
    omni: OmniClient, patch_id: str
) -> None:
    first = omni.resources.get(PATCHES, patch_id)
    omni.resources.update({**first, "spec": {"data": "cluster: {}"}}, version=first["metadata"]["version"])
    with pytest.raises(errors.StaleVersion):
        omni.resources.update(first, version=first["metadata"]["version"])
    assert omni.resources.get(PATCHES, patch_id)["spec"] == {"data": "cluster: {}"}


def test_an_update_without_a_version_writes_over_whatever_is_there(omni: OmniClient, patch_id: str) -> None:
    first = omni.resources.get(PATCHES, patch_id)
    omni.resources.update(first, version=1)
    omni.resources.update(first, version=None)
    assert omni.resources.get(PATCHES, patch_id)["metadata"]["version"] == 3


def test_finalizers_survive_an_update(omni: OmniClient, patch_id: str) -> None:
    read = omni.resources.get(PATCHES, patch_id)
    read["metadata"]["finalizers"] = ["client-test"]
    omni.resources.update(read, version=1)
    held = omni.resources.get(PATCHES, patch_id)
    omni.resources.update(held, version=2)
    assert omni.resources.get(PATCHES, patch_id)["metadata"]["finalizers"] == ["client-test"]


def test_a_torn_down_object_goes_when_nothing_holds_it(
    omni: OmniClient, patch_id: str, wait_until: Callable[..., Any]
) -> None:
    omni.resources.teardown(PATCHES, patch_id)
    wait_until(lambda: omni.resources.list(PATCHES, selectors=[f"client-test={patch_id}"]).total == 0)


def test_deleting_waits_for_the_finalizers_until_the_deadline(omni: OmniClient, patch_id: str) -> None:
    read = omni.resources.get(PATCHES, patch_id)
    read["metadata"]["finalizers"] = ["client-test"]
    omni.resources.update(read, version=1)
    with pytest.raises(errors.DeadlineExceeded):
        omni.resources.delete(PATCHES, patch_id, timeout=0.3)
    assert omni.resources.get(PATCHES, patch_id)["metadata"]["phase"] == "tearingDown"


def test_a_list_is_selected_sorted_and_cut_by_omni(omni: OmniClient) -> None:
    mine = secrets.token_hex(4)
    for letter in "cab":
        labels = {"client-list": mine, "letter": letter}
        omni.resources.create(PATCHES, f"{letter}-{mine}", {"data": "machine: {}"}, labels=labels)
    page = omni.resources.list(
        PATCHES, sort_by="id", descending=True, limit=2, selectors=[f"client-list = {mine}, letter in (a, b, c)"]
    )
    assert [item["metadata"]["id"] for item in page.items] == [f"c-{mine}", f"b-{mine}"]
    assert page.total == 3
    assert omni.resources.list(PATCHES, search=[f"a-{mine}"]).total == 1
    either = omni.resources.list(PATCHES, selectors=[f"client-list={mine},letter=a", f"client-list={mine},letter=b"])
    assert either.total == 2


def test_a_watch_starts_with_what_is_there_and_goes_on_with_what_happens(omni: OmniClient, patch_id: str) -> None:
    with omni.resources.watch(PATCHES, selectors=[f"client-test={patch_id}"]) as watch:
        assert next(watch).kind == "created"
        assert next(watch).kind == "bootstrapped"
        read = omni.resources.get(PATCHES, patch_id)
        omni.resources.update({**read, "spec": {"data": "cluster: {}"}}, version=1)
        changed = next(watch)
    assert changed.kind == "updated"
    assert changed.resource is not None and changed.resource["spec"] == {"data": "cluster: {}"}
    assert changed.old is not None and changed.old["spec"] == {"data": "machine: {}\n"}


@pytest.fixture
def held_token(omni: OmniClient, simulator: RunningSimulator) -> Iterator[tuple[str, str, str]]:
    """A join token that somebody holds; of these Omni never destroys one that is torn down by itself."""
    token = omni.management.create_join_token(f"client-{secrets.token_hex(4)}")
    key = ("default", "JoinTokens.omni.sidero.dev", token)
    simulator.store.add_finalizer(key, "client-test")
    yield key
    if simulator.store.peek(*key) is not None:
        simulator.store.remove_finalizer(key, "client-test")


def test_what_somebody_holds_goes_once_it_is_let_go_though_nobody_asks_again(
    omni: OmniClient, simulator: RunningSimulator, held_token: tuple[str, str, str], wait_until: Callable[..., Any]
) -> None:
    started = time.monotonic()
    omni.resources.remove(held_token[1], held_token[2])
    assert time.monotonic() - started < 10  # for who waits, the call stays open for minutes
    assert simulator.store.peek(*held_token).phase == "tearingDown"

    simulator.store.remove_finalizer(held_token, "client-test")

    wait_until(lambda: simulator.store.peek(*held_token) is None, what="the end of the token")


def test_removals_that_wait_in_omni_are_bounded_and_end_with_the_client(
    simulator: RunningSimulator, held_token: tuple[str, str, str], wait_until: Callable[..., Any]
) -> None:
    with client_of(simulator, simulator.key) as client:
        unawaited = client._holder.unawaited
        for _ in range(unawaited.MOST + 1):
            client.resources.remove(held_token[1], held_token[2])
        assert not unawaited.enter()
    wait_until(unawaited.enter, what="room for another removal")
