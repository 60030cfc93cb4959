"""``/api/v1/resources``: the routes of the objects of every Omni type."""
