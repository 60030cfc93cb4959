"""The conformance kit for plugins: inherited tests and pytest fixtures. Plugins import ``omni_gateway.sdk.testing``.

It is the topmost layer: it starts the application, the server and the embedded Omni. pytest, httpx and jsonschema-rs
are needed, which the extra ``omni-gateway[testing]`` installs; nothing else of the gateway imports this package.
"""
