"""Scrape targets for Prometheus, by its HTTP service discovery."""

from omni_gateway.sdk.actions import ServicePlugin
from resources.discovery.machines import MachineStatusAdapter
from resources.discovery.prometheus.targets import TARGETS

plugin = ServicePlugin(
    adapter=MachineStatusAdapter(),
    name="discovery/prometheus",
    group="Discovery",
    tag_title="Prometheus targets",
    documents=[TARGETS],
    description="Machines as scrape targets, in the format of Prometheus' HTTP service discovery (`http_sd_configs`).",
    import_name=__name__,
)
