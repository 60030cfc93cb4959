"""JWTs of OpenID Connect providers as a way in.

Imported only where the settings ask for it: the cryptography behind it takes time and memory to load.
"""

from omni_gateway.auth.oidc.discovery import IssuerChecks, Report, Step, load_keys
from omni_gateway.auth.oidc.fetching import Fetcher
from omni_gateway.auth.oidc.method import OidcMethod
from omni_gateway.auth.oidc.providers import Providers

__all__ = ["Fetcher", "IssuerChecks", "OidcMethod", "Providers", "Report", "Step", "load_keys"]
