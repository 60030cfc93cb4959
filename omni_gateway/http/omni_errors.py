"""Omni's errors as problems: by call and gRPC code, for one code means different things on different calls."""

from __future__ import annotations

import math
from collections.abc import Mapping

from omni_gateway.http.guard import refused_by_omni
from omni_gateway.http.problems import Problem
from omni_gateway.omni import errors
from omni_gateway.omni.errors import OmniError
from omni_gateway.omni.outcomes import may_have_been_applied

#: ``Retry-After`` of an unreachable Omni, or one that takes no more calls, unless it names a time.
RETRY_SECONDS = 5
TOO_EARLY_RETRY_SECONDS = 5
#: The end of Omni's message when a call will succeed later, once its controllers have processed the object.
_RETRYABLE_SUFFIX = " yet"

_TABLE: Mapping[type[OmniError], tuple[int, str]] = {
    errors.NotFound: (404, "not-found"),
    errors.AlreadyExists: (409, "exists"),
    errors.StaleVersion: (409, "changed-meanwhile"),
    errors.FinalizersRemain: (409, "conflict"),
    errors.FailedPrecondition: (409, "conflict"),
    errors.InvalidArgument: (422, "refused-by-omni"),
    errors.PermissionDenied: (403, "omni-forbidden"),
    errors.CredentialRefused: (502, "omni-credential"),
    errors.Unavailable: (503, "omni-unreachable"),
    errors.Cancelled: (503, "omni-unreachable"),  # by Omni, which is shutting down
    errors.DeadlineExceeded: (504, "omni-timeout"),
    errors.MessageTooLarge: (413, "too-large"),
    errors.ResourceExhausted: (429, "omni-rate-limited"),
    errors.Unimplemented: (501, "not-implemented"),
}

_HINTS: Mapping[type[OmniError], str] = {
    errors.PermissionDenied: (
        "Omni's own controllers may own this, or the gateway's service account has too low a role in Omni."
    ),
    errors.FinalizersRemain: "Something still depends on the object; see metadata.finalizers.",
    errors.StaleVersion: "Read the object again and repeat the change.",
    errors.ListTooLarge: (
        "Narrow it by label_selector, or let the gateway's cache answer; the operator may raise"
        " OMNI_GATEWAY_MAX_LIST_BYTES and OMNI_GATEWAY_CACHE_BYTES."
    ),
    errors.CredentialRefused: "The operator of this gateway must give it a valid service account key.",
}

#: Calls that Omni forwards to a machine's own Talos; if one was sent at all, it is the machine that is unreachable.
_MACHINES = "machine.MachineService/"
#: A read has no precondition of the caller's: Omni refuses one while it is not set up (its EULA is not accepted, say).
_READS = ("ResourceService/Get", "ResourceService/List", "ResourceService/Watch")
#: Calls on which Omni answers Unknown to a value that it cannot decode or sort by: a wrong value, not a failure.
_UNKNOWN_MEANS_BAD_INPUT = (
    "ResourceService/Create",
    "ResourceService/Update",
    "ResourceService/List",
    "ManagementService/CreateServiceAccount",
    "ManagementService/RenewServiceAccount",
    "ManagementService/CreateUser",
    "ManagementService/UpdateUser",
    "ManagementService/CreateSchematic",
)


def problem_for(error: OmniError, *, hint: str | None = None) -> Problem:
    """Return the problem to answer with for an error of Omni's; ``hint`` replaces the default hint."""
    if isinstance(error, errors.CredentialRefused) and (own_key_refused := refused_by_omni()):
        return own_key_refused
    status, code = _status_and_code(error)
    headers = {}
    if status in (429, 503):
        headers = {"Retry-After": str(math.ceil(error.retry_after or RETRY_SECONDS))}
    if code == "too-early":
        headers = {"Retry-After": str(TOO_EARLY_RETRY_SECONDS)}
    default_hint = next((text for kind, text in _HINTS.items() if isinstance(error, kind)), None)
    if may_have_been_applied(error):
        default_hint = "It may have been applied all the same: check before you send it again."
    return Problem(
        status,
        code,
        None if status in (502, 503, 504) and code != "omni-error" else error.detail,
        hint=hint or default_hint,
        grpc_code=error.code.name,
        headers=headers,
    )


def is_too_early(error: OmniError) -> bool:
    """Return whether Omni refuses only because its controllers are not that far yet, and will accept the call later."""
    return isinstance(error, errors.FailedPrecondition) and error.detail.rstrip(".").endswith(_RETRYABLE_SUFFIX)


def _status_and_code(error: OmniError) -> tuple[int, str]:
    if isinstance(error, errors.FailedPrecondition) and error.method.endswith(_READS):
        return 502, "omni-error"
    if is_too_early(error):
        return 409, "too-early"
    if isinstance(error, errors.Unavailable) and error.method.startswith(_MACHINES) and may_have_been_applied(error):
        return 503, "machine-unreachable"
    for kind, answer in _TABLE.items():
        if isinstance(error, kind):
            return answer
    if isinstance(error, errors.Unknown) and error.method.endswith(_UNKNOWN_MEANS_BAD_INPUT):
        return 422, "refused-by-omni"
    return 502, "omni-error"
