"""The errors of calls to Omni, and their mapping from gRPC's codes.

Omni uses one gRPC code for different things, so the class is chosen by the call and the code together, not by Omni's
text, which differs between versions. The exception: only its text tells a message that is too large from too many
calls.
"""

from __future__ import annotations

import grpc

from omni_gateway.redaction.text import mask_secrets

_LONGEST_DETAIL = 4096
_LONGEST_WAIT = 3600.0
_UPDATE = "omni.resources.ResourceService/Update"
_DELETE = "omni.resources.ResourceService/Delete"


class OmniError(Exception):
    """A call that failed.

    ``code``: gRPC's status. ``detail``: Omni's text in one line, at most 4 KiB, free of control characters.
    ``method``: the call, such as ``omni.resources.ResourceService/Update``. ``retry_after``: seconds after which the
    server asked to be tried again, if it said so.
    """

    def __init__(
        self, code: grpc.StatusCode, detail: str, method: str = "", *, retry_after: float | None = None
    ) -> None:
        self.code = code
        self.detail = clean(detail)
        self.method = method
        self.retry_after = retry_after
        super().__init__(code, self.detail, method)

    def __str__(self) -> str:
        return f"{self.method or 'omni'}: {self.code.name}: {self.detail}"


class NotFound(OmniError):
    """There is no such object, machine, token or account."""


class AlreadyExists(OmniError):
    """An object, account or key of that name is there already."""


class StaleVersion(OmniError):
    """The object has changed since the version that was written over (AlreadyExists on Update)."""


class FailedPrecondition(OmniError):
    """The state of things does not allow the call."""


class FinalizersRemain(FailedPrecondition):
    """The object still has finalizers of controllers, so it cannot be destroyed yet (FailedPrecondition on Delete)."""


class InvalidArgument(OmniError):
    """Omni's validation refused the request, or the request cannot be written down in gRPC at all."""


class PermissionDenied(OmniError):
    """The identity's role is too low, or Omni does not allow access to the type at all."""


class CredentialRefused(OmniError):
    """Omni does not accept the key or the signature: unknown, expired, revoked, or a clock that is wrong."""


class Unavailable(OmniError):
    """Omni, or the machine behind it, cannot be reached."""


class OmniSilent(Unavailable):
    """Omni has not answered anything for a while, so the call was not sent; see :mod:`omni_gateway.omni.circuit`."""


class DeadlineExceeded(OmniError):
    """No answer in time; whether the call took effect is not known."""


class NoTimeLeft(DeadlineExceeded):
    """The request's time was over before the call, so it was not sent; see :mod:`omni_gateway.omni.deadline`."""


class ResourceExhausted(OmniError):
    """Omni, or a proxy in front of it, takes no more calls for now; ``retry_after`` is when it does, if it said so."""


class MessageTooLarge(ResourceExhausted):
    """A message larger than Omni or this client takes; the same call fails again."""


class ListTooLarge(MessageTooLarge):
    """A list of more bytes than this client takes, however it is read; see :mod:`omni_gateway.omni.large_lists`."""


class Unimplemented(OmniError):
    """This Omni, or the machine behind it, has no such call."""


class Cancelled(OmniError):
    """The call was cancelled on this side, or its client was closed."""


class Unknown(OmniError):
    """Any other error; Omni answers this code to several kinds of invalid requests, too."""


_BY_CODE: dict[grpc.StatusCode, type[OmniError]] = {
    grpc.StatusCode.NOT_FOUND: NotFound,
    grpc.StatusCode.ALREADY_EXISTS: AlreadyExists,
    grpc.StatusCode.FAILED_PRECONDITION: FailedPrecondition,
    grpc.StatusCode.INVALID_ARGUMENT: InvalidArgument,
    grpc.StatusCode.PERMISSION_DENIED: PermissionDenied,
    grpc.StatusCode.UNAUTHENTICATED: CredentialRefused,
    grpc.StatusCode.UNAVAILABLE: Unavailable,
    grpc.StatusCode.DEADLINE_EXCEEDED: DeadlineExceeded,
    grpc.StatusCode.RESOURCE_EXHAUSTED: ResourceExhausted,
    grpc.StatusCode.UNIMPLEMENTED: Unimplemented,
    grpc.StatusCode.CANCELLED: Cancelled,
}

_BY_CALL: dict[tuple[str, grpc.StatusCode], type[OmniError]] = {
    (_UPDATE, grpc.StatusCode.ALREADY_EXISTS): StaleVersion,
    (_DELETE, grpc.StatusCode.FAILED_PRECONDITION): FinalizersRemain,
}

#: Texts of limits on size, which share a code with those on calls: of gRPC's libraries, and of Omni's bound on a write.
_TOO_LARGE = ("larger than max", "exceeds the configured burst")


def error_for(method: str, code: grpc.StatusCode, detail: str, *, retry_after: float | None = None) -> OmniError:
    """Return the error of a call (``package.Service/Method``) that ended with ``code``."""
    kind = _BY_CALL.get((method, code)) or _BY_CODE.get(code, Unknown)
    if kind is ResourceExhausted and any(text in detail for text in _TOO_LARGE):
        kind = MessageTooLarge
    return kind(code, detail, method, retry_after=retry_after)


def from_rpc(method: str, error: grpc.RpcError) -> OmniError:
    """Return the error that a gRPC exception stands for."""
    if not isinstance(error, grpc.Call):
        return Unknown(grpc.StatusCode.UNKNOWN, "the call failed without a status", method)
    code = error.code() or grpc.StatusCode.UNKNOWN
    return error_for(method, code, error.details() or "", retry_after=_retry_after(error))


def clean(text: str) -> str:
    """Return ``text`` fit for a log line or a JSON document: one line, printable, no secret, at most 4 KiB."""
    printable = "".join(character if character.isprintable() else " " for character in text[: 4 * _LONGEST_DETAIL])
    line = mask_secrets(" ".join(printable.split()))
    return line.encode("utf-8", "replace")[:_LONGEST_DETAIL].decode("utf-8", "ignore")


def _retry_after(call: grpc.Call) -> float | None:
    """Return the server's retry delay from the trailing metadata: ``retry-after``, or gRPC's own push-back key (ms)."""
    trailing = {key: value for key, value in call.trailing_metadata() or () if isinstance(value, str)}
    for key, unit in (("grpc-retry-pushback-ms", 0.001), ("retry-after", 1.0)):
        text = trailing.get(key, "")
        if text.isascii() and text.isdigit():
            return min(int(text[:9]) * unit, _LONGEST_WAIT)
    return None
