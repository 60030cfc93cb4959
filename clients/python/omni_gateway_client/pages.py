"""Lists, page after page."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import ParamSpec, TypeVar

from .models import Problem
from .results import result
from .types import Response

T = TypeVar("T")
P = ParamSpec("P")


def items(list_page: Callable[P, Response[list[T] | Problem]], *args: P.args, **kwargs: P.kwargs) -> Iterator[T]:
    """Yield all objects of a list: ``items(list_clusters.sync_detailed, client=gateway)``."""
    answer = list_page(*args, **kwargs)
    yield from result(answer)
    while (page := json.loads(answer.headers.get("X-Pagination", "{}")).get("next_page")) is not None:
        kwargs["page"] = page
        answer = list_page(*args, **kwargs)
        yield from result(answer)
