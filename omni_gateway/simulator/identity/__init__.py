"""Accounts, their keys and roles: who signed a call, what the role permits, and the audit log of writes."""
