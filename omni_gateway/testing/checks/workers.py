"""Several workers: one create of an id, no lost change, one's own writes, and what a restart keeps."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import httpx

from omni_gateway.http.etags import content_part
from omni_gateway.testing.conditions import needs
from omni_gateway.testing.gateways import WORKERS
from omni_gateway.testing.subject import Subject

AT_ONCE = 12
NO_CACHE = {"Cache-Control": "no-cache"}
#: How often a race is run: one race may end well by chance.
ROUNDS = 5
#: Deadlines, which a machine with much else to do takes a part of: for an answer of each worker, for what it reads.
ANSWER_SECONDS, READ_SECONDS = 60.0, 30.0
#: Between two looks, at first and at most.
PAUSE, LONGEST_PAUSE = 0.2, 2.0


def at_once(send: Callable[[int], httpx.Response]) -> list[httpx.Response]:
    """Return the responses to requests that are sent at the same moment."""
    barrier = Barrier(AT_ONCE)

    def wait_and_send(number: int) -> httpx.Response:
        barrier.wait(30)
        return send(number)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(wait_and_send, range(AT_ONCE)))


def of_each_worker(send: Callable[[], httpx.Response]) -> list[httpx.Response]:
    """Return a response of each worker; requests that are sent one after the other may all be taken by one."""
    deadline, found = time.monotonic() + ANSWER_SECONDS, dict[str, httpx.Response]()
    while len(found) < WORKERS:
        # The ids that a process gives to requests begin with a text of its own.
        found |= {response.headers["X-Request-ID"][:16]: response for response in at_once(lambda number: send())}
        assert time.monotonic() < deadline, f"{len(found)} of {WORKERS} workers have answered in {ANSWER_SECONDS} s"
    return list(found.values())


def every_worker_reads(client: httpx.Client, url: str, expected: Callable[[httpx.Response], bool]) -> None:
    """Wait until all workers read what is expected: each has a cache of Omni's objects, which follows by a watch."""
    deadline, pause = time.monotonic() + READ_SECONDS, PAUSE
    while not all(map(expected, of_each_worker(lambda: client.get(url)))):
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)
        assert time.monotonic() < deadline, f"after {READ_SECONDS} s a worker reads what was there before"


class WorkerChecks:
    """Two worker processes under gunicorn."""

    @needs("gunicorn", "create", "own id", "immediate", "labels")
    def test_of_several_creates_of_an_id_at_once_one_succeeds(self, subject: Subject) -> None:
        client = subject.served.client("admin")
        for _ in range(ROUNDS):
            body = subject.body()
            responses = at_once(
                lambda number, body=body: client.post(  # type: ignore[misc]
                    subject.collection, json={**body, "annotations": {"kit-by": str(number)}}
                )
            )
            winners = [number for number, response in enumerate(responses) if response.status_code == 201]
            assert sorted(response.status_code for response in responses) == [201] + [409] * (AT_ONCE - 1)
            read = client.get(subject.url_of(body["id"]), headers=NO_CACHE).json()
            assert read["annotations"]["kit-by"] == str(winners[0])

    @needs("gunicorn", "create", "patch", "own id", "immediate", "labels")
    def test_of_several_changes_at_once_none_is_lost(self, subject: Subject) -> None:
        client, url = subject.served.client("admin"), subject.made_under_gunicorn().url
        for round in range(ROUNDS):
            names = [f"kit-by-{round}-{number}" for number in range(AT_ONCE)]
            responses = at_once(
                lambda number, names=names: client.patch(  # type: ignore[misc]
                    url, json={"annotations": {names[number]: "x"}}
                )
            )
            done = {name for name, response in zip(names, responses, strict=True) if response.status_code == 200}
            # 409: others came between, again and again; such a change is not made.
            assert {response.status_code for response in responses} <= {200, 409}
            present = client.get(url, headers=NO_CACHE).json()["annotations"].keys() & set(names)
            assert done
            assert present == done

    @needs("gunicorn", "create", "delete", "own id", "immediate")
    def test_of_several_removals_at_once_each_is_done_or_finds_nothing(self, subject: Subject) -> None:
        client, url = subject.served.client("admin"), subject.made_under_gunicorn().url
        statuses = [response.status_code for response in at_once(lambda number: client.delete(url))]
        assert set(statuses) <= {202, 204, 404, 409}
        assert {202, 204} & set(statuses)
        assert subject.is_gone(url, client)

    @needs("gunicorn", "create", "get", "own id", "immediate")
    def test_what_one_worker_has_written_every_worker_reads(self, subject: Subject) -> None:
        url = subject.made_under_gunicorn().url
        client = subject.served.client("admin")
        every_worker_reads(client, url, lambda response: response.status_code == 200)

    @needs("gunicorn", "create", "get", "patch", "own id", "immediate")
    def test_what_one_worker_has_changed_every_worker_reads(self, subject: Subject) -> None:
        url = subject.made_under_gunicorn().url
        client = subject.served.client("admin")
        every_worker_reads(client, url, lambda response: response.status_code == 200)
        changed = client.patch(url, json=subject.variation())
        assert changed.status_code == 200, changed.text
        tag = content_part(changed.headers["ETag"])
        every_worker_reads(client, url, lambda response: content_part(response.headers["ETag"]) == tag)

    @needs("gunicorn", "create", "get", "own id", "immediate")
    def test_a_restart_keeps_what_was_written(self, subject: Subject) -> None:
        url = subject.made_under_gunicorn().url
        client = subject.served.client("admin")
        before = client.get(url)
        subject.served.restart()
        after = client.get(url)
        assert (after.status_code, after.content) == (200, before.content)
        assert after.headers["ETag"] == before.headers["ETag"]
