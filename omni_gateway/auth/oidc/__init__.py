"""Authentication by JWTs of OpenID Connect providers.

Imported only if the settings enable it: its cryptography libraries take time and memory to load.
"""

from omni_gateway.auth.oidc.discovery import IssuerChecks, Report, Step, load_keys
from omni_gateway.auth.oidc.fetcher import Fetcher
from omni_gateway.auth.oidc.method import OidcMethod
from omni_gateway.auth.oidc.providers import Providers

__all__ = ["Fetcher", "IssuerChecks", "OidcMethod", "Providers", "Report", "Step", "load_keys"]
