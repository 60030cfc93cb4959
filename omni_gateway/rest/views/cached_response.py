"""A read whose answer came from the cache is not gone through again while that answer is right."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import request

from omni_gateway.http.guard import current_principal
from omni_gateway.rest.gateway import current_gateway
from omni_gateway.rest.response_cache import Question

LONGEST_QUESTION = 1024


def repeating(view: Callable[..., Any]) -> Callable[..., Any]:
    """Return a read's view that gives its answers again; its caller is known and may read."""

    @wraps(view)
    def read(*args: Any, **kwargs: Any) -> Any:
        question = _question()
        if question is None:
            return view(*args, **kwargs)
        answers = current_gateway().answers
        response = answers.repeated(question)
        if response is None:
            response = view(*args, **kwargs)
            answers.keep(question, response)
        return response

    return read


def _question() -> Question | None:
    """Return all that the answer depends on; None where it is not given again, for what that caller sees is its own."""
    caller = current_principal()
    if caller.omni is not None or caller.scope.restricted:
        return None
    environ = request.environ
    url = (environ["PATH_INFO"], environ["QUERY_STRING"])
    question = (*url, environ.get("HTTP_ACCEPT", ""), caller.id, caller.role_name)
    return question if sum(map(len, question)) <= LONGEST_QUESTION else None
