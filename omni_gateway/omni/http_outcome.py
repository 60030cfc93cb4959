"""How a call over Omni's HTTP gateway ended, in gRPC's terms."""

from __future__ import annotations

from collections.abc import Callable
from http.client import HTTPResponse
from types import TracebackType
from typing import Any, NoReturn

import grpc
import orjson

from omni_gateway.omni.outcomes import NEVER_SENT

Code = grpc.StatusCode

_CODES = {code.value[0]: code for code in Code}
#: Of answers that are not Omni's but a proxy's; as gRPC maps them, but for 413 and 429, whose meaning is plain.
_BY_STATUS = {
    400: Code.INTERNAL,
    401: Code.UNAUTHENTICATED,
    403: Code.PERMISSION_DENIED,
    404: Code.UNIMPLEMENTED,
    413: Code.RESOURCE_EXHAUSTED,
    429: Code.RESOURCE_EXHAUSTED,
    502: Code.UNAVAILABLE,
    503: Code.UNAVAILABLE,
    504: Code.UNAVAILABLE,
}
_TOO_LARGE = "the request is larger than max of a proxy in front of Omni"
#: The answer of Omni's HTTP gateway where it has no such method: the code of an object that is not there.
_NO_ROUTE = (Code.NOT_FOUND, "Not Found")


class HttpOutcome(grpc.RpcError, grpc.Call, grpc.Future):  # type: ignore[type-arg]
    """The end of a call: gRPC's error if it failed, and gRPC's call and future, which have ended."""

    def __init__(self, code: Code, details: str = "", response: Any = None, retry_after: str = "") -> None:
        super().__init__(code, details)
        self._code = code
        self._details = details
        self._response = response
        self._retry_after = retry_after

    def code(self) -> Code:
        """Return gRPC's status code."""
        return self._code

    def details(self) -> str:
        """Return the text of the status."""
        return self._details

    def initial_metadata(self) -> tuple[Any, ...]:
        """Return nothing: Omni sends none."""
        return ()

    def trailing_metadata(self) -> tuple[Any, ...]:
        """Return ``retry-after``, if the answer had that header."""
        return (("retry-after", self._retry_after),) if self._retry_after else ()

    def result(self, timeout: float | None = None) -> Any:
        """Return the response, or raise this error."""
        if self._code is not Code.OK:
            raise self
        return self._response

    def exception(self, timeout: float | None = None) -> HttpOutcome | None:
        """Return the error, if it is one."""
        return None if self._code is Code.OK else self

    def traceback(self, timeout: float | None = None) -> TracebackType | None:
        """Return the error's traceback."""
        return self.__traceback__

    def is_active(self) -> bool:
        """Return False: it has ended."""
        return False

    def running(self) -> bool:
        """Return False: it has ended."""
        return False

    def done(self) -> bool:
        """Return True."""
        return True

    def cancel(self) -> bool:
        """Return False: it has ended."""
        return False

    def cancelled(self) -> bool:
        """Return False."""
        return False

    def time_remaining(self) -> float:
        """Return 0: it has ended."""
        return 0.0

    def add_callback(self, callback: Callable[[], None]) -> bool:
        """Return False: it has ended."""
        return False

    def add_done_callback(self, fn: Callable[[Any], None]) -> None:
        """Call the function at once."""
        fn(self)


def of_exception(error: Exception, *, sent: bool, closed: bool) -> HttpOutcome:
    """Return the outcome of a call whose connection failed; ``closed``: this side has closed it."""
    if closed:
        return HttpOutcome(Code.CANCELLED, "the client was closed meanwhile")
    if isinstance(error, TimeoutError):
        return HttpOutcome(Code.DEADLINE_EXCEEDED, "Deadline Exceeded")
    reason = str(error) or type(error).__name__
    return HttpOutcome(Code.UNAVAILABLE, f"the connection broke: {reason}" if sent else f"{NEVER_SENT}: {reason}")


def of_answer(response: HTTPResponse, text: bytes) -> HttpOutcome:
    """Return the outcome that an answer with another status than 200 stands for."""
    retry_after = response.headers.get("Retry-After", "")
    try:
        return of_status(orjson.loads(text), retry_after)
    except ValueError:
        pass
    details = f"HTTP {response.status}, not from Omni but from a proxy in front of it"
    if response.status == 413:
        details = _TOO_LARGE
    return HttpOutcome(_BY_STATUS.get(response.status, Code.UNKNOWN), details, retry_after=retry_after)


def of_status(document: Any, retry_after: str = "") -> HttpOutcome:
    """Return the outcome of a status as JSON (``google.rpc.Status``); ValueError if it is none."""
    status = document.get("error", document) if isinstance(document, dict) else None
    code = _CODES.get(status.get("code", 0), Code.OK) if isinstance(status, dict) else Code.OK
    if status is None or code is Code.OK:
        raise ValueError("not a status")
    message = str(status.get("message", ""))
    if (code, message) == _NO_ROUTE:
        code, message = Code.UNIMPLEMENTED, "Omni's HTTP gateway has no such call (OMNI_TRANSPORT)"
    return HttpOutcome(code, message, retry_after=retry_after)


def fail(code: Code, details: str) -> NoReturn:
    """Raise the error of a call."""
    raise HttpOutcome(code, details)
