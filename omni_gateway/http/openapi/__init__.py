"""Parts of the OpenAPI document that operations share, and what is derived from the whole of it."""
