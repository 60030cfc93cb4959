"""The public surface of the plugin SDK, read from its source: the reference page, and its comparison with a release."""
