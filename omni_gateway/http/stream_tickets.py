"""Tickets by which a page opens a stream: a browser's ``EventSource`` sends no ``Authorization`` header.

A ticket is for one URL, one request and :data:`VALID_SECONDS`. The store has its SHA-256 and the caller's credential,
encrypted with the ticket and bound to the URL; so it reveals neither, and any worker and replica can redeem a ticket.
Redeeming gives the credential, which is then verified like that of any request: role, clusters and revocation are
those of the moment, at the start of the stream and while it lasts.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from datetime import UTC, datetime
from urllib.parse import parse_qsl, quote, unquote, urlencode

from omni_gateway.http.encryption import decrypt, encrypt
from omni_gateway.store import StreamTicketStore

VALID_SECONDS = 60
#: Unused tickets that one caller may have.
MOST_UNUSED = 100
#: The only ``Accept`` of a request with a ticket; browsers send exactly this.
MEDIA_TYPE = "text/event-stream"
SECRET_BYTES = 32
#: Its expiry, in seconds since the epoch, and the secret. The prefix is masked in logs like that of a token.
_TICKET = re.compile(r"ogw_ticket_([0-9a-f]{8,10})_[A-Za-z0-9_-]{43}")


class TicketRefused(Exception):
    """A ticket cannot be used; the text is for the caller. ``unknown``: it may be a guess."""

    def __init__(self, text: str, *, unknown: bool = False) -> None:
        super().__init__(text)
        self.unknown = unknown


class StreamTickets:
    """Issues and redeems tickets."""

    def __init__(self, store: StreamTicketStore) -> None:
        self._store = store

    def issue(self, caller: str, credential: str, path: str, query: str) -> tuple[str, datetime] | None:
        """Return a ticket and its expiry; None if the caller has too many unused ones.

        :param caller: the id of the caller.
        :param credential: its credential; empty for an anonymous caller.
        :param path: the percent-encoded path of the stream's URL.
        :param query: the query of the URL.
        """
        expires = int(time.time()) + VALID_SECONDS
        ticket = f"ogw_ticket_{expires:x}_{secrets.token_urlsafe(SECRET_BYTES)}"
        sealed = encrypt(credential.encode("utf-8", "surrogateescape"), ticket, _canonical(path, query))
        moment = datetime.fromtimestamp(expires, UTC)
        stored = self._store.add(_sha256(ticket), _sha256(caller), sealed, moment, MOST_UNUSED)
        return (ticket, moment) if stored else None

    def redeem(self, ticket: str, path: str, query: str) -> str:
        """Return the credential of the caller that a ticket was issued to. Raises :class:`TicketRefused`.

        The ticket is used then, also if it is for another URL. Tickets are looked up by their hash: the time that it
        takes depends on nothing else.
        """
        form = _TICKET.fullmatch(ticket)
        if form is None:
            raise TicketRefused("There is no such ticket.", unknown=True)
        if int(form[1], 16) <= time.time():
            raise TicketRefused("The ticket has expired.")
        sealed = self._store.use(_sha256(ticket))
        if sealed is None:
            raise TicketRefused("There is no such ticket.", unknown=True)
        if not sealed:
            raise TicketRefused("The ticket was used before.")
        credential = decrypt(sealed, ticket, _canonical(path, query))
        if credential is None:
            raise TicketRefused("The ticket is for another URL.")
        return credential.decode("utf-8", "surrogateescape")


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def _canonical(path: str, query: str) -> str:
    """Return a URL in one of its percent-encoded forms: browsers encode some characters of the URL they are given."""
    segments = "/".join(quote(unquote(segment), safe="") for segment in path.split("/"))
    return f"{segments}?{urlencode(parse_qsl(query, keep_blank_values=True))}"
