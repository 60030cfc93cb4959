"""The adapter of a caller who may touch some clusters: what it lets through, what it hides, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, cast

import pytest

from omni_gateway.auth import Scope
from omni_gateway.http.problems import Problem
from omni_gateway.model.query import Change
from omni_gateway.rest.adapters import scoped
from omni_gateway.rest.adapters.scoped import ScopedAdapter
from omni_gateway.sdk import Listing, ListQuery, NotFound, Resource, ResourceAdapter
from omni_gateway.sdk.adapters import Created, select
from omni_gateway.sdk.omni import label_names

SCOPE = Scope(("mine-*", "ours"))
MINE, OURS, THEIRS, FREE = "mine-1", "ours", "theirs", ""
REFUSAL = "You may access these clusters only: mine-*, ours."


def note(id: str, cluster: str = FREE, **spec: Any) -> Resource:
    return Resource(id, spec=spec, labels={label_names.LABEL_CLUSTER: cluster} if cluster else {}, type="Notes")


class Notes(ResourceAdapter):
    """Notes in memory, by cluster. It records each call, whose arguments the scope must not have changed."""

    type = "Notes"
    namespace = "paper"
    distinguishes_zero_from_unset = False
    unreadable = True

    def __init__(self) -> None:
        self.notes = {
            item.id: item
            for item in (note("a", MINE), note("b", THEIRS), note("c"), note("d", OURS), note("e", "mine-2"))
        }
        self.calls: list[tuple[object, ...]] = []
        self.others: Sequence[str | None] = ()
        self.changes: list[Change] = []
        self.omni, self.store, self.settings = cast(Any, "omni"), cast(Any, "store"), "settings"

    def list(self, query: ListQuery) -> Listing:
        self.calls.append(("list", query))
        return select(self.notes.values(), query, frozenset())

    def get(self, id: str) -> Resource:
        if id not in self.notes:
            raise NotFound(id)
        return self.notes[id]

    def get_written(self, written: Resource) -> Resource:
        return self.get(written.id)

    def other_clusters_affected(
        self, resource: Resource, existing: Resource | None, extras: Mapping[str, Any]
    ) -> Sequence[str | None]:
        self.calls.append(("others", resource, existing, extras))
        return self.others

    def additional_objects(self, resource: Resource, extras: Mapping[str, Any]) -> Sequence[Resource]:
        return [resource, *extras.values()]

    def check(self, resource: Resource, existing: Resource | None, extras: Mapping[str, Any]) -> None:
        self.calls.append(("check", resource, existing, extras))
        if "becomes" in resource.spec:
            resource.labels[label_names.LABEL_CLUSTER] = resource.spec["becomes"]

    def create(self, resource: Resource, extras: Mapping[str, Any]) -> Created:
        self.calls.append(("create", resource, extras))
        return resource

    def replace(self, resource: Resource) -> None:
        self.calls.append(("replace", resource))

    def delete(self, resource: Resource) -> None:
        self.calls.append(("delete", resource))

    def delete_with(self, resource: Resource, options: Mapping[str, Any]) -> None:
        self.calls.append(("delete_with", resource, options))

    def check_delete(self, resource: Resource) -> None:
        self.calls.append(("check_delete", resource))

    def check_delete_with(self, resource: Resource, options: Mapping[str, Any]) -> None:
        self.calls.append(("check_delete_with", resource, options))

    def also_deleted(self, resource: Resource, options: Mapping[str, Any]) -> Sequence[Resource]:
        return [resource, *options.values()]

    def refuse_owned(self, existing: Resource) -> None:
        raise Problem(409, "conflict", f"{existing.id} is owned.")

    def predict(self, resource: Resource | None, existing: Resource | None) -> None:
        self.calls.append(("predict", resource, existing))

    def watch_source(self, query: ListQuery, id: str = "") -> Any:
        return query, id

    @contextmanager
    def watch(self, query: ListQuery, id: str = "") -> Iterator[Iterator[Change]]:
        self.calls.append(("watch", query, id))
        yield iter(self.changes)


@pytest.fixture
def inner() -> Notes:
    return Notes()


@pytest.fixture
def held(inner: Notes) -> ScopedAdapter:
    return ScopedAdapter(inner, SCOPE)


def refused(call: Callable[[], object]) -> bool:
    """Whether a call is the 403 that names the scope; any other outcome but success is raised."""
    try:
        call()
    except Problem as problem:
        assert (problem.status, problem.code, problem.detail) == (403, "forbidden", REFUSAL)
        return True
    return False


def test_it_stands_for_the_adapter_within(held: ScopedAdapter, inner: Notes) -> None:
    assert (held.inner, held.scope, held.omni, held.store, held.settings) == (
        inner,
        SCOPE,
        "omni",
        "store",
        "settings",
    )
    assert (held.type, held.namespace, held.distinguishes_zero_from_unset, held.unreadable) == (
        "Notes",
        "paper",
        False,
        True,
    )
    assert held.cluster_of(note("x", THEIRS)) == THEIRS


@pytest.mark.parametrize(
    ("offset", "limit", "ids"), [(0, 0, "acde"), (1, 2, "cd"), (3, 2, "e"), (2, 0, "de"), (9, 2, ""), (0, 1, "a")]
)
def test_a_page_is_cut_from_what_the_caller_may_read_and_counts_that_only(
    held: ScopedAdapter, inner: Notes, offset: int, limit: int, ids: str
) -> None:
    query = ListQuery(offset=offset, limit=limit, sort=(("id", False),))
    page = held.list(query)
    assert ("".join(item.id for item in page.items), page.total) == (ids, 4)
    assert inner.calls == [("list", ListQuery(sort=(("id", False),)))]


def test_an_adapter_that_does_not_name_the_cluster_of_each_object_is_a_mistake_that_shows(
    held: ScopedAdapter, inner: Notes
) -> None:
    inner.clusters_of = lambda resources: [MINE]  # type: ignore[method-assign]
    with pytest.raises(ValueError, match="shorter"):
        held.list(ListQuery())


@pytest.mark.parametrize("id", ["a", "c", "d"])
def test_what_is_within_reach_is_read(held: ScopedAdapter, inner: Notes, id: str) -> None:
    assert held.get(id) is inner.notes[id] is held.get_written(note(id))


@pytest.mark.parametrize("id", ["b", "missing"])
def test_what_is_out_of_reach_is_missing(held: ScopedAdapter, id: str) -> None:
    for read in (lambda: held.get(id), lambda: held.get_written(note(id))):
        with pytest.raises(NotFound) as missing:
            read()
        assert missing.value.detail == f"There is no object {id!r}."


Write = Callable[[ScopedAdapter, Resource], object]
EXTRAS = {"extra": note("extra")}
WRITES: Mapping[str, tuple[Write, tuple[object, ...]]] = {
    "check": (lambda held, item: held.check(item, None, EXTRAS), (None, EXTRAS)),
    "create": (lambda held, item: held.create(item, EXTRAS), (EXTRAS,)),
    "replace": (lambda held, item: held.replace(item), ()),
    "delete": (lambda held, item: held.delete(item), ()),
    "delete_with": (lambda held, item: held.delete_with(item, EXTRAS), (EXTRAS,)),
    "check_delete": (lambda held, item: held.check_delete(item), ()),
    "check_delete_with": (lambda held, item: held.check_delete_with(item, EXTRAS), (EXTRAS,)),
}


def writes_of(inner: Notes) -> list[tuple[object, ...]]:
    return [call for call in inner.calls if call[0] != "others"]


@pytest.mark.parametrize("name", WRITES)
def test_a_write_within_reach_is_made_as_it_was_asked_for(held: ScopedAdapter, inner: Notes, name: str) -> None:
    write, arguments = WRITES[name]
    item = note("x", MINE)
    assert not refused(lambda: write(held, item))
    assert writes_of(inner) == [(name, item, *arguments)]


@pytest.mark.parametrize("cluster", [THEIRS, FREE])
@pytest.mark.parametrize("name", WRITES)
def test_a_write_out_of_reach_is_refused_and_not_made(
    held: ScopedAdapter, inner: Notes, name: str, cluster: str
) -> None:
    write, _ = WRITES[name]
    assert refused(lambda: write(held, note("x", cluster)))
    assert [call for call in writes_of(inner) if call[0] != "check"] == []


@pytest.mark.parametrize("name", WRITES)
def test_no_label_makes_writable_what_belongs_to_no_cluster(held: ScopedAdapter, inner: Notes, name: str) -> None:
    inner.restricted_may_write = False
    write, _ = WRITES[name]
    assert refused(lambda: write(held, note("x", MINE)))


OF_OTHERS = ["check", "delete", "delete_with", "check_delete", "check_delete_with"]


@pytest.mark.parametrize("others", [(MINE, THEIRS), (None,), ("",)])
@pytest.mark.parametrize("name", OF_OTHERS)
def test_a_write_that_touches_another_cluster_besides_is_refused_and_not_made(
    held: ScopedAdapter, inner: Notes, name: str, others: Sequence[str | None]
) -> None:
    inner.others = others
    write, _ = WRITES[name]
    assert refused(lambda: write(held, note("x", MINE)))
    assert writes_of(inner) == []


@pytest.mark.parametrize("name", OF_OTHERS)
def test_which_clusters_a_write_touches_is_asked_with_all_of_it(held: ScopedAdapter, inner: Notes, name: str) -> None:
    inner.others = (MINE, OURS)
    item = note("x", MINE)
    WRITES[name][0](held, item)
    assert inner.calls[0] == ("others", item, None, EXTRAS if name == "check" else {})


def test_a_write_to_another_cluster_is_refused_before_its_state_could_show(held: ScopedAdapter, inner: Notes) -> None:
    assert refused(lambda: held.check(note("x", THEIRS), None, {}))
    assert refused(lambda: held.check(note("x", MINE), note("x", THEIRS), {}))
    assert inner.calls == []


def test_a_change_is_checked_with_the_object_as_it_is(held: ScopedAdapter, inner: Notes) -> None:
    item, existing = note("x", MINE, text="new"), note("x", MINE)
    held.check(item, existing, EXTRAS)
    assert inner.calls == [("others", item, existing, EXTRAS), ("check", item, existing, EXTRAS)]


@pytest.mark.parametrize(("cluster", "refusal"), [(MINE, False), (THEIRS, True)])
def test_the_check_may_complete_the_cluster_which_counts_then(held: ScopedAdapter, cluster: str, refusal: bool) -> None:
    assert refused(lambda: held.check(note("x", becomes=cluster), None, {})) is refusal


def test_what_a_write_does_besides_is_the_inner_adapters(held: ScopedAdapter, inner: Notes) -> None:
    item, existing = note("x", MINE), note("x", MINE, text="old")
    assert held.additional_objects(item, EXTRAS) == [item, EXTRAS["extra"]] == held.also_deleted(item, EXTRAS)
    assert held.create(item, {}) is item
    held.predict(item, existing)
    assert inner.calls[-1] == ("predict", item, existing)
    with pytest.raises(Problem, match="x is owned"):
        held.refuse_owned(item)
    assert held.watch_source(ListQuery(limit=3), "x") == (ListQuery(limit=3), "x")
    assert held.watch_source(ListQuery()) == (ListQuery(), "")


def seen(held: ScopedAdapter, *arguments: Any) -> list[tuple[str, str, bool]]:
    """Return of each change its kind, the id, and whether the object's content is shown."""
    with held.watch(*arguments) as changes:
        return [
            (change.kind, change.resource.id, bool(change.resource.labels or change.resource.spec))
            if change.resource
            else (change.kind, "", False)
            for change in changes
        ]


