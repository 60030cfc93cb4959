"""ResourceService's reads: shapes, selectors, paging, sort, search (resource-service.md, machine-auth-detail §5)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conformance.outcomes import OK, UNKNOWN, cases, expect, holds, same
from tests.conformance.world import World
from tests.simulator.caller import never_made

OWN = "MachineLabels"

# name -> its labels; every selector below is tried on these.
OBJECTS: dict[str, dict[str, str]] = {
    "a": {"env": "prod", "tier": "web", "cores": "4", "mark": ""},
    "b": {"env": "prod", "tier": "db", "cores": "16"},
    "c": {"env": "test", "tier": "web", "cores": "8", "mem": "64GiB"},
    "d": {"env": "test", "mem": "8 GB", "note": 'b, "c"'},
    "e": {"tier": "web"},
    "f": {"env": "dev", "cores": "many"},
}


@pytest.fixture(scope="module")
def set_of(shared: World) -> str:
    """Six objects in a namespace of their own; returns the namespace, which begins each id, too."""
    namespace = shared.name()
    for name, labels in OBJECTS.items():
        shared.admin.create(OWN, f"{namespace}-{name}", {}, namespace=namespace, labels=labels)
    return namespace


def _names(omni: World, set_of: str, *selectors: str, **page: Any) -> str:
    found, _ = omni.admin.list(OWN, *selectors, namespace=set_of, **page)
    return "".join(item["metadata"]["id"].rpartition("-")[2] for item in found)


SELECTORS: list[tuple[str, list[str], str]] = [
    ("a = b", ["env = prod"], "ab"),
    ("a=b", ["env=prod"], "ab"),
    ("a==b", ["env==prod"], "ab"),
    ("a != b", ["env != prod"], "cdef"),
    ("a!=b, the key absent", ["tier!=web"], "bdf"),
    ("a in (x, y)", ["env in (prod, dev)"], "abf"),
    ("a in (x,y)", ["env in (prod,dev)"], "abf"),
    ("a in (x)", ["env in (dev)"], "f"),
    ("a notin (x, y)", ["env notin (prod, dev)"], "cde"),
    ("a", ["env"], "abcdf"),
    ("a with an empty value", ["mark"], "a"),
    ("!a", ["!env"], "e"),
    ("! a", ["! env"], "e"),
    ("commas are AND", ["env=prod,tier=web"], "a"),
    ("commas and spaces", ["env=prod, tier=db"], "b"),
    ("AND of three", ["env=test,tier=web,cores"], "c"),
    ("AND that nothing meets", ["env=prod,env=test"], ""),
    ("entries are OR", ["env=dev", "tier=db"], "bf"),
    ("OR of ANDs", ["env=prod,tier=web", "env=test,!tier"], "ad"),
    ("a<n, numeric", ["cores<10"], "ac"),
    ("a<=n", ["cores<=8"], "ac"),
    ("a>n", ["cores>8"], "b"),
    ("a>=n", ["cores>=8"], "bc"),
    ("a unit counts", ["mem>32GiB"], "c"),
    ("units by 1000 and by 1024", ["mem<8GiB"], "d"),
    ("a number against a unit", ["mem>100"], "cd"),
    ("a value that is no number is neither more", ["cores>=0"], "abc"),
    ("nor less", ["cores<100"], "abc"),
    ("a fraction is no number", ["cores>1.5"], ""),
    ("a value in quotes", ['note="b, \\"c\\""'], "d"),
    ("a value in quotes in a list", ['note in (x, "b, \\"c\\"")'], "d"),
    ("a key in quotes", ['"env"=dev'], "f"),
    ("an empty value in a list", ["mark in ()"], "a"),
    ("a value in another case does not match", ["env=PROD"], ""),
    ("a part of a value does not match", ["env=pro"], ""),
    ("a key in another case does not match", ["ENV"], ""),
    ("no such key", ["nothing=here"], ""),
    ("empty", [""], "abcdef"),
]


@pytest.mark.parametrize(("selectors", "wanted"), cases("resource-service selectors", SELECTORS))
def test_a_list_is_narrowed_by_labels(omni: World, set_of: str, selectors: list[str], wanted: str) -> None:
    same(wanted, "".join(sorted(_names(omni, set_of, *selectors))))


@pytest.mark.parametrize(
    ("selectors", "wanted"),
    cases("resource-service total", [("of matches", ["env=prod"], 2), ("of all", [], 6), ("of none", ["x=y"], 0)]),
)
def test_the_total_counts_what_matched(omni: World, set_of: str, selectors: list[str], wanted: int) -> None:
    same(wanted, omni.admin.list(OWN, *selectors, namespace=set_of)[1])
    same(wanted, omni.admin.list(OWN, *selectors, namespace=set_of, limit=1)[1])


def test_resource_service_field_selectors_are_ignored(omni: World, set_of: str) -> None:
    caller = omni.admin
    from omni_gateway.stubs import resources_pb2 as pb
    from tests.simulator.caller import DEADLINE, full

    request = pb.ListRequest(namespace=set_of, type=full(OWN))
    metadata = [*caller.metadata("List"), ("fieldselectors", "metadata.name=nothing")]

    same(6, caller.stub.List(request, metadata=metadata, timeout=DEADLINE).total)


PAGES: list[tuple[str, dict[str, Any], str]] = [
    ("all", {}, "abcdef"),
    ("limit 0 is all", {"limit": 0}, "abcdef"),
    ("a limit below 0 is all", {"limit": -1}, "abcdef"),
    ("limit", {"limit": 2}, "ab"),
    ("limit above what is there", {"limit": 100}, "abcdef"),
    ("offset", {"offset": 4}, "ef"),
    ("offset and limit", {"offset": 2, "limit": 3}, "cde"),
    ("offset at the end", {"offset": 6}, ""),
    ("offset beyond the end", {"offset": 60, "limit": 2}, ""),
    ("sorted by id", {"sort_by_field": "id"}, "abcdef"),
    ("sorted by id, descending", {"sort_by_field": "id", "sort_descending": True}, "fedcba"),
    ("sorted, a page", {"sort_by_field": "id", "sort_descending": True, "offset": 1, "limit": 2}, "ed"),
]


@pytest.mark.parametrize(("page", "wanted"), cases("resource-service, machine-auth-detail 5 paging", PAGES))
def test_a_list_comes_in_pages(omni: World, set_of: str, page: dict[str, Any], wanted: str) -> None:
    page = {"sort_by_field": "id"} | page if page.get("limit", 0) > 0 or "offset" in page else page
    names = _names(omni, set_of, **page)

    same(wanted, names if "sort_by_field" in page else "".join(sorted(names)))


def test_resource_service_pages_of_a_selection_make_up_the_selection(omni: World, set_of: str) -> None:
    pages = [_names(omni, set_of, "env", sort_by_field="id", offset=start, limit=2) for start in (0, 2, 4)]

    same(["ab", "cd", "f"], pages)


@pytest.mark.parametrize(
    "field",
    cases(
        "resource-service sort by a field that is not there", [("no such field", "colour"), ("a nested one", "spec.x")]
    ),
)
def test_sorting_by_an_unknown_field_is_unknown(omni: World, set_of: str, field: str) -> None:
    expect(UNKNOWN, lambda: omni.admin.list(OWN, namespace=set_of, sort_by_field=field))


SEARCHES: list[tuple[str, list[str], str]] = [
    ("a part of the id", ["-c"], "c"),
    ("several are OR", ["-a", "-b"], "ab"),
    ("nothing", ["no-such-thing"], ""),
    ("not in label values", ["prod"], ""),
]


@pytest.mark.parametrize(("search", "wanted"), cases("machine-auth-detail 5 search_for", SEARCHES))
def test_a_search_looks_into_ids(omni: World, set_of: str, search: list[str], wanted: str) -> None:
    exact = [set_of + text if text.startswith("-") else text for text in search]
    same(wanted, "".join(sorted(_names(omni, set_of, search_for=exact))))


def test_resource_service_search_and_selectors_go_together(omni: World, set_of: str) -> None:
    same("a", _names(omni, set_of, "env=prod", search_for=[f"{set_of}-a", f"{set_of}-c"]))


# -- the shape of an object


def test_resource_service_an_object_is_metadata_and_spec(omni: World) -> None:
    name = omni.name()
    omni.admin.create(OWN, name, labels={"a": "1"}, annotations={"b": "2"})

    read = omni.admin.get(OWN, name)

    same({"metadata", "spec"}, set(read))
    meta = read["metadata"]
    wanted = {
        "namespace": "default",
        "type": "MachineLabels.omni.sidero.dev",
        "id": name,
        "version": 1,
        "owner": "",
        "phase": "running",
        "labels": {"a": "1"},
        "annotations": {"b": "2"},
    }
    same({*wanted, "created", "updated"}, set(meta))
    # Never updated; the second form is that of Omni 1.7.
    same(True, meta["updated"] in ("0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z"))
    same(wanted, {key: meta.get(key) for key in wanted})


@pytest.mark.parametrize(
    "key",
    cases(
        "resource-service metadata that is empty is left out", [(k, k) for k in ("labels", "annotations", "finalizers")]
    ),
)
def test_empty_metadata_is_left_out(omni: World, key: str) -> None:
    name = omni.labels()
    holds(key not in omni.admin.get(OWN, name)["metadata"], f"no {key}", "there are")


def test_resource_service_times_are_whole_seconds_in_utc(omni: World) -> None:
    meta = omni.admin.get(OWN, omni.labels())["metadata"]
    holds(
        len(meta["created"]) == len("2026-11-23T19:08:34Z") and meta["created"].endswith("Z"),
        "whole seconds",
        meta["created"],
    )


def test_resource_service_a_get_and_a_list_show_the_same(omni: World, set_of: str) -> None:
    found = omni.admin.list(OWN, namespace=set_of)[0]

    same(found, [omni.admin.get(OWN, item["metadata"]["id"], set_of) for item in found])


ZERO: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("false", {"features": {"enable_workload_proxy": False}}, {"features": {}}),
    ("true", {"features": {"enable_workload_proxy": True}}, {"features": {"enable_workload_proxy": True}}),
]


@pytest.mark.parametrize(("given", "wanted"), cases("resource-service zero values are left out", ZERO))
def test_zero_values_are_left_out(omni: World, given: dict[str, Any], wanted: dict[str, Any]) -> None:
    spec = omni.admin.get("Clusters", omni.cluster(given))["spec"]
    same(wanted, {key: spec.get(key) for key in wanted})


@pytest.mark.parametrize(
    "given", cases("resource-service enums are numbers, names are taken", [("by number", 1), ("by name", "Rolling")])
)
def test_enums_read_as_numbers(omni: World, given: Any) -> None:
    name = omni.machine_set(omni.cluster(), spec={"update_strategy": given})
    same(1, omni.admin.get("MachineSets", name)["spec"]["update_strategy"])


def test_resource_service_durations_are_seconds_with_an_s(omni: World) -> None:
    limits = omni.server.features["etcd_backup_settings"]
    name = omni.cluster({"backup_configuration": {"enabled": True, "interval": limits["max_interval"]}})
    same(limits["max_interval"], omni.admin.get("Clusters", name)["spec"]["backup_configuration"]["interval"])


@pytest.mark.parametrize(
    ("type_", "namespace"),
    cases(
        "resource-service runtime Omni reads",
        [
            ("virtual", "CurrentUsers", "virtual"),
            ("ephemeral", "InstallationMedias", "ephemeral"),
            ("default", "TalosVersions", "default"),
        ],
    ),
)
def test_every_namespace_is_listed(omni: World, type_: str, namespace: str) -> None:
    found, total = omni.admin.list(type_, namespace=namespace)
    holds(found and total == len(found), "objects, and their number", total)


def test_resource_service_a_read_after_a_write_shows_the_write(omni: World) -> None:
    """Reads are served from a cache at a real Omni: a Get may lag, by how much is not known; it comes in the end."""
    name = omni.labels(a="1")
    omni.write(OWN, name, lambda read: read["metadata"].update(labels={"a": "2"}))

    omni.until(lambda: omni.admin.get(OWN, name)["metadata"]["labels"] == {"a": "2"}, "the write shows", 5)
    omni.until(lambda: name in omni.admin.ids(OWN, "a=2"), "the list shows it", 5)


def test_resource_service_an_update_of_what_is_missing_makes_nothing(omni: World) -> None:
    name = omni.name()
    expect("NotFound", lambda: omni.admin.update(never_made(OWN, name)))
    same(None, omni.there(OWN, name))
    expect(OK, lambda: omni.admin.create(OWN, name))
