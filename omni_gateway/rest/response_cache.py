"""Answers that came from the cache, to be given again for as long as what they were made of has not changed."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Response, request

from omni_gateway.cache.informers import Informers
from omni_gateway.cache.read_record import Dependency
from omni_gateway.http import etags
from omni_gateway.http.headers import settled
from omni_gateway.http.ready import Ready
from omni_gateway.lru import RENDERED_RESPONSES
from omni_gateway.rest.cache_headers import current_read_record, max_age

JSON = ("Content-Type", "application/json")
_DATED, _OF_A_BODY = {"Age"}, {"Content-Length", "Content-Type"}
Question = tuple[str, ...]
"""All that an answer depends on, but for the objects."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer and what it was made of; ``body`` None: nobody has asked but with its tag."""

    parts: tuple[Dependency, ...]
    headers: list[tuple[str, str]]
    tag: str
    body: bytes | None

    def given(self, age: float) -> Response | None:
        """Return the answer to the request in flight; None where that takes the body, which is not here."""
        dated = ("Age", str(int(age)))
        if etags.if_none_match(request, self.tag):
            return Ready([*self.headers, dated], None, 304)
        if self.body is None:
            return None
        return Ready([*self.headers, dated, JSON, ("Content-Length", str(len(self.body)))], self.body)


class Answers:
    """The answers of one application that were given last.

    Nothing of a question is looked at again: the same one has the same answer. What that was made of is looked at each
    time, so it is as fresh as one that is made anew.
    """

    def __init__(self, cache: Informers) -> None:
        self._cache = cache

    def repeated(self, question: Question) -> Response | None:
        """Return the answer that was given before, if it is still the right one."""
        answer: Answer | None = RENDERED_RESPONSES.get((self, question))
        if answer is None:
            return None
        age = self._cache.age_of(answer.parts, max_age())
        return None if age is None else answer.given(age)

    def keep(self, question: Question, response: Response) -> None:
        """Keep the answer to the request in flight if all of it came from the cache."""
        reading, tag = current_read_record(), response.headers.get("ETag")
        if response.status_code not in (200, 304) or tag is None or not (reading.is_hit and reading.cacheable_response):
            return
        headers = settled((name, value) for name, value in response.headers if name not in _DATED | _OF_A_BODY)
        body = response.get_data() if response.status_code == 200 else None
        answer = Answer(tuple(reading.dependencies), headers, tag, body)
        RENDERED_RESPONSES.put((self, question), answer, tag.encode() if body is None else body)
