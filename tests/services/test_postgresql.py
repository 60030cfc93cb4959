"""Two gateways on one PostgreSQL: what one of them learns, the other knows."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from click.testing import CliRunner
from sqlalchemy import create_engine, text

from omni_gateway.cli import main
from omni_gateway.http.problems import Problem
from omni_gateway.model.resource import Resource
from omni_gateway.rest.select import select
from omni_gateway.simulator.embedded import RunningSimulator
from omni_gateway.store import AuditEntry, AuditStore, PluginTables, Store
from omni_gateway.store.audit import id_at
from omni_gateway.store.migration import HEAD, LOCK
from omni_gateway.store.tables import METADATA
from tests.e2e.conftest import Served, start_gateway, stop_gateway
from tests.new_processes import new_processes
from tests.unit.rest import test_stored_adapter as stored
from tests.unit.store import test_plugin_tables as tables
from tests.unit.store.test_store import first_use

from .postgres import PostgreSQL, running_postgresql

#: Two gateways and a server of their own take their time on a loaded machine.
pytestmark = [pytest.mark.timeout(300), pytest.mark.slow]

PROCESSES = 6
PROVIDER = {"id": "corporate", "name": "Corporate", "issuer_url": "https://login.example.com", "client_id": "gateway"}
DATABASE = "shared"


@pytest.fixture(scope="module")
def pair(
    postgresql: PostgreSQL, simulator: RunningSimulator, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Served, Served]]:
    """Two gateways that were started at once on one empty database; each has its own state directory."""
    environ = {
        "OMNI_ENDPOINT": simulator.endpoint,
        "OMNI_SERVICE_ACCOUNT_KEY": simulator.key,
        "OMNI_GATEWAY_STORE_URL": postgresql.create(DATABASE),
    }
    started: list[Served] = []

    def start() -> None:
        started.append(start_gateway(tmp_path_factory.mktemp("gateway"), environ))

    threads = [threading.Thread(target=start) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(started) == 2
    yield started[0], started[1]
    for served in started:
        stop_gateway(served)


def client(served: Served, token: str) -> httpx.Client:
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.Client(base_url=f"{served.url}/api/v1/", headers=headers, timeout=30)


@pytest.fixture
def first(pair: tuple[Served, Served]) -> Iterator[httpx.Client]:
    with client(pair[0], pair[0].tokens["admin"]) as api:
        yield api


@pytest.fixture
def second(pair: tuple[Served, Served]) -> Iterator[httpx.Client]:
    """The second gateway, called with a token that was made at the first."""
    with client(pair[1], pair[0].tokens["admin"]) as api:
        yield api


def test_a_token_of_one_is_a_token_of_the_other(first: httpx.Client, second: httpx.Client) -> None:
    assert first.get("auth/whoami").json()["token"] == second.get("auth/whoami").json()["token"]
    assert second.get("machines").status_code == 200


def test_a_revoked_token_is_soon_worth_nothing_at_either(
    postgresql: PostgreSQL, pair: tuple[Served, Served], wait_until: Callable[..., Any]
) -> None:
    tokens = Store(postgresql.url(DATABASE)).tokens
    token, secret = tokens.create("short", "reader", None)
    apis = [client(served, secret) for served in pair]
    assert [api.get("machines").status_code for api in apis] == [200, 200]
    assert tokens.revoke(token.id)
    wait_until(lambda: [api.get("machines").status_code for api in apis] == [401, 401])


def test_an_answer_that_one_gave_is_replayed_by_the_other(first: httpx.Client, second: httpx.Client) -> None:
    headers = {"Idempotency-Key": "made-once"}
    body = {"name": "pg", "expiration_time": "2040-01-01T00:00:00Z"}
    made = first.post("join-tokens", json=body, headers=headers)
    again = second.post("join-tokens", json=body, headers=headers)
    assert (made.status_code, again.status_code) == (201, 201)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json() == made.json()


def test_a_ticket_of_one_opens_one_stream_at_either(pair: tuple[Served, Served], first: httpx.Client) -> None:
    def status(served: Served, url: str) -> int:
        with httpx.stream("GET", served.url + url, headers={"Accept": "text/event-stream"}, timeout=30) as answer:
            return answer.status_code

    urls = [first.post("stream-tickets", json={"url": "/api/v1/machineclasses"}).json()["url"] for _ in range(4)]
    with ThreadPoolExecutor(4) as pages:
        statuses = [sorted(pages.map(status, [*pair, *pair], [url] * 4)) for url in urls]
    assert statuses == [[200, 401, 401, 401]] * 4


def test_a_provider_that_one_was_given_is_at_the_other_at_once(first: httpx.Client, second: httpx.Client) -> None:
    made = first.post("oidc/providers", json=PROVIDER)
    assert made.status_code == 201, made.text
    there = second.get("oidc/providers/corporate")
    assert there.json()["issuer_url"] == PROVIDER["issuer_url"]
    stale = {"If-Match": there.headers["ETag"]}
    assert second.patch("oidc/providers/corporate", json={"name": "Other"}).status_code == 200
    assert first.patch("oidc/providers/corporate", json={"name": "Third"}, headers=stale).status_code == 412
    assert first.delete("oidc/providers/corporate").status_code == 204
    assert second.get("oidc/providers/corporate").status_code == 404


def test_the_audit_of_both_is_read_at_either(
    first: httpx.Client, second: httpx.Client, wait_until: Callable[..., Any]
) -> None:
    asked = [api.delete("clusters/there-is-none").headers["X-Request-ID"] for api in (first, second)]
    for api in (first, second):
        for id in asked:
            wait_until(lambda api=api, id=id: len(api.get("audit", params={"request_id": id}).json()) == 1, what=id)
    answer = first.get("audit", params={"object_id": "there-is-none", "page_size": 1, "search": "/clusters/"})
    assert '"total":2' in answer.headers["X-Pagination"]


def test_many_processes_start_at_once_on_an_empty_database(
    postgresql: PostgreSQL, database: Callable[[str], str]
) -> None:
    url = database("empty")
    with new_processes(PROCESSES) as processes:
        assert list(processes.map(first_use, [url] * PROCESSES)) == [1] * PROCESSES
    assert postgresql.ask("empty", "SELECT version_num FROM alembic_version") == HEAD
    log = (postgresql.folder / "log").read_text().splitlines()
    assert [line for line in log if "ERROR" in line and ("alembic" in line or "pg_" in line)] == []


def test_a_process_waits_while_another_makes_the_tables(
    postgresql: PostgreSQL, database: Callable[[str], str], wait_until: Callable[..., Any]
) -> None:
    url = database("waiting")
    started: list[int] = []
    thread = threading.Thread(target=lambda: started.append(len(Store(url).tokens.list())))
    waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    with create_engine(url).connect() as holder:
        holder.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": LOCK})
        thread.start()
        wait_until(lambda: postgresql.ask("waiting", waiting) == "1", what="the other's wait")
        assert postgresql.ask("waiting", "SELECT to_regclass('tokens')") == ""
        holder.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": LOCK})
        thread.join(60)
    assert started == [0]


def test_the_steps_lead_to_the_tables_of_the_code(database: Callable[[str], str]) -> None:
    with Store(database("compared")).engine().connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []


def test_a_dump_is_restored_into_another_database(
    postgresql: PostgreSQL, database: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As docs/operations/backup.md has it."""
    monkeypatch.setattr("omni_gateway.plugins.discovery.discover", lambda **_: [])
    dump, server = str(postgresql.folder / "gateway.dump"), ("-h", str(postgresql.folder), "-U", "gateway")
    monkeypatch.setenv("OMNI_GATEWAY_STORE_URL", database("dumped"))
    before, tried, upgraded, after = (
        CliRunner().invoke(main, ["db", *words])
        for words in (["check"], ["upgrade", "--dry-run"], ["upgrade"], ["check"])
    )
    Store(postgresql.url("dumped")).tokens.create("kept", "reader", None)

    postgresql.run("pg_dump", "--format=custom", f"--file={dump}", *server, "dumped")
    restored = database("restored")
    options = ["--no-owner", "--exit-on-error", "--single-transaction", "--dbname=restored"]
    postgresql.run("pg_restore", *server, *options, dump)

    monkeypatch.setenv("OMNI_GATEWAY_STORE_URL", restored)
    checked = CliRunner().invoke(main, ["db", "check"])
    assert [each.exit_code for each in (before, tried, upgraded, after, checked)] == [3, 0, 0, 0, 0], upgraded.output
    assert "CREATE TABLE IF NOT EXISTS tokens" in tried.output
    assert [token.name for token in Store(restored).tokens.list()] == ["kept"]


