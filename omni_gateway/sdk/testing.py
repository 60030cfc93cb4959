"""Test a plugin: :class:`ResourceConformance`, and the types of the fixtures that come with it.

Importing it needs pytest, httpx and jsonschema-rs: ``pip install omni-gateway[testing]``. Nothing else of the SDK
imports this module. The code is the package ``omni_gateway.testing``, which is above the application and the server.
"""

from omni_gateway.testing.conformance import ResourceConformance
from omni_gateway.testing.event_stream import EventStream
from omni_gateway.testing.gateways import GatewayUnderTest
from omni_gateway.testing.omni import EmbeddedOmni
from omni_gateway.testing.subject import Subject

__all__ = ["EmbeddedOmni", "EventStream", "GatewayUnderTest", "ResourceConformance", "Subject"]
