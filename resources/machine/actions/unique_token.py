"""The action reset-node-unique-token: let a machine whose token is lost join again.

A machine proves by its unique token, which Talos keeps on its disk, that it is the one that Omni knows under its id.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from omni_gateway.sdk import Problem, Resource, Role
from omni_gateway.sdk.actions import Action, DryRunResult
from omni_gateway.sdk.omni import omni_errors
from resources.machine.adapter import MachineAdapter


def reset_node_unique_token(
    adapter: MachineAdapter, id: str, body: Mapping[str, Any], *, dry_run: bool
) -> Resource | DryRunResult:
    """Have Omni forget a machine's unique token, and return the machine; one without a token is left as it is.

    Raises 409 ``too-early`` for a machine that has not reported yet: Omni does not find it.
    """
    machine = adapter.get(id)
    if machine.status is None:
        raise Problem(409, "too-early", f"Machine {id!r} has not reported to Omni yet.", headers={"Retry-After": "5"})
    if dry_run:
        return DryRunResult(machine, machine)
    try:
        adapter.omni.management.reset_node_unique_token(id)
    except (omni_errors.NotFound, omni_errors.Unknown) as error:
        # It has no token, which Omni 1.7 answers with UNKNOWN; or it was removed, which the next read raises.
        if isinstance(error, omni_errors.Unknown) and "doesn't exist" not in error.detail:
            raise
    return adapter.get(id)


RESET_NODE_UNIQUE_TOKEN = Action(
    "reset-node-unique-token",
    role=Role.ADMIN,
    summary="Have Omni forget the token by which it knows the machine",
    description="For a machine that Omni turns away because it lost its token, e.g. with its disk: the next machine"
    " that joins under this id is taken for it. A connected machine gets another token at once.",
    run=reset_node_unique_token,
)
