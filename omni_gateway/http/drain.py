"""Whether this server is about to stop, as its master tells its workers: by memory that they share.

While it drains, a server serves as ever, so that nothing fails before load balancers have turned away from it:
``/readyz`` answers 503, and every response closes its connection.
"""

from __future__ import annotations

import mmap

_NOT, _BEGUN, _LAST = 0, 1, 2


class Drain:
    """The state of one server; made before workers are forked, :meth:`begin` is called in the master only."""

    def __init__(self) -> None:
        self._shared = mmap.mmap(-1, 1)

    def begin(self, *, last: bool) -> None:
        """Begin to drain; ``last``: no other process will accept connections at this server's sockets."""
        self._shared[0] = _LAST if last else _BEGUN

    @property
    def begun(self) -> bool:
        """Return whether the server is about to stop."""
        return self._shared[0] != _NOT

    @property
    def last(self) -> bool:
        """Return whether the sockets end with this server."""
        return self._shared[0] == _LAST

    def reset(self) -> None:
        """Return to normal service; for tests."""
        self._shared[0] = _NOT


#: The one of this process and of those that it forks.
DRAIN = Drain()
