"""Accounts, their keys and roles; the signature of a call, its permissions, and the audit log of writes."""
