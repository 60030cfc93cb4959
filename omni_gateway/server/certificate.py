"""The certificate that workers serve: the master loads it before each fork, and keeps the last one that could be used.

A worker that read the files itself would end where they do not fit together, and the master with it: a certificate that
is replaced before its key, or by a wrong one, would be an outage at the next reload, or the next end of a worker.
"""

from __future__ import annotations

import logging
import ssl
from typing import Any

from gunicorn import sock

log = logging.getLogger(__name__)


class ServedCertificate:
    """The TLS context of the last certificate and key that could be loaded."""

    def __init__(self) -> None:
        self._context: ssl.SSLContext | None = None

    def load(self, config: Any) -> ssl.SSLContext | None:
        """Return the context for a worker; None without TLS.

        Files that cannot be used are logged, and the context is that of the last ones. Raises OSError or ValueError if
        there were none.
        """
        if not config.is_ssl:
            return None
        try:
            context: ssl.SSLContext = sock.ssl_context(config)
        except (OSError, ValueError) as error:
            if self._context is None:
                raise
            log.error(
                "the certificate %s and the key %s cannot be used (%s); going on with those there were",
                config.certfile,
                config.keyfile,
                getattr(error, "reason", None) or getattr(error, "strerror", None) or error,
            )
        else:
            self._context = context
        return self._context


CERTIFICATE = ServedCertificate()
"""That of this process's server."""
