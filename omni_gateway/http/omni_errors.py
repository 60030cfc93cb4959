"""Omni's refusals as problems: by call and code, for a code alone means different things on different calls.

(facts: cluster-side 1.3 and 16, machine-auth-detail 7)
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from omni_gateway.http.guard import refused_by_omni
from omni_gateway.http.problems import Problem
from omni_gateway.omni import errors
from omni_gateway.omni.errors import OmniError
from omni_gateway.omni.outcomes import may_have_been_applied

UNREACHABLE_RETRY_SECONDS = 5
TOO_EARLY_RETRY_SECONDS = 5
#: How Omni ends the reason of a refusal that passes by itself, once its controllers have looked at the object.
_PASSES_BY_ITSELF = " yet"

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
    errors.Cancelled: (503, "omni-unreachable"),  # by the other side, which goes away
    errors.DeadlineExceeded: (504, "omni-timeout"),
    errors.ResourceExhausted: (413, "too-large"),
    errors.Unimplemented: (501, "not-implemented"),
}

_HINTS: Mapping[type[OmniError], str] = {
    errors.PermissionDenied: (
        "Omni's own controllers may own this, or the gateway's service account has too low a role in Omni."
    ),
    errors.FinalizersRemain: "Something still depends on the object; see metadata.finalizers.",
    errors.StaleVersion: "Read the object again and repeat the change.",
    errors.CredentialRefused: "The operator of this gateway must give it a valid service account key.",
}

#: Calls that Omni hands on to a machine's own Talos: what it can send at all has arrived in Omni.
_MACHINES = "machine.MachineService/"
#: A read has no precondition of the caller's: an Omni that refuses one is not set up yet (its EULA, for one).
_READS = ("ResourceService/Get", "ResourceService/List", "ResourceService/Watch")
#: Omni answers Unknown to a value that it cannot decode or sort by; these calls are told apart from real failures.
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
    """Return the problem that tells a caller of Omni's refusal."""
    if isinstance(error, errors.CredentialRefused) and (theirs := refused_by_omni()):
        return theirs
    status, code = _status_and_code(error)
    headers = {"Retry-After": str(math.ceil(error.retry_after or UNREACHABLE_RETRY_SECONDS))} if status == 503 else {}
    if code == "too-early":
        headers = {"Retry-After": str(TOO_EARLY_RETRY_SECONDS)}
    default_hint = next((text for kind, text in _HINTS.items() if isinstance(error, kind)), None)
    if may_have_been_applied(error):
        default_hint = "It may have been done all the same: look before you send it again."
    return Problem(
        status,
        code,
        None if status in (502, 503, 504) and code != "omni-error" else error.detail,
        hint=hint or default_hint,
        grpc_code=error.code.name,
        headers=headers,
    )


def is_too_early(error: OmniError) -> bool:
    """Whether Omni refuses because it has not found something out yet, and will take the same call later."""
    return isinstance(error, errors.FailedPrecondition) and error.detail.rstrip(".").endswith(_PASSES_BY_ITSELF)


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
