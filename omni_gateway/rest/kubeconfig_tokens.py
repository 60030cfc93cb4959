"""The life and the groups of the token in a service account's kubeconfig, as queries have them."""

from __future__ import annotations

from datetime import timedelta

import marshmallow as ma

_LONGEST_TTL = timedelta(days=3650)
_MOST_GROUPS = 32


def token_ttl(seconds: str) -> timedelta:
    """Return the life of a token from the text that a :class:`Duration` field loads; also the validator of that field.

    Raises marshmallow's ``ValidationError`` unless it is more than zero and at most 10 years.
    """
    ttl = timedelta(seconds=min(float(seconds.removesuffix("s")), 2 * _LONGEST_TTL.total_seconds()))
    if not timedelta(0) < ttl <= _LONGEST_TTL:
        raise ma.ValidationError("Must be more than zero and at most 10 years (87600h).")
    return ttl


def token_groups(text: str) -> list[str]:
    """Return the Kubernetes groups of a token from a comma-separated text; also the validator of a field of such texts.

    Raises marshmallow's ``ValidationError`` for more than 32 groups.
    """
    groups = [group.strip() for group in text.split(",") if group.strip()]
    if len(groups) > _MOST_GROUPS:
        raise ma.ValidationError(f"At most {_MOST_GROUPS} groups.")
    return groups