def test_a_watch_has_the_changes_within_reach_only(held: ScopedAdapter, inner: Notes) -> None:
    inner.changes = [
        Change("added", note("a", MINE)),
        Change("added", note("b", THEIRS)),
        Change("added", note("c", text="free")),
        Change("bookmark", None),
        Change("changed", note("b", THEIRS)),
        Change("changed", note("a", MINE)),
        Change("deleted", note("b", THEIRS)),
        Change("deleted", note("a", MINE)),
        Change("deleted", note("a", MINE)),
    ]
    query = ListQuery(limit=3)
    assert seen(held, query, "x") == [
        ("added", "a", True),
        ("added", "c", True),
        ("bookmark", "", False),
        ("changed", "a", True),
        ("deleted", "a", True),
    ]
    assert inner.calls == [("watch", query, "x")]


def test_an_object_that_moves_out_of_reach_is_deleted_and_shows_nothing_and_one_that_moves_in_is_new(
    held: ScopedAdapter, inner: Notes
) -> None:
    inner.changes = [
        Change("added", note("a", MINE)),
        Change("changed", note("a", THEIRS)),
        Change("changed", note("a", THEIRS)),
        Change("changed", note("a", MINE)),
        Change("changed", note("a", MINE)),
        Change("deleted", note("a", THEIRS)),
        Change("changed", note("b", MINE)),
    ]
    assert seen(held, ListQuery()) == [
        ("added", "a", True),
        ("deleted", "a", False),
        ("added", "a", True),
        ("changed", "a", True),
        ("deleted", "a", False),
        ("added", "b", True),
    ]
    assert inner.calls == [("watch", ListQuery(), "")]


