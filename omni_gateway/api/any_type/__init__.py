"""``/api/v1/resources``: every type that Omni has, in one form, so that none is out of reach without a plugin."""
