"""What follows a create: a back end may show a new object a moment late."""

from __future__ import annotations

import pytest

from omni_gateway.rest.views import create
from omni_gateway.sdk import NotFound, Resource, ResourceAdapter


class Late(ResourceAdapter):
    """Shows an object from the ``looks``-th look on."""

    def __init__(self, looks: int) -> None:
        self.left = looks

    def get(self, id: str) -> Resource:
        self.left -= 1
        if self.left > 0:
            raise NotFound(id)
        return Resource(id)


def test_a_new_object_that_shows_late_is_waited_for() -> None:
    assert create.read_created(Late(3), Resource("one")).id == "one"


def test_one_that_never_shows_is_not_found_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(create, "READ_DELAYS", (0.0, 0.0))
    with pytest.raises(NotFound):
        create.read_created(Late(9), Resource("one"))
