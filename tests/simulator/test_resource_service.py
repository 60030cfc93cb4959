"""Reading and writing objects over ResourceService: shapes, versions, phases, pages."""

from __future__ import annotations

import json

import grpc
import pytest

from omni_gateway.simulator.state.resource import Resource
from omni_gateway.simulator.state.store import Store
from omni_gateway.stubs import resources_pb2 as pb
from omni_gateway.stubs import resources_pb2_grpc as pb_grpc
from tests.simulator.caller import (
    LABEL,
    Caller,
    denied,
    exists,
    invalid,
    missing,
    never_made,
    refused,
    unauthenticated,
    unknown,
)

PATCH = {"data": "machine: {}"}


def test_an_object_has_omnis_json_shape(admin: Caller, store: Store, name: str) -> None:
    admin.create("ConfigPatches", name, PATCH, labels={"a": "b"}, annotations={"name": "n"}, finalizers=["Holder"])

    read = admin.get("ConfigPatches", name)

    created = read["metadata"].pop("created")
    assert read == {
        "metadata": {
            "namespace": "default",
            "type": "ConfigPatches.omni.sidero.dev",
            "id": name,
            "version": 1,
            "owner": "",
            "phase": "running",
            "updated": "0001-01-01T00:00:00Z",
            "labels": {"a": "b"},
            "annotations": {"name": "n"},
            "finalizers": ["Holder"],
        },
        "spec": {"data": "machine: {}"},
    }
    assert len(created) == len("2026-11-23T19:08:34Z")


def test_an_object_without_labels_has_no_key_for_them(admin: Caller, name: str) -> None:
    admin.create("ConfigPatches", name, PATCH)

    assert not admin.get("ConfigPatches", name)["metadata"].keys() & {"labels", "annotations", "finalizers"}


@pytest.mark.parametrize("metadata", [[], [("runtime", "omni")], [("runtime", "Docker")]])
def test_the_runtime_must_be_named(admin: Caller, metadata: list[tuple[str, str]]) -> None:
    assert admin.signer is not None
    signed = admin.signer.metadata("/omni.resources.ResourceService/List", metadata)
    with invalid("runtime"):
        admin.stub.List(pb.ListRequest(type="Clusters.omni.sidero.dev"), metadata=signed)


@pytest.mark.parametrize("runtime", ["Talos", "Kubernetes"])
def test_there_is_nothing_behind_other_runtimes(admin: Caller, runtime: str) -> None:
    assert admin.signer is not None
    signed = admin.signer.metadata("/omni.resources.ResourceService/List", [("runtime", runtime)])
    with refused(grpc.StatusCode.UNIMPLEMENTED):
        admin.stub.List(pb.ListRequest(type="Clusters.omni.sidero.dev"), metadata=signed)


def test_what_is_missing_is_not_found(admin: Caller, reader: Caller) -> None:
    with missing():
        reader.get("Clusters", "nowhere")
    with missing():
        admin.update(
            {"metadata": {"namespace": "default", "type": "ConfigPatches", "id": "x", "version": 1}, "spec": {}}
        )
    with missing():
        admin.teardown("ConfigPatches", "x")
    with missing():
        admin.delete("ConfigPatches", "x")


def test_the_wrong_namespace_is_empty_but_no_error(admin: Caller) -> None:
    assert admin.list("MachineStatuses", namespace="ephemeral") == ([], 0)
    with missing():
        admin.get("FeaturesConfigs", "features-config", namespace="ephemeral")


# -- create


@pytest.mark.parametrize("version", ["7", "undefined", "1"])
def test_a_new_object_is_version_1_whatever_is_sent(admin: Caller, name: str, version: str) -> None:
    admin.create("ConfigPatches", name, PATCH, version=version)

    assert admin.get("ConfigPatches", name)["metadata"]["version"] == 1


def test_an_id_is_taken_once_but_a_bad_spec_counts_first(admin: Caller, name: str) -> None:
    admin.create("ConfigPatches", name, PATCH)
    with exists():
        admin.create("ConfigPatches", name, PATCH)
    with invalid():
        admin.create("ConfigPatches", name, {"data": ""})


