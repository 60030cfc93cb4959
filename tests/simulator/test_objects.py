"""What the simulator's ResourceService does that no conformance case states."""

from __future__ import annotations

import json

import grpc
import pytest

from omni_gateway.simulator.state.resource import Resource
from omni_gateway.simulator.state.store import Store
from omni_gateway.stubs import resources_pb2 as pb
from tests.simulator.caller import LABEL, Caller, denied, invalid, missing, refused, unknown

PATCH = {"data": "machine: {}"}
TYPE = "ConfigPatches.omni.sidero.dev"


@pytest.mark.parametrize("runtime", ["omni", "Docker"])
def test_a_runtime_that_there_is_not_is_invalid(admin: Caller, runtime: str) -> None:
    with invalid("runtime"):
        list_of_runtime(admin, runtime)


@pytest.mark.parametrize("runtime", ["Talos", "Kubernetes"])
def test_there_is_nothing_behind_other_runtimes(admin: Caller, runtime: str) -> None:
    with refused(grpc.StatusCode.UNIMPLEMENTED):
        list_of_runtime(admin, runtime)


def list_of_runtime(admin: Caller, runtime: str) -> None:
    assert admin.signer is not None
    signed = admin.signer.metadata("/omni.resources.ResourceService/List", [("runtime", runtime)])
    admin.stub.List(pb.ListRequest(type="Clusters.omni.sidero.dev"), metadata=signed)


def test_a_denial_names_what_else_is_wrong(reader: Caller) -> None:
    with denied("Talos version is missing"):
        reader.create("Clusters", "c", {})


# -- the end of an object


def test_a_held_object_stays_until_it_is_let_go(admin: Caller, store: Store, name: str, wait_until) -> None:
    admin.create("ConfigPatches", name, PATCH, finalizers=["Holder"])
    admin.teardown("ConfigPatches", name)
    assert store.find("default", TYPE, name)

    store.remove_finalizer(("default", TYPE, name), "Holder")

    wait_until(lambda: store.find("default", TYPE, name) is None)


def test_a_delete_waits_until_the_object_is_free(admin: Caller, store: Store, name: str, wait_until) -> None:
    key = ("default", TYPE, name)
    admin.create("ConfigPatches", name, PATCH, finalizers=["Holder"])
    request = pb.DeleteRequest(namespace="default", type=TYPE, id=name)
    ending = admin.stub.Delete.future(request, metadata=admin.metadata("Delete"), timeout=10)
    wait_until(lambda: store.get(*key).phase == "tearingDown")
    assert not ending.done()

    store.remove_finalizer(key, "Holder")

    # Whoever destroys it first: the object is gone, and the loser of the race says that there is nothing.
    assert ending.exception() is None or ending.code() is grpc.StatusCode.NOT_FOUND
    assert store.find(*key) is None


# -- lists


@pytest.fixture(scope="module")
def colours(admin: Caller) -> list[str]:
    names = ["l-blue", "l-cyan", "l-green", "l-red"]
    for name in names:
        admin.create("MachineLabels", name)
    return names


def colours_of(caller: Caller, **page: object) -> list[str]:
    return caller.ids("MachineLabels", search_for=["l-"], **page)


def test_a_list_comes_in_the_order_of_ids(reader: Caller, colours: list[str]) -> None:
    assert colours_of(reader) == colours
    assert colours_of(reader, offset=-1) == colours


@pytest.mark.parametrize("field", ["created", "version"])
def test_a_list_is_sorted_by_what_all_objects_have(reader: Caller, colours: list[str], field: str) -> None:
    assert colours_of(reader, sort_by_field=field) == colours
    assert set(colours_of(reader, sort_by_field=field, sort_descending=True)) == set(colours)


def test_a_list_is_sorted_by_a_field_of_the_spec(reader: Caller) -> None:
    items, _ = reader.list("MachineStatuses", sort_by_field="management_address", sort_descending=True)
    addresses = [item["spec"]["management_address"] for item in items]

    assert addresses == sorted(addresses, reverse=True)


