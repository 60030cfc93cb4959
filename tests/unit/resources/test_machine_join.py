"""One machine out of Omni's Machine, MachineStatus, MachineSetNode and ExtensionsConfiguration."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from omni_gateway.model import label_names
from omni_gateway.sdk import Resource
from omni_gateway.sdk.omni import types
from resources.machine.join import Machine, join, own_extensions
from resources.machine.schemas.machine import MachineSchema

ID = "m1"
_schema = MachineSchema()


def machine(**spec: Any) -> Resource:
    return Resource(ID, {"connected": True, "management_address": "fd00::1", **spec}, type=types.MACHINES)


def status(labels: dict[str, str] | None = None, **spec: Any) -> Resource:
    return Resource(ID, {"network": {"hostname": "talos-1"}, **spec}, labels or {}, type=types.MACHINE_STATUSES)


def node(machine_set: str = "c1-workers", *, locked: bool = False) -> Resource:
    labels = {label_names.LABEL_CLUSTER: "c1", label_names.LABEL_MACHINE_SET: machine_set}
    return Resource(ID, {}, labels, {label_names.ANNOTATION_LOCKED: ""} if locked else {}, type=types.MACHINE_SET_NODES)


def extensions(*listed: str, id: str = "x", cluster: str = "c1", machine: str = ID) -> Resource:
    labels = {label_names.LABEL_CLUSTER: cluster, label_names.LABEL_CLUSTER_MACHINE: machine}
    return Resource(id, {"extensions": list(listed)} if listed else {}, labels)


def shown(joined: Machine) -> dict[str, Any]:
    return _schema.render_spec(joined.spec)


def test_a_machine_that_has_not_reported_is_there_with_what_is_known() -> None:
    joined = join(machine(), None, None, None)
    document = shown(joined)
    assert (document["connected"], document["management_address"]) == (True, "fd00::1")
    assert (document["hostname"], document["talos_version"], document["role"]) == ("", "", "NONE")
    assert (joined.labels, joined.cluster, joined.is_control_plane) == ({}, "", False)


def test_the_machine_knows_better_than_its_status_whether_it_is_connected() -> None:
    gone = machine()
    del gone.spec["connected"]
    assert shown(join(gone, status(connected=True), None, None))["connected"] is False


def test_labels_are_the_status_s() -> None:
    assert join(machine(), status({"rack": "r1"}), None, None).labels == {"rack": "r1"}


def test_a_free_machine_has_no_lock_and_its_maintenance_is_talos_s() -> None:
    document = shown(join(machine(), status(maintenance=True), None, None))
    assert (document["locked"], document["maintenance"]) == (None, True)


def test_the_maintenance_of_a_member_is_its_lock() -> None:
    for locked in (True, False):
        document = shown(join(machine(), status(maintenance=True), node(locked=locked), None))
        assert (document["locked"], document["maintenance"]) == (locked, locked)


def test_no_extensions_of_its_own_is_not_the_same_as_none() -> None:
    assert shown(join(machine(), status(), node(), None))["extensions"] is None
    assert shown(join(machine(), status(), node(), extensions()))["extensions"] == []
    assert shown(join(machine(), status(), node(), extensions("a", "b")))["extensions"] == ["a", "b"]


def test_a_control_plane_is_known_by_its_set() -> None:
    assert join(machine(), status(), node("c1-control-planes"), None).is_control_plane
    assert not join(machine(), status(), node("c1-workers"), None).is_control_plane


def test_of_several_lists_for_a_machine_the_highest_id_counts() -> None:
    first, last = extensions("a", id="100"), extensions("b", id="200")
    assert own_extensions([last, first]) == {("c1", ID): last}


def test_lists_that_are_going_or_are_for_more_than_a_machine_do_not_count() -> None:
    going = replace(extensions("a"), phase="tearingDown")
    for_a_set = Resource("s", {}, {label_names.LABEL_CLUSTER: "c1", label_names.LABEL_MACHINE_SET: "c1-workers"})
    assert own_extensions([going, for_a_set]) == {}


VERSIONS = st.integers(1, 1000)
PART = st.one_of(st.none(), st.integers(1, 40))


def joined_at(lasting: tuple[int, int], passing: tuple[int | None, int | None]) -> Machine:
    parts = [
        replace(part, version=version) if version is not None else None
        for part, version in zip((node(), extensions("a")), passing, strict=True)
    ]
    return join(replace(machine(), version=lasting[0]), replace(status(), version=lasting[1]), *parts)


@given(
    lasting=st.tuples(VERSIONS, VERSIONS),
    passing=st.tuples(PART, PART),
    more=st.integers(1, 50),
    then=st.tuples(PART, PART),
)
def test_whatever_comes_or_goes_a_later_machine_or_status_has_a_greater_version(
    lasting: tuple[int, int],
    passing: tuple[int | None, int | None],
    more: int,
    then: tuple[int | None, int | None],
) -> None:
    before = joined_at(lasting, passing)
    after = joined_at((lasting[0], lasting[1] + more), then)
    assert after.version > before.version


@given(lasting=st.tuples(VERSIONS, VERSIONS), version=st.integers(1, 4000))
def test_a_write_to_the_lock_changes_the_version(lasting: tuple[int, int], version: int) -> None:
    assert joined_at(lasting, (version, None)).version != joined_at(lasting, (version + 1, None)).version


@given(st.dictionaries(st.sampled_from(["talos_version", "cluster", "last_error"]), st.text(max_size=5)))
def test_the_join_keeps_what_the_status_says_and_leaves_the_parts_alone(said: dict[str, str]) -> None:
    part = status(**said)
    before = dict(part.spec)
    joined = join(machine(), part, None, None)
    assert {key: joined.spec[key] for key in said} == said
    assert part.spec == before


SPECS = st.fixed_dictionaries(
    {},
    optional={
        "talos_version": st.just("v1.13.7"),
        "hardware": st.fixed_dictionaries(
            {},
            optional={
                "processors": st.lists(st.just({"core_count": 4}), max_size=2),
                "memory_modules": st.lists(st.just({"size_mb": 1024}), max_size=2),
                "blockdevices": st.lists(st.sampled_from([{}, {"size": "53687091200"}, {"cdrom": True}]), max_size=3),
                "arch": st.just("amd64"),
            },
        ),
        "network": st.fixed_dictionaries({}, optional={"hostname": st.text(max_size=4)}),
        "role": st.integers(0, 5),
        "power_state": st.integers(0, 5),
        "schematic": st.fixed_dictionaries({}, optional={"kernel_args": st.lists(st.text(max_size=4), max_size=2)}),
        "diagnostics": st.lists(st.just({"id": "d", "message": "m"}), max_size=2),
        "cluster": st.sampled_from(["", "c1"]),
        "maintenance": st.just(True),
    },
)


@given(spec=SPECS, member=st.booleans(), own=st.booleans())
def test_whatever_omni_leaves_out_every_field_is_there_with_its_type(
    spec: dict[str, Any], member: bool, own: bool
) -> None:
    part = Resource(ID, spec)
    joined = join(machine(), part, node() if member else None, extensions("a") if own else None)
    document = shown(joined)
    assert document.keys() >= _schema.spec_names
    assert isinstance(document["hostname"], str) and isinstance(document["maintenance"], bool)
    assert isinstance(document["role"], str) and isinstance(document["power_state"], str)
    for disk in (document["hardware"] or {}).get("blockdevices", ()):
        assert isinstance(disk["size"], int)