def test_what_is_no_spec_of_the_type_is_unknown(admin: Caller, name: str) -> None:
    for spec in ({"colour": "red"}, "no JSON", "[]"):
        with unknown():
            admin.create("ConfigPatches", name, spec)


@pytest.mark.parametrize("metadata", [{"owner": "Somebody"}, {"version": "one"}])
def test_malformed_metadata_is_unknown(admin: Caller, name: str, metadata: dict[str, str]) -> None:
    with unknown():
        admin.create("ConfigPatches", name, PATCH, **metadata)


def test_any_namespace_will_do_to_write_in(admin: Caller, name: str) -> None:
    admin.create("ConfigPatches", name, PATCH, namespace="invented")

    assert admin.ids("ConfigPatches", namespace="invented") == [name]


@pytest.mark.parametrize(
    "metadata",
    [
        {"labels": {f"k{number}": "" for number in range(257)}},
        {"labels": {"": "x"}},
        {"labels": {"k" * 1025: "x"}},
        {"annotations": {"k": "v" * 16385}},
        {"annotations": {"k": "two\nlines"}},
    ],
    ids=["too many", "no key", "long key", "long value", "newline"],
)
def test_labels_and_annotations_have_limits(admin: Caller, name: str, metadata: dict[str, dict[str, str]]) -> None:
    with invalid():
        admin.create("ConfigPatches", name, PATCH, **metadata)


@pytest.mark.parametrize("id_", ["", "i" * 1025, "two\nlines"], ids=["empty", "long", "newline"])
def test_ids_have_limits(admin: Caller, id_: str) -> None:
    with invalid():
        admin.create("ConfigPatches", id_, PATCH)


def test_all_problems_come_together_and_the_role_counts_most(admin: Caller, reader: Caller) -> None:
    with invalid("backup interval", "Kubernetes version is missing", "Talos version is missing"):
        admin.create("Clusters", "c", {"backup_configuration": {}})
    with denied("Talos version is missing"):
        reader.create("Clusters", "c", {})


# -- update


def test_an_update_raises_the_version_even_if_nothing_changes(admin: Caller, name: str) -> None:
    admin.create("ConfigPatches", name, PATCH)

    admin.update(admin.get("ConfigPatches", name))

    metadata = admin.get("ConfigPatches", name)["metadata"]
    assert metadata["version"] == 2
    assert metadata["updated"] >= metadata["created"]


def test_an_update_replaces_everything(admin: Caller, name: str) -> None:
    admin.create("ConfigPatches", name, PATCH, labels={"a": "b"}, finalizers=["Holder"])
    read = admin.get("ConfigPatches", name)
    for field in ("labels", "finalizers"):
        del read["metadata"][field]

    admin.update(read)

    assert not admin.get("ConfigPatches", name)["metadata"].keys() & {"labels", "finalizers"}


def test_a_stale_version_is_told_as_already_exists(admin: Caller, name: str) -> None:
    admin.create("ConfigPatches", name, PATCH)
    read = admin.get("ConfigPatches", name)
    admin.update(read)
    with exists():
        admin.update(read)


def test_an_undefined_version_wins_over_any(admin: Caller, name: str) -> None:
    admin.create("ConfigPatches", name, PATCH)
    read = admin.get("ConfigPatches", name)
    admin.update(read)

    admin.update(read, version="undefined")

    assert admin.get("ConfigPatches", name)["metadata"]["version"] == 3


def test_a_bad_spec_counts_before_a_stale_version(admin: Caller, name: str) -> None:
    admin.create("ConfigPatches", name, PATCH)
    read = admin.get("ConfigPatches", name)
    with invalid():
        admin.update({**read, "spec": {"data": ""}}, version="9")


def test_a_reader_is_refused_before_anything_is_looked_up(reader: Caller, name: str) -> None:
    with denied():
        reader.update(never_made("ConfigPatches", name))
    with denied():
        reader.teardown("ConfigPatches", name)


