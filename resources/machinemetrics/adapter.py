"""The fleet's machines in one object of Omni's."""

from __future__ import annotations

from omni_gateway.sdk import OmniResourceAdapter
from omni_gateway.sdk.omni import types


class MachineMetricsAdapter(OmniResourceAdapter):
    """MachineStatusMetrics: machines of all clusters, counted together."""

    restricted_may_read = False

    def __init__(self) -> None:
        super().__init__(types.MACHINE_STATUS_METRICS)
