"""Failures that a call may answer: a gRPC status code and a text."""

from __future__ import annotations

from typing import ClassVar

import grpc


class SimError(Exception):
    """A refusal: ``code`` is its gRPC status code, ``message`` the text for the caller."""

    code: ClassVar[grpc.StatusCode] = grpc.StatusCode.UNKNOWN

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Unknown(SimError):
    """Omni's answer for an error that has no code of its own."""


class NotFound(SimError):
    """The object does not exist."""

    code = grpc.StatusCode.NOT_FOUND


class AlreadyExists(SimError):
    """The id is taken; on the JSON surface also: the version that an update names is stale."""

    code = grpc.StatusCode.ALREADY_EXISTS


class PermissionDenied(SimError):
    """The role does not allow it, or the object has another owner."""

    code = grpc.StatusCode.PERMISSION_DENIED


class InvalidArgument(SimError):
    """A validation rule, or several, refused the request."""

    code = grpc.StatusCode.INVALID_ARGUMENT


class FailedPrecondition(SimError):
    """The object is not in a state that allows it: finalizers remain, a machine is busy."""

    code = grpc.StatusCode.FAILED_PRECONDITION


class Conflict(FailedPrecondition):
    """The version that an update expects is not the object's."""


class Unauthenticated(SimError):
    """No signature, or one that does not hold."""

    code = grpc.StatusCode.UNAUTHENTICATED


class Unimplemented(SimError):
    """Omni has no such call for this type or runtime."""

    code = grpc.StatusCode.UNIMPLEMENTED


class Unavailable(SimError):
    """Nothing to talk to behind Omni: a cluster without addresses, a machine that is off."""

    code = grpc.StatusCode.UNAVAILABLE


class Internal(SimError):
    """Omni's answer when its own handler failed."""

    code = grpc.StatusCode.INTERNAL


class ResourceExhausted(SimError):
    """A watcher that does not keep up, or more of them than this server serves."""

    code = grpc.StatusCode.RESOURCE_EXHAUSTED