def test_what_a_controller_owns_is_not_a_callers_to_change(admin: Caller, store: Store, name: str) -> None:
    patch = Resource("default", "ConfigPatches.omni.sidero.dev", name, dict(PATCH))
    store.create(patch, owner="SomeController")
    with denied():
        admin.update(admin.get("ConfigPatches", name))
    with denied():
        admin.teardown("ConfigPatches", name)


def test_an_object_that_is_tearing_down_is_not_written_to(admin: Caller, name: str) -> None:
    admin.create("ConfigPatches", name, PATCH, finalizers=["Holder"])
    admin.teardown("ConfigPatches", name)
    assert admin.get("ConfigPatches", name)["metadata"]["phase"] == "tearingDown"

    with invalid("not in phase running"):
        admin.update(admin.get("ConfigPatches", name))
    with exists():
        admin.update(admin.get("ConfigPatches", name), version="1")


# -- the end of an object


def test_a_torn_down_object_that_nobody_holds_vanishes(admin: Caller, store: Store, name: str, wait_until) -> None:
    admin.create("ConfigPatches", name, PATCH)

    admin.teardown("ConfigPatches", name)

    wait_until(lambda: store.find("default", "ConfigPatches.omni.sidero.dev", name) is None)


def test_a_held_object_stays_until_it_is_let_go(admin: Caller, store: Store, name: str, wait_until) -> None:
    key = ("default", "ConfigPatches.omni.sidero.dev", name)
    admin.create("ConfigPatches", name, PATCH, finalizers=["Holder"])
    admin.teardown("ConfigPatches", name)
    admin.teardown("ConfigPatches", name)
    assert admin.get("ConfigPatches", name)["metadata"]["version"] == 2

    store.remove_finalizer(key, "Holder")

    wait_until(lambda: store.find(*key) is None)


def test_a_delete_waits_until_the_object_is_free(admin: Caller, store: Store, name: str, wait_until) -> None:
    key = ("default", "ConfigPatches.omni.sidero.dev", name)
    admin.create("ConfigPatches", name, PATCH, finalizers=["Holder"])
    request = pb.DeleteRequest(namespace="default", type=key[1], id=name)
    ending = admin.stub.Delete.future(request, metadata=admin.metadata("Delete"), timeout=10)
    wait_until(lambda: store.get(*key).phase == "tearingDown")
    assert not ending.done()

    store.remove_finalizer(key, "Holder")

    # Whoever destroys it first: the object is gone, and the loser of the race says that there is nothing.
    assert ending.exception() is None or ending.code() is grpc.StatusCode.NOT_FOUND
    assert store.find(*key) is None


def test_a_delete_that_takes_too_long_leaves_the_object_tearing_down(admin: Caller, store: Store, name: str) -> None:
    admin.create("ConfigPatches", name, PATCH, finalizers=["Holder"])
    with refused(grpc.StatusCode.DEADLINE_EXCEEDED):
        admin.delete("ConfigPatches", name, timeout=0.2)

    assert store.get("default", "ConfigPatches.omni.sidero.dev", name).phase == "tearingDown"


def test_a_join_token_goes_by_delete_only(admin: Caller, store: Store, name: str) -> None:
    token = Resource("default", "JoinTokens.omni.sidero.dev", name, {"name": "mine"})
    store.create(token)
    admin.teardown("JoinTokens", name)
    assert admin.get("JoinTokens", name)["metadata"]["phase"] == "tearingDown"

    admin.delete("JoinTokens", name)

    with missing():
        admin.get("JoinTokens", name)


# -- lists


@pytest.fixture(scope="module")
def colours(admin: Caller) -> list[str]:
    names = ["blue", "cyan", "green", "red"]
    for number, colour in enumerate(names):
        admin.create("MachineLabels", f"l-{colour}", labels={"colour": colour, "number": str(number)})
    return [f"l-{colour}" for colour in names]


def colours_of(caller: Caller, *selectors: str, **page: object) -> list[str]:
    return caller.ids("MachineLabels", *selectors, search_for=["l-"], **page)


