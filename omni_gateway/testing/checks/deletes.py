"""Removals: 204, or 202 with an operation that ends; then the object is not there."""

from __future__ import annotations

from omni_gateway.testing.conditions import needs
from omni_gateway.testing.subject import Subject, problem


class DeleteChecks:
    """Promises of ``DELETE /<collection>/<id>``."""

    @needs("delete", "get")
    def test_a_removed_object_is_not_there_any_more(self, subject: Subject) -> None:
        made = subject.one_to_remove()
        response = subject.admin.delete(made.url)
        assert response.status_code in (202, 204), response.text
        assert subject.is_gone(made.url)

    @needs("delete", "get")
    def test_a_second_removal_is_404(self, subject: Subject) -> None:
        made = subject.one_to_remove()
        subject.admin.delete(made.url)
        assert subject.is_gone(made.url)
        problem(subject.admin.delete(made.url), 404, "not-found")

    @needs("delete", "create", "own id", "get", "immediate")
    def test_an_id_can_be_used_again_after_a_removal(self, subject: Subject) -> None:
        made = subject.make()
        subject.admin.delete(made.url)
        assert subject.is_gone(made.url)
        again = subject.admin.post(subject.collection, json=made.body)
        assert again.status_code in (200, 201), again.text
