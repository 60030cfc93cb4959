"""Several workers: one create of an id, no lost change, one's own writes, and what a restart keeps."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import httpx

from omni_gateway.testing.conditions import needs
from omni_gateway.testing.subject import Subject

AT_ONCE = 12


def at_once(send: Callable[[int], httpx.Response]) -> list[httpx.Response]:
    """Return the responses to requests that are sent at the same moment."""
    barrier = Barrier(AT_ONCE)

    def wait_and_send(number: int) -> httpx.Response:
        barrier.wait(30)
        return send(number)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(wait_and_send, range(AT_ONCE)))


class WorkerChecks:
    """Two worker processes under gunicorn."""

    @needs("gunicorn", "create", "own id", "immediate", "labels")
    def test_of_several_creates_of_an_id_at_once_one_succeeds(self, subject: Subject) -> None:
        client, body = subject.served.client("admin"), subject.body()
        responses = at_once(
            lambda number: client.post(subject.collection, json={**body, "annotations": {"kit-by": str(number)}})
        )
        winners = [number for number, response in enumerate(responses) if response.status_code == 201]
        assert sorted(response.status_code for response in responses) == [201] + [409] * (AT_ONCE - 1)
        assert client.get(subject.url_of(body["id"])).json()["annotations"]["kit-by"] == str(winners[0])

    @needs("gunicorn", "create", "patch", "own id", "immediate", "labels")
    def test_of_several_changes_at_once_none_is_lost(self, subject: Subject) -> None:
        client, url = subject.served.client("admin"), subject.made_under_gunicorn().url
        responses = at_once(lambda number: client.patch(url, json={"annotations": {f"kit-by-{number}": "x"}}))
        done = {f"kit-by-{number}" for number, response in enumerate(responses) if response.status_code == 200}
        # 409: others came between, again and again; such a change is not made.
        assert {response.status_code for response in responses} <= {200, 409}
        present = {name for name in client.get(url).json()["annotations"] if name.startswith("kit-by-")}
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
        assert {client.get(url).status_code for _ in range(AT_ONCE)} == {200}

    @needs("gunicorn", "create", "get", "patch", "own id", "immediate", "labels")
    def test_what_one_worker_has_changed_every_worker_reads(self, subject: Subject) -> None:
        url = subject.made_under_gunicorn().url
        client = subject.served.client("admin")
        for number in range(3):
            assert {client.get(url).status_code for _ in range(AT_ONCE)} == {200}
            changed = client.patch(url, json={"annotations": {"kit-change": str(number)}})
            assert changed.status_code == 200, changed.text
            read = {client.get(url).json()["annotations"].get("kit-change") for _ in range(AT_ONCE)}
            assert read == {str(number)}, "some workers read what was there before the change"

    @needs("gunicorn", "create", "get", "own id", "immediate")
    def test_a_restart_keeps_what_was_written(self, subject: Subject) -> None:
        url = subject.made_under_gunicorn().url
        client = subject.served.client("admin")
        before = client.get(url)
        subject.served.restart()
        after = client.get(url)
        assert (after.status_code, after.content) == (200, before.content)
        assert after.headers["ETag"] == before.headers["ETag"]
