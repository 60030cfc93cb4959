"""HTTP's rules, a module each: problems, pagination, ETags, idempotency keys, rate limits, access, headers, bodies."""