def entries(count: int, **members: Any) -> list[AuditEntry]:
    start = datetime(2026, 8, 1, tzinfo=UTC)
    members = {"caller_id": "token:1", "status": 200, "outcome": "done", "who": "äda ✓", **members}
    return [
        AuditEntry(id=f"{id_at(moment)}{number:012x}", time=moment, **members)
        for number in range(count)
        for moment in [start + timedelta(seconds=number)]
    ]


def test_several_prune_one_audit_at_once(database: Callable[[str], str]) -> None:
    stores = [Store(url, seconds=60).audit for url in [database("pruned")] for _ in range(3)]
    stores[0].add(entries(6000))
    removed: list[int] = []

    def prune(audit: AuditStore) -> None:
        removed.append(audit.prune(before=datetime(2026, 8, 1, tzinfo=UTC), rows=100, unauthenticated_rows=10))

    threads = [threading.Thread(target=prune, args=(audit,)) for audit in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sum(removed) == 5900
    newest, total = stores[1].page({"who": "äda ✓"}, limit=1)
    assert (total, newest[0]) == (100, entries(6000)[-1])


def test_a_server_that_goes_away_costs_neither_requests_nor_lines(
    simulator: RunningSimulator, postgresql: PostgreSQL, tmp_path: Path, wait_until: Callable[..., Any]
) -> None:
    with running_postgresql(postgresql.binaries) as own:
        environ = {
            "OMNI_ENDPOINT": simulator.endpoint,
            "OMNI_SERVICE_ACCOUNT_KEY": simulator.key,
            "OMNI_GATEWAY_STORE_URL": own.create("gateway"),
            "OMNI_GATEWAY_AUDIT_FILE": str(tmp_path / "audit.log"),
            "OMNI_GATEWAY_AUTH": "off",
        }
        served = start_gateway(tmp_path, environ)
        assert httpx.delete(f"{served.url}/api/v1/clusters/none").status_code == 404
        wait_until(lambda: own.ask("gateway", "SELECT count(*) FROM audit") == "1")
    try:
        assert [httpx.delete(f"{served.url}/api/v1/clusters/none").status_code for _ in range(5)] == [404] * 5
        lines = map(json.loads, (tmp_path / "audit.log").read_text().splitlines())
        assert [(line["method"], line["path"], line["status"]) for line in lines] == [
            ("DELETE", "/api/v1/clusters/none", 404)
        ] * 6
        assert httpx.get(f"{served.url}/api/v1/machines").status_code == 200
    finally:
        stop_gateway(served)


def test_lists_of_many_stored_objects_are_those_that_selecting_in_memory_gives(postgresql: PostgreSQL) -> None:
    store = Store(postgresql.create("many"))
    adapter = stored.bound(store)
    assert store.documents.create("other/things", "rack-0001", {}, {}, {})
    stored.fill(store, stored.RACKS)
    for name, query in stored.QUERIES.items():
        listing, expected = adapter.list(query), select(adapter.items({}), query, adapter.sortable)
        assert (name, listing.items, listing.total) == (name, expected.items, expected.total)
    store.close()


def test_the_bound_of_a_collection_holds_for_replicas_that_create_at_once(postgresql: PostgreSQL) -> None:
    stores = [Store(postgresql.create("bounded"))]
    stores += [Store(postgresql.url("bounded")) for _ in range(3)]
    stores[0].wait(30)

    def create(number: int) -> bool:
        try:
            stored.bound(stores[number % 4], max_objects=10).create(Resource(f"rack-{number}"), {})
        except Problem as problem:
            assert problem.status == 422
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(create, range(40)))
    assert made.count(True) == stores[0].documents.count(stored.COLLECTION) == 10
    for store in stores:
        store.close()


def test_replicas_that_start_at_once_make_the_tables_of_a_plugin_once(
    postgresql: PostgreSQL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    declared = tables.install(tmp_path, tables.FIRST, tables.SECOND)
    stores = [Store(postgresql.create("racks"))]
    stores += [Store(postgresql.url("racks")) for _ in range(3)]

    def make(store: Store) -> list[str]:
        return tables.ids(PluginTables(store.database, "racks", declared))

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(make, stores)) == [[]] * 4
    for store in stores:
        store.close()
    sys.modules.pop(tables.PACKAGE, None)
    assert postgresql.ask("racks", "SELECT version_num FROM alembic_version_racks") == "0002"