def test_what_is_no_selector_is_unknown(reader: Caller) -> None:
    with unknown():
        reader.list("Clusters", "a b c")


def test_a_search_narrows_a_watch(admin: Caller, reader: Caller, name: str) -> None:
    for fruit in ("apple", "pear"):
        admin.create("MachineLabels", fruit, namespace=f"ns-{name}")
    with reader.watch("MachineLabels", namespace=f"ns-{name}", search_for=["pea"]) as events:
        assert events.kinds(2) == ["created pear", "bootstrapped"]


# -- objects that are computed


def test_everybody_learns_what_they_may(reader: Caller, admin: Caller) -> None:
    allowed = reader.list("Permissions", namespace="virtual")[0][0]["spec"]

    assert allowed["can_read_clusters"] is True
    assert "can_create_clusters" not in allowed
    assert admin.get("Permissions", "permissions", namespace="virtual")["spec"]["can_read_audit_log"] is True


def test_permissions_on_a_cluster_are_told_even_if_there_is_none(reader: Caller) -> None:
    allowed = reader.get("ClusterPermissions", "nowhere", namespace="virtual")["spec"]

    assert allowed["can_download_kubeconfig"] is True
    assert "can_add_machines" not in allowed


def test_labels_are_completed_from_what_is_there(reader: Caller) -> None:
    completions = reader.get("LabelsCompletions", "MachineStatuses.omni.sidero.dev", namespace="virtual")

    assert completions["spec"]["items"][f"{LABEL}arch"]["items"] == ["amd64"]


# -- etcd backups, which are found by their cluster only


@pytest.fixture(scope="module")
def backup(sim) -> str:
    store: Store = sim.store
    store.create(Resource("default", "Clusters.omni.sidero.dev", "kept", {"talos_version": "1.13.7"}))
    labels = {f"{LABEL}cluster": "kept"}
    spec = {"created_at": "2026-11-23T19:27:23Z", "snapshot": "FFFFFFFF94FB6C65.snapshot", "size": 532916}
    store.create(Resource("external", "EtcdBackups.omni.sidero.dev", "kept-1795462043", spec, labels))
    return "kept-1795462043"


@pytest.mark.parametrize("selector", [f"{LABEL}cluster", f"{LABEL}cluster!=kept"])
def test_backups_are_listed_by_a_clusters_name_only(reader: Caller, backup: str, selector: str) -> None:
    with unknown():
        reader.list("EtcdBackups", selector, namespace="external")


def test_a_backup_is_read_by_its_id(reader: Caller, backup: str) -> None:
    assert reader.get("EtcdBackups", backup, namespace="external")["spec"]["snapshot"].endswith(".snapshot")
    with missing():
        reader.get("EtcdBackups", "kept-1", namespace="external")


# -- the simulator's own


def test_a_fault_of_the_simulator_is_unknown_and_tells_nothing(admin: Caller, store: Store, name: str) -> None:
    broken = Resource("default", TYPE, name, {"secret_colour": "red"})
    store.create(broken)
    with pytest.raises(grpc.RpcError) as failure:
        admin.get("ConfigPatches", name)
    store.destroy(*broken.key)

    assert failure.value.code() is grpc.StatusCode.UNKNOWN
    assert "colour" not in failure.value.details()


def test_the_text_of_an_object_is_made_once_per_version(admin: Caller, store: Store, name: str) -> None:
    admin.create("ConfigPatches", name, PATCH)
    first = admin.get("ConfigPatches", name)
    stored = store.peek("default", TYPE, name)

    assert stored is not None
    assert json.loads(stored.wire_text or "") == first
    admin.update(first)
    assert admin.get("ConfigPatches", name)["metadata"]["version"] == 2


def test_anybody_may_accept_the_licence_once(anonymous: Caller) -> None:
    assert anonymous.ids("EulaAcceptances") == []

    anonymous.create("EulaAcceptances", "eula", {"accepted_by_name": "A", "accepted_by_email": "a@example.org"})

    assert anonymous.ids("EulaAcceptances") == ["eula"]
