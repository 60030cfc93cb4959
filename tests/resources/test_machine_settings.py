"""The promises of the HTTP contract for what is set about machines."""

from omni_gateway.sdk.testing import ResourceConformance
from resources import inframachineconfig, kernelargs, machineclass


class TestMachineClasses(ResourceConformance):
    plugin = machineclass.plugin
    second = {"id": "arm", "match_labels": ["omni.sidero.dev/arch = arm64"]}


class TestKernelArgs(ResourceConformance):
    plugin = kernelargs.plugin
    second = {"id": "2d1f4a52-8f7e-4a3c-9f0e-0d7b9f3f6a02", "args": ["console=ttyS1", "quiet"]}


class TestInfraMachineConfigs(ResourceConformance):
    plugin = inframachineconfig.plugin
    not_removable = ("acceptance_status",)
    second = {"id": "2d1f4a52-8f7e-4a3c-9f0e-0d7b9f3f6a02", "acceptance_status": "ACCEPTED", "cordoned": True}
