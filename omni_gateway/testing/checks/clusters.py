"""Callers whose token is for some clusters: objects of other clusters do not exist for them."""

from __future__ import annotations

import json

from omni_gateway.testing.conditions import needs
from omni_gateway.testing.subject import Subject, problem

ELSEWHERE = "kit-elsewhere"


class ClusterChecks:
    """Cluster-held callers."""

    @needs("cluster", "get")
    def test_a_caller_held_to_the_cluster_reads_its_object(self, subject: Subject) -> None:
        response = subject.held_to(subject.case.cluster, "admin").get(subject.existing.url)
        assert response.status_code == 200

    @needs("cluster", "get")
    def test_a_caller_held_to_another_cluster_does_not_find_an_object(self, subject: Subject) -> None:
        problem(subject.held_to(ELSEWHERE).get(subject.existing.url), 404, "not-found")

    @needs("cluster", "list")
    def test_a_caller_held_to_another_cluster_is_not_shown_an_object_in_a_list(self, subject: Subject) -> None:
        shown = {item["id"] for item in subject.list(subject.held_to(ELSEWHERE))}
        assert subject.existing.id not in shown

    @needs("cluster", "list")
    def test_objects_of_other_clusters_are_not_counted(self, subject: Subject) -> None:
        held = subject.held_to(ELSEWHERE)
        assert subject.existing.id
        response = held.get(subject.collection, params={"page_size": 1000})
        total = json.loads(response.headers["X-Pagination"])["total"]
        assert total == len(response.json())
        everything = json.loads(subject.admin.get(subject.collection).headers["X-Pagination"])["total"]
        assert total < everything

    @needs("cluster", "list")
    def test_a_search_does_not_show_objects_of_other_clusters(self, subject: Subject) -> None:
        response = subject.held_to(ELSEWHERE).get(subject.collection, params={"search": subject.existing.id})
        assert response.json() == []
        assert json.loads(response.headers["X-Pagination"])["total"] == 0

    @needs("cluster", "list")
    def test_a_watch_does_not_show_objects_of_other_clusters(self, subject: Subject) -> None:
        existing = subject.existing.id
        with subject.watch(client=subject.held_to(ELSEWHERE)) as stream:
            objects, _ = stream.initial()
        assert existing not in {item["id"] for item in objects}

    @needs("cluster", "list")
    def test_a_caller_held_to_the_cluster_is_shown_its_objects_in_a_list(self, subject: Subject) -> None:
        existing = subject.existing.id
        assert existing in {item["id"] for item in subject.list(subject.held_to(subject.case.cluster))}

    @needs("cluster")
    def test_a_caller_held_to_another_cluster_cannot_write_an_object(
        self, subject: Subject, write_of_existing: str
    ) -> None:
        before = subject.read(subject.existing.url)
        response = subject.send(write_of_existing, subject.existing, subject.held_to(ELSEWHERE))
        problem(response, 404, "not-found")
        assert subject.read(subject.existing.url) == before

    @needs("cluster", "create")
    def test_a_caller_held_to_another_cluster_cannot_create_an_object(self, subject: Subject) -> None:
        response = subject.send("create", client=subject.held_to(ELSEWHERE))
        problem(response, 403, "forbidden")

    @needs("no cluster", "create")
    def test_a_caller_held_to_a_cluster_cannot_create_an_object_of_no_cluster(self, subject: Subject) -> None:
        problem(subject.send("create", client=subject.held_to(ELSEWHERE)), 403, "forbidden")

    @needs("no cluster")
    def test_a_caller_held_to_a_cluster_cannot_write_an_object_of_no_cluster(
        self, subject: Subject, write_of_existing: str
    ) -> None:
        before = subject.read(subject.existing.url)
        response = subject.send(write_of_existing, subject.existing, subject.held_to(ELSEWHERE))
        assert response.status_code in (403, 404), response.text
        assert subject.read(subject.existing.url) == before
