"""YAML documents as rules look at them."""

from __future__ import annotations

from collections.abc import Iterator

import yaml

from omni_gateway.simulator.documents import safe_yaml
from omni_gateway.simulator.errors import InvalidArgument

NOTHING = "there is no document"


def documents(text: str) -> Iterator[yaml.Node | str]:
    """Yield the documents of a text; a problem instead when there are none to read."""
    try:
        found = safe_yaml.documents(text)
    except InvalidArgument as error:
        yield error.message
        return
    yield from found if found else (NOTHING,)
