"""What outlives the process: everything but what Omni, too, keeps in memory only."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from omni_gateway.simulator.state.resource import Resource
from omni_gateway.simulator.state.store import Store

pytestmark = pytest.mark.slow

_WRITER = """
import os, signal, sys
from omni_gateway.simulator.state.resource import Resource
from omni_gateway.simulator.state.store import Store
store = Store(sys.argv[1])
for number in range(50):
    store.create(Resource("default", "Things", str(number)))
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_an_object_comes_back_as_it_was(tmp_path: Path) -> None:
    path = str(tmp_path / "state.sqlite")
    store = Store(path)
    given = Resource("default", "Things", "a", {"deep": [1]}, {"l": "1"}, {"n": "2"}, finalizers=["Holder"])
    store.create(given, owner="Maker")
    store.modify("default", "Things", "a", lambda res: res.spec.update(size=1), owner="Maker")
    before = store.get("default", "Things", "a")
    store.close()

    assert Store(path).get("default", "Things", "a") == before


def test_a_destroyed_object_stays_gone(tmp_path: Path) -> None:
    path = str(tmp_path / "state.sqlite")
    store = Store(path)
    store.create(Resource("default", "Things", "a"))
    store.destroy("default", "Things", "a")
    store.close()

    assert Store(path).find("default", "Things", "a") is None


@pytest.mark.parametrize("namespace", ["ephemeral", "metrics", "virtual"])
def test_what_omni_keeps_in_memory_is_forgotten(tmp_path: Path, namespace: str) -> None:
    path = str(tmp_path / "state.sqlite")
    store = Store(path)
    store.create(Resource(namespace, "Things", "a"))
    store.close()

    assert Store(path).find(namespace, "Things", "a") is None


_TORN = """
import os, signal, sys
from omni_gateway.simulator.state.resource import Resource
from omni_gateway.simulator.state.store import Store
store = Store(sys.argv[1])
store.create(Resource("default", "Things", "before"))
with store.lock:
    store.create(Resource("default", "Things", "one"))
    with store.lock:
        store.create(Resource("default", "Things", "two"))
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_is_written_under_one_hold_of_the_lock_is_never_there_in_part(tmp_path: Path) -> None:
    path = str(tmp_path / "state.sqlite")

    subprocess.run([sys.executable, "-c", _TORN, path], check=False)

    assert [res.id for res in Store(path).view("default", "Things")] == ["before"]


def test_what_could_not_be_written_is_written_with_what_comes_next(tmp_path: Path) -> None:
    path = str(tmp_path / "state.sqlite")
    store = Store(path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")  # as a disk that is full for a while
    with pytest.raises(sqlite3.OperationalError):
        store.create(Resource("default", "Things", "one"))
    other.execute("ROLLBACK")
    store.create(Resource("default", "Things", "two"))
    store.close()

    assert [res.id for res in Store(path).view("default", "Things")] == ["one", "two"]


def test_many_writes_under_one_hold_of_the_lock_are_there_afterwards(tmp_path: Path) -> None:
    path = str(tmp_path / "state.sqlite")
    store = Store(path)
    with store.lock:
        for number in range(10):
            store.create(Resource("default", "Things", str(number)))
    store.close()

    assert len(Store(path).view("default", "Things")) == 10


def test_nothing_that_was_acknowledged_is_lost_when_the_process_is_killed(tmp_path: Path) -> None:
    path = str(tmp_path / "state.sqlite")

    subprocess.run([sys.executable, "-c", _WRITER, path], check=False)

    assert len(Store(path).view("default", "Things")) == 50


def test_the_files_are_their_owners_alone_also_where_they_were_not(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    sqlite3.connect(path).execute("PRAGMA journal_mode=WAL").close()
    path.chmod(0o644)
    store = Store(str(path))
    store.create(Resource("default", "Things", "a"))
    assert {file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {0o600}
    store.close()
