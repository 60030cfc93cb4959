"""The settings: variables of the gateway's environment, or lines of its configuration file."""

from dataclasses import dataclass

from omni_gateway.sdk.extensions import setting


@dataclass(frozen=True)
class RacksSettings:
    """`OMNI_GATEWAY_RACKS_DATABASE`; the URL is secret, since it may have a password."""

    database: str = setting("URL of the database, in SQLAlchemy's form; by default a file of SQLite's", "", secret=True)
