"""Reads of one object: its content, its entity tag, its links."""

from __future__ import annotations

from omni_gateway.testing.conditions import needs
from omni_gateway.testing.subject import Subject, problem


class ReadChecks:
    """Promises of ``GET /<collection>/<id>``."""

    @needs("get")
    def test_an_object_is_read_by_the_link_to_itself(self, subject: Subject) -> None:
        document = subject.read(subject.existing.url)
        again = subject.admin.get(f"{subject.gateway.url}{document['_links']['self']}")
        assert (again.status_code, again.json()) == (200, document)

    @needs("get")
    def test_the_id_of_an_object_is_the_one_in_its_url(self, subject: Subject) -> None:
        assert subject.read(subject.existing.url)["id"] == subject.existing.id

    @needs("get")
    def test_an_object_that_has_not_changed_is_304(self, subject: Subject) -> None:
        tag = subject.admin.get(subject.existing.url).headers["ETag"]
        response = subject.admin.get(subject.existing.url, headers={"If-None-Match": tag})
        assert (response.status_code, response.content, response.headers["ETag"]) == (304, b"", tag)

    @needs("get")
    def test_a_tag_is_found_among_several_and_when_it_is_weak(self, subject: Subject) -> None:
        tag = subject.admin.get(subject.existing.url).headers["ETag"]
        headers = {"If-None-Match": f'"another", W/{tag}'}
        assert subject.admin.get(subject.existing.url, headers=headers).status_code == 304

    @needs("get")
    def test_another_tag_gets_the_object(self, subject: Subject) -> None:
        response = subject.admin.get(subject.existing.url, headers={"If-None-Match": '"another"'})
        assert response.json()["id"] == subject.existing.id

    @needs("get")
    def test_the_tag_stays_while_the_object_does(self, subject: Subject) -> None:
        heads: tuple[dict[str, str], ...] = ({}, {"Cache-Control": "no-cache"}, {}, {"Cache-Control": "no-cache"})
        tags = {subject.admin.get(subject.existing.url, headers=head).headers["ETag"] for head in heads}
        assert len(tags) == 1

    @needs("get", "changeable")
    def test_a_change_of_an_object_changes_its_tag(self, subject: Subject) -> None:
        made = subject.changing
        tag = subject.admin.get(made.url).headers["ETag"]
        subject.alter(made.id)
        response = subject.admin.get(made.url, headers={"If-None-Match": tag, "Cache-Control": "no-cache"})
        assert response.status_code == 200
        assert response.headers["ETag"] != tag

    @needs("get", "changeable")
    def test_a_change_of_an_object_raises_its_version(self, subject: Subject) -> None:
        made = subject.changing
        before = subject.read(made.url)["metadata"]["version"]
        subject.alter(made.id)
        after = subject.admin.get(made.url, headers={"Cache-Control": "no-cache"}).json()
        assert after["metadata"]["version"] > before

    @needs("get")
    def test_fields_reduce_an_object(self, subject: Subject) -> None:
        whole = subject.read(subject.existing.url)
        part = subject.admin.get(subject.existing.url, params={"fields": "labels,metadata.phase"}).json()
        metadata = {name: whole["metadata"][name] for name in ("version", "phase")}
        assert part == {"id": whole["id"], "labels": whole["labels"], "metadata": metadata}

    @needs("get")
    def test_a_selection_of_fields_has_a_tag_of_its_own(self, subject: Subject) -> None:
        tags = [
            subject.admin.get(subject.existing.url, params=query).headers["ETag"]
            for query in ({}, {"fields": "labels"}, {"view": "summary"})
        ]
        assert len(set(tags)) == 3

    @needs("get")
    def test_an_unknown_field_of_an_object_is_refused_by_name(self, subject: Subject) -> None:
        refused = problem(subject.admin.get(subject.existing.url, params={"fields": "nope"}), 422, "validation")
        assert "nope" in refused["errors"]["fields"][0]

    @needs("get")
    def test_a_head_of_an_object_has_the_headers_of_a_get_and_no_body(self, subject: Subject) -> None:
        tag = subject.admin.get(subject.existing.url).headers["ETag"]
        head = subject.admin.head(subject.existing.url)
        assert (head.status_code, head.content, head.headers["ETag"]) == (200, b"", tag)

    @needs("many")
    def test_an_object_that_is_not_there_is_404(self, subject: Subject, object_verb: str) -> None:
        problem(subject.send(object_verb, subject.missing), 404, "not-found")
