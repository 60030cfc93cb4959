"""Parts of the OpenAPI document that operations share, and those that are derived from the whole of it."""
