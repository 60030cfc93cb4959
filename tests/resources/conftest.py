"""What the checks of the built-in resources need of their Omni."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from omni_gateway.auth.last_uses import LastUses
from omni_gateway.simulator.identity import activity


@pytest.fixture(scope="module", autouse=True)
def _lists_do_not_change_by_being_read() -> Iterator[None]:
    """The checks' own credentials are in the lists of accounts and of tokens.

    When they were last used is noted each minute, by a thread or by Omni: between two reads of a check, too.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(activity, "_INTERVAL", timedelta(days=1))
        patch.setattr(LastUses, "note", lambda *_: None)
        yield
