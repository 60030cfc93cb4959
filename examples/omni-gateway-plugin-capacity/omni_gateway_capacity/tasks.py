"""The background task: one worker of all replicas warns in the log while machines are missing."""

import logging

from omni_gateway.sdk.extensions import Task, TaskContext
from omni_gateway.sdk.omni import types

from omni_gateway_capacity.documents import count

_LOG = logging.getLogger(__name__)


def warn(context: TaskContext) -> None:
    """Compare the number of machines with the setting; called each minute."""
    wanted = context.settings.machines
    if (present := count(context.omni, types.MACHINE_STATUSES)) < wanted:
        _LOG.warning("%d of %d machines have joined", present, wanted)


WARN = Task("warn", warn, per="deployment", every=60)
