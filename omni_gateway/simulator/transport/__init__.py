"""The gRPC port and the interceptors in front of the services."""