@pytest.mark.parametrize(
    ("id", "may"), [("a", True), ("b", False), ("c", True), ("missing", True), ("of theirs", False)]
)
def test_who_may_ask_whether_an_object_is_there(held: ScopedAdapter, inner: Notes, id: str, may: bool) -> None:
    inner.cluster_of = lambda resource: (
        THEIRS
        if resource.id == "of theirs"
        else resource.labels.get(  # type: ignore[method-assign]
            label_names.LABEL_CLUSTER
        )
    )
    assert held.may_ask(id) is may
    assert scoped.may_ask(held, id) is may
    assert scoped.may_ask(inner, id)


def test_an_object_of_another_cluster_may_not_be_asked_for_though_a_missing_one_might(
    held: ScopedAdapter, inner: Notes
) -> None:
    """Its cluster cannot be seen from its id alone, and it is there: telling so would tell of another cluster."""
    assert inner.cluster_of(Resource("b")) is None
    assert not held.may_ask("b")


def test_what_must_be_writable_is_within_reach_and_of_a_cluster(held: ScopedAdapter) -> None:
    assert not refused(lambda: held.require_writable("a"))
    assert refused(lambda: held.require_writable("c"))
    with pytest.raises(NotFound):
        held.require_writable("b")


def test_a_plugins_function_gets_the_adapter_within_once_its_object_was_found_within_reach(
    held: ScopedAdapter, inner: Notes
) -> None:
    assert scoped.within_reach(held, "a") is inner
    assert scoped.within_reach(held, "c") is inner
    assert scoped.within_reach(held, "a", writes=True) is inner
    assert refused(lambda: scoped.within_reach(held, "c", writes=True))
    for writes in (False, True):
        with pytest.raises(NotFound):
            scoped.within_reach(held, "b", writes=writes)


@pytest.mark.parametrize("writes", [False, True])
def test_a_plugins_function_on_all_objects_is_for_callers_of_all_clusters(
    held: ScopedAdapter, inner: Notes, writes: bool
) -> None:
    with pytest.raises(Problem) as refusal:
        scoped.within_reach(held, None, writes=writes)
    assert (refusal.value.status, refusal.value.detail) == (
        403,
        "This is about all clusters; you may touch only some.",
    )
    assert scoped.within_reach(held, None, writes=writes, cluster_independent=True) is inner
    assert scoped.within_reach(inner, None, writes=writes) is inner


def test_the_parts_of_an_object_that_was_found_have_no_scope_of_their_own(held: ScopedAdapter, inner: Notes) -> None:
    assert scoped.unscoped(held) is inner is scoped.unscoped(inner)


def test_a_scope_without_any_cluster_lets_nothing_through(inner: Notes) -> None:
    nothing = Scope(())
    problem = scoped.scope_error(nothing)
    assert problem.detail == "You may access these clusters only: ."
    assert ScopedAdapter(inner, nothing).list(ListQuery()).total == 1
    assert nothing.restricted
    assert not nothing.allows(MINE)
    assert not nothing.allows("")