def test_a_list_is_one_message_in_the_order_of_ids(reader: Caller, colours: list[str]) -> None:
    items, total = reader.list("MachineLabels", search_for=["l-"])

    assert [item["metadata"]["id"] for item in items] == colours
    assert total == 4


def test_a_page_of_a_list_still_tells_the_total(reader: Caller, colours: list[str]) -> None:
    items, total = reader.list("MachineLabels", search_for=["l-"], offset=1, limit=2)

    assert ([item["metadata"]["id"] for item in items], total) == (colours[1:3], 4)


@pytest.mark.parametrize(("offset", "limit", "count"), [(9, 2, 0), (0, -1, 4), (3, 9, 1), (-1, 0, 4)])
def test_the_edges_of_a_list(reader: Caller, colours: list[str], offset: int, limit: int, count: int) -> None:
    assert len(colours_of(reader, offset=offset, limit=limit)) == count


@pytest.mark.parametrize("field", ["id", "created", "version"])
def test_a_list_is_sorted_by_what_all_objects_have(reader: Caller, colours: list[str], field: str) -> None:
    assert colours_of(reader, sort_by_field=field) == colours
    assert set(colours_of(reader, sort_by_field=field, sort_descending=True)) == set(colours)


def test_a_list_is_sorted_backwards(reader: Caller, colours: list[str]) -> None:
    assert colours_of(reader, sort_by_field="id", sort_descending=True) == colours[::-1]


def test_a_list_is_sorted_by_a_field_of_the_spec(reader: Caller) -> None:
    items, _ = reader.list("MachineStatuses", sort_by_field="management_address", sort_descending=True)
    addresses = [item["spec"]["management_address"] for item in items]

    assert addresses == sorted(addresses, reverse=True)


def test_sorting_by_what_an_object_lacks_is_unknown(reader: Caller, colours: list[str]) -> None:
    with unknown():
        colours_of(reader, sort_by_field="colour")


@pytest.mark.parametrize(
    ("selectors", "found"),
    [
        (["colour=red"], ["l-red"]),
        (["colour in (red, blue)"], ["l-blue", "l-red"]),
        (["colour!=red,number>0"], ["l-cyan", "l-green"]),
        (["colour=red", "colour=cyan"], ["l-cyan", "l-red"]),
        (["!colour"], []),
    ],
)
def test_a_list_by_labels(reader: Caller, colours: list[str], selectors: list[str], found: list[str]) -> None:
    assert colours_of(reader, *selectors) == found


def test_what_is_no_selector_is_unknown(reader: Caller) -> None:
    with unknown():
        reader.list("Clusters", "a b c")


def test_a_search_finds_parts_of_ids_any_of_them(reader: Caller, colours: list[str]) -> None:
    assert reader.ids("MachineLabels", search_for=["l-re", "l-gr"]) == ["l-green", "l-red"]


def test_a_large_object_fits(admin: Caller, name: str) -> None:
    content = "machine:\n  files:\n    - path: /x\n      content: " + "y" * 3_000_000

    admin.create("ConfigPatches", name, {"data": content})

    assert admin.get("ConfigPatches", name)["spec"]["data"] == content


def test_a_request_that_is_too_large_is_refused(admin: Caller, name: str) -> None:
    with refused(grpc.StatusCode.RESOURCE_EXHAUSTED):
        admin.create("ConfigPatches", name, {"data": "x" * (33 * 1024 * 1024)})


# -- what is computed


def test_everybody_learns_who_they_are_and_what_they_may(reader: Caller, admin: Caller) -> None:
    user = reader.get("CurrentUsers", "current", namespace="virtual")["spec"]
    allowed = reader.list("Permissions", namespace="virtual")[0][0]["spec"]

    assert user["role"] == "Reader"
    assert allowed["can_read_clusters"] is True
    assert "can_create_clusters" not in allowed
    assert admin.get("Permissions", "permissions", namespace="virtual")["spec"]["can_read_audit_log"] is True


def test_permissions_on_a_cluster_are_told_even_if_there_is_none(reader: Caller) -> None:
    allowed = reader.get("ClusterPermissions", "nowhere", namespace="virtual")["spec"]

    assert allowed["can_download_kubeconfig"] is True
    assert "can_add_machines" not in allowed
    with refused(grpc.StatusCode.UNIMPLEMENTED):
        reader.list("ClusterPermissions", namespace="virtual")


