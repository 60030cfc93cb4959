"""``/api/v1/resources``: the objects of every Omni type in one form, also of types without a plugin."""
