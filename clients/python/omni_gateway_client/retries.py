"""Requests that are sent again where that is safe and of use, and problems raised as exceptions."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

import httpx
import tenacity

from .problems import ProblemError

_IDEMPOTENT = ("GET", "HEAD", "OPTIONS", "PUT", "DELETE")
_KEY = "Idempotency-Key"


@dataclass(frozen=True)
class Retries:
    """How long a request is tried.

    :param attempts: how often it is sent at most.
    :param seconds: after which no further attempt begins.
    """

    attempts: int = 6
    seconds: float = 60.0

    def options(self, request: httpx.Request) -> dict[str, Any]:
        """Return the options of tenacity for a request."""
        return {
            "stop": tenacity.stop_after_attempt(self.attempts) | tenacity.stop_before_delay(self.seconds),
            "wait": _pause,
            "retry": tenacity.retry_if_exception(lambda error: _may_be_sent_again(request, error)),
            "reraise": True,
        }


class RetryingTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Send requests again, and raise :class:`ProblemError` for each answer with a status of 400 or more.

    Sent again are idempotent requests, merge patches, and POSTs by their Idempotency-Key; a POST without one is given
    one. They are sent again after a lost connection and after an answer that says that it may succeed later, when its
    ``Retry-After`` is over or after pauses that grow.
    """

    def __init__(self, retries: Retries, verify: Any = True) -> None:
        self._retries = retries
        self._sync = httpx.HTTPTransport(verify=verify)
        self._async = httpx.AsyncHTTPTransport(verify=verify)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request of the blocking client."""
        _give_key(request)
        return tenacity.Retrying(**self._retries.options(request))(self._once, request)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request of the asynchronous client."""
        _give_key(request)
        return await tenacity.AsyncRetrying(**self._retries.options(request))(self._once_async, request)

    def _once(self, request: httpx.Request) -> httpx.Response:
        answer = self._sync.handle_request(request)
        if answer.status_code >= 400:
            answer.read()
            answer.close()
            raise ProblemError.of(answer)
        return answer

    async def _once_async(self, request: httpx.Request) -> httpx.Response:
        answer = await self._async.handle_async_request(request)
        if answer.status_code >= 400:
            await answer.aread()
            await answer.aclose()
            raise ProblemError.of(answer)
        return answer

    def close(self) -> None:
        """Close the blocking client's connections."""
        self._sync.close()

    async def aclose(self) -> None:
        """Close the asynchronous client's connections."""
        await self._async.aclose()


def _give_key(request: httpx.Request) -> None:
    if request.method == "POST":
        request.headers.setdefault(_KEY, str(uuid.uuid4()))


def _may_be_sent_again(request: httpx.Request, error: BaseException) -> bool:
    if not (isinstance(error, httpx.TransportError) or (isinstance(error, ProblemError) and error.retryable)):
        return False
    merge_patch = request.headers.get("Content-Type", "").startswith("application/merge-patch+json")
    return request.method in _IDEMPOTENT or _KEY in request.headers or merge_patch


_growing = tenacity.wait_exponential_jitter(initial=0.25, max=10, jitter=0.25)


def _pause(state: tenacity.RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    retry_after = error.retry_after if isinstance(error, ProblemError) else None
    return max(retry_after or 0.0, _growing(state))
