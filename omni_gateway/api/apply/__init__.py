"""``POST /api/v1/apply``: many objects in omnictl's format, created or updated in the order that Omni requires."""
