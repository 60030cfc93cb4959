"""The promises of the HTTP contract, for runbooks."""

from omni_gateway_extras.runbooks import plugin

from omni_gateway.sdk.testing import ResourceConformance


class TestRunbooks(ResourceConformance):
    plugin = plugin
    second = {"id": "disk-full", "title": "A disk is full", "steps": ["find what grows", "remove old images"]}
