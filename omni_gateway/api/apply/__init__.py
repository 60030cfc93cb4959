"""``POST /api/v1/apply``: the route of documents in omnictl's format."""
