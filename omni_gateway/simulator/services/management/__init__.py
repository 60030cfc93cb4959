"""``management.ManagementService``: one module per group of calls, put together in ``service``."""
