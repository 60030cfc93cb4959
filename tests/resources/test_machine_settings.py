"""The promises of the HTTP contract for what is set about machines."""

from resources import inframachineconfig, kernelargs, machineclass

from .built_in import BuiltIn


class TestMachineClasses(BuiltIn):
    plugin = machineclass.plugin
    second = {"id": "arm", "match_labels": ["omni.sidero.dev/arch = arm64"]}


class TestKernelArgs(BuiltIn):
    plugin = kernelargs.plugin
    second = {"id": "2d1f4a52-8f7e-4a3c-9f0e-0d7b9f3f6a02", "args": ["console=ttyS1", "quiet"]}


class TestInfraMachineConfigs(BuiltIn):
    plugin = inframachineconfig.plugin
    not_removable = ("acceptance_status",)
    second = {"id": "2d1f4a52-8f7e-4a3c-9f0e-0d7b9f3f6a02", "acceptance_status": "ACCEPTED", "cordoned": True}
