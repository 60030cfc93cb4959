"""Clients of the gateway, made from its OpenAPI document."""
