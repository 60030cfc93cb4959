"""Objects in the gateway's store: many of them, paged by the database, bounded under several workers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from omni_gateway.http.problems import Problem
from omni_gateway.model.query import ListQuery
from omni_gateway.model.resource import Resource
from omni_gateway.omni import selectors
from omni_gateway.rest.adapters.stored import StoredResourceAdapter
from omni_gateway.rest.select import select
from omni_gateway.store import Store
from omni_gateway.store.tables import DOCUMENTS

COLLECTION = "acme/racks"
RACKS = 2500


def bound(store: Store, collection: str = COLLECTION, **options: Any) -> StoredResourceAdapter:
    adapter = StoredResourceAdapter(collection, sortable=frozenset({"units"}), **options)
    adapter.store = store
    return adapter


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoredResourceAdapter]:
    """A collection of more than a thousand objects, and one of another plugin beside it."""
    store = Store(f"sqlite:///{tmp_path_factory.mktemp('many') / 'store.sqlite'}")
    rows = bound(store).store.documents
    assert rows.create("other/things", "rack-0001", {}, {}, {})
    fill(store, RACKS)
    yield bound(store)
    store.close()


def fill(store: Store, count: int) -> None:
    template = {"collection": COLLECTION, "annotations": {}, "version": 1}
    with store.database.begin() as connection:
        created = connection.execute(DOCUMENTS.select()).mappings().first()
        assert created is not None
        moment = created["created"]
        connection.execute(
            DOCUMENTS.insert(),
            [
                {
                    **template,
                    "id": f"{'Rack' if number % 5 else 'rack'}-{number:04}",
                    "spec": {"units": number * 7919 % count} if number % 10 else {},
                    "labels": {"room": "ab"[number % 2]},
                    "created": moment,
                    "updated": moment,
                }
                for number in range(count)
            ],
        )


def statements(store: Store) -> list[str]:
    """The statements that the store sends from now on."""
    sent: list[str] = []
    event.listen(store.engine(), "before_cursor_execute", lambda _c, _u, statement, *_: sent.append(statement))
    return sent


QUERIES = {
    "a page": ListQuery(offset=1000, limit=50),
    "the last page": ListQuery(offset=RACKS - 20, limit=50),
    "behind the last page": ListQuery(offset=RACKS + 20, limit=50),
    "all": ListQuery(),
    "descending": ListQuery(sort=(("id", True),), limit=50),
    "by the metadata": ListQuery(sort=(("version", True), ("updated", False)), offset=40, limit=50),
    "a search in one case of letters": ListQuery(search="rack-1", limit=50),
    "a search without a match": ListQuery(search="%", limit=50),
    "a label": ListQuery(selector=selectors.parse("room=b"), offset=500, limit=50),
    "by the spec": ListQuery(sort=(("units", True),), offset=100, limit=50),
    "by the spec, a label and a search": ListQuery(
        selector=selectors.parse("room in (a)"), search="Rack-0", sort=(("units", False), ("created", True)), limit=50
    ),
    "by the owner, of whom there is none": ListQuery(sort=(("owner", True),), limit=50),
}


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
def test_a_list_of_many_is_what_selecting_in_memory_gives(many: StoredResourceAdapter, query: ListQuery) -> None:
    listing = many.list(query)
    expected = select(many.items({}), query, many.sortable)
    assert (listing.items, listing.total) == (expected.items, expected.total)


def test_a_page_is_cut_by_the_database(many: StoredResourceAdapter) -> None:
    sent = statements(many.store)
    many.list(ListQuery(offset=1000, limit=20, sort=(("created", True),)))
    assert ["LIMIT" in text for text in sent if "annotations" in text] == [True]
    assert len(sent) == 2


def test_a_wrong_sort_key_is_refused_with_those_there_are(many: StoredResourceAdapter) -> None:
    with pytest.raises(Problem) as refused:
        many.list(ListQuery(sort=(("room", False),)))
    assert "units" in str(refused.value.errors)


def test_a_watch_reads_only_the_objects_that_have_changed(new_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("omni_gateway.watch.polling.POLL_SECONDS", 0.01)
    adapter = bound(new_store)
    for id in ("a", "b", "c", "d"):
        adapter.create(Resource(id, {}, {"room": "x"}), {})
    with adapter.watch(ListQuery(selector=selectors.parse("room=x"))) as changes:
        present = [change.resource and change.resource.id for change in take(changes, 5)]
        sent = statements(new_store)
        adapter.replace(Resource("a", {"units": 1}, {"room": "x"}))
        adapter.delete(Resource("b"))
        adapter.replace(Resource("c", {}, {"room": "y"}))
        adapter.create(Resource("e", {}, {"room": "x"}), {})
        adapter.create(Resource("f", {}, {"room": "y"}), {})
        seen = {(change.kind, change.resource and change.resource.id) for change in take(changes, 4)}
    assert present == ["a", "b", "c", "d", None]
    assert seen == {("modified", "a"), ("deleted", "b"), ("deleted", "c"), ("added", "e")}
    whole = [text for text in sent if "annotations" in text and text.startswith("SELECT")]
    assert whole
    assert all("documents.id IN" in text for text in whole)


def take(changes: Iterator[Any], count: int) -> Sequence[Any]:
    return [next(changes) for _ in range(count)]


def test_one_object_is_watched_by_itself(new_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("omni_gateway.watch.polling.POLL_SECONDS", 0.01)
    adapter = bound(new_store)
    for id in ("a", "b"):
        adapter.create(Resource(id), {})
    with adapter.watch(ListQuery(), "a") as changes:
        assert [change.kind for change in take(changes, 2)] == ["added", "bookmark"]
        adapter.delete(Resource("b"))
        adapter.delete(Resource("a"))
        [gone] = take(changes, 1)
    assert (gone.kind, gone.resource.id) == ("deleted", "a")


def test_an_object_beyond_the_bound_is_refused(new_store: Store) -> None:
    adapter = bound(new_store, max_objects=2)
    for id in ("a", "b"):
        adapter.create(Resource(id), {})
    for refuse in (lambda: adapter.check(Resource("c"), None, {}), lambda: adapter.create(Resource("c"), {})):
        with pytest.raises(Problem) as refused:
            refuse()
        assert (refused.value.status, "There are 2 objects already" in refused.value.detail) == (422, True)
    with pytest.raises(Problem) as taken:
        adapter.create(Resource("a"), {})
    assert taken.value.code == "exists"


def test_several_workers_at_once_do_not_exceed_the_bound(new_store: Store, tmp_path: Path) -> None:
    new_store.wait(60)
    stores = [Store(f"sqlite:///{tmp_path / 'store.sqlite'}") for _ in range(4)]

    def create(number: int) -> bool:
        try:
            bound(stores[number % 4], max_objects=10).create(Resource(f"rack-{number}"), {})
        except Problem as problem:
            assert problem.status == 422
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(create, range(40)))
    for store in stores:
        store.close()
    assert made.count(True) == len(bound(new_store).items({})) == 10