def test_labels_are_completed_from_what_is_there(reader: Caller) -> None:
    completions = reader.get("LabelsCompletions", "MachineStatuses.omni.sidero.dev", namespace="virtual")

    assert completions["spec"]["items"][f"{LABEL}arch"]["items"] == ["amd64"]


@pytest.mark.parametrize("method", ["Controllers", "DependencyGraph"])
def test_what_omni_does_not_answer_either(channel: grpc.Channel, admin: Caller, method: str) -> None:
    request = getattr(pb, f"{method}Request")()
    with refused(grpc.StatusCode.UNIMPLEMENTED):
        getattr(pb_grpc.ResourceServiceStub(channel), method)(request, metadata=admin.metadata(method))


def test_a_fault_of_the_simulator_is_unknown_and_tells_nothing(admin: Caller, store: Store, name: str) -> None:
    broken = Resource("default", "ConfigPatches.omni.sidero.dev", name, {"secret_colour": "red"})
    store.create(broken)
    with pytest.raises(grpc.RpcError) as failure:
        admin.get("ConfigPatches", name)
    store.destroy(*broken.key)

    assert failure.value.code() is grpc.StatusCode.UNKNOWN
    assert "colour" not in failure.value.details()


def test_every_object_of_the_fleet_has_a_json_form(admin: Caller, store: Store) -> None:
    for type_ in ("MachineStatuses", "Links", "MachineStatusSnapshots"):
        assert len(admin.ids(type_)) == 4
    with unauthenticated():
        Caller(admin.channel, None).list("MachineStatuses")


# -- etcd backups, which are found by their cluster only


@pytest.fixture(scope="module")
def backup(sim) -> str:
    store: Store = sim.store
    store.create(Resource("default", "Clusters.omni.sidero.dev", "kept", {"talos_version": "1.13.7"}))
    labels = {f"{LABEL}cluster": "kept"}
    spec = {"created_at": "2026-11-23T19:27:23Z", "snapshot": "FFFFFFFF94FB6C65.snapshot", "size": 532916}
    store.create(Resource("external", "EtcdBackups.omni.sidero.dev", "kept-1795462043", spec, labels))
    return "kept-1795462043"


def test_backups_are_listed_by_cluster(reader: Caller, backup: str) -> None:
    items, _ = reader.list("EtcdBackups", f"{LABEL}cluster = kept", namespace="external")

    assert items[0]["metadata"]["id"] == backup
    assert items[0]["spec"]["size"] == "532916"


@pytest.mark.parametrize("selectors", [[], ["a=b"], [f"{LABEL}cluster"], [f"{LABEL}cluster!=kept"]])
def test_backups_are_listed_no_other_way(reader: Caller, backup: str, selectors: list[str]) -> None:
    with unknown():
        reader.list("EtcdBackups", *selectors, namespace="external")


def test_backups_of_an_unknown_cluster_are_not_found(reader: Caller) -> None:
    with missing():
        reader.list("EtcdBackups", f"{LABEL}cluster=nowhere", namespace="external")


def test_a_backup_is_read_by_its_id(reader: Caller, backup: str) -> None:
    assert reader.get("EtcdBackups", backup, namespace="external")["spec"]["snapshot"].endswith(".snapshot")
    with missing():
        reader.get("EtcdBackups", "kept-1", namespace="external")
    with unknown():
        reader.get("EtcdBackups", "nodash", namespace="external")


def test_the_text_of_an_object_is_made_once_per_version(admin: Caller, store: Store, name: str) -> None:
    admin.create("ConfigPatches", name, PATCH)
    first = admin.get("ConfigPatches", name)
    stored = store.peek("default", "ConfigPatches.omni.sidero.dev", name)

    assert stored is not None
    assert json.loads(stored.wire_text or "") == first
    admin.update(first)
    assert admin.get("ConfigPatches", name)["metadata"]["version"] == 2
