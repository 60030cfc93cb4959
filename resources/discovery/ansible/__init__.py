"""Machines as an inventory of Ansible."""

from omni_gateway.sdk.actions import ServicePlugin
from resources.discovery.ansible.inventory import INVENTORY
from resources.discovery.machines import MachineStatusAdapter

plugin = ServicePlugin(
    adapter=MachineStatusAdapter(),
    name="discovery/ansible",
    group="Discovery",
    tag_title="Ansible inventory",
    documents=[INVENTORY],
    description="Machines as hosts of an Ansible inventory, in the JSON that an inventory script prints for `--list`.",
    import_name=__name__,
)
