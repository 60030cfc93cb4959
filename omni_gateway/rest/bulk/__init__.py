"""Bulk requests: one verb or action on each object of a collection that a selector names.

Each object gets a request of its own, which the gateway sends to itself: role, scope, checks, problems, redaction and
audit are those of the single request. The work is a record in the store, written before each chunk of requests and
after it: another process can continue it when this one dies.
"""
