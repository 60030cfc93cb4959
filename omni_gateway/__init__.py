"""omni-gateway: a REST API with OpenAPI docs in front of Sidero Omni."""

__version__ = "0.1.0"
