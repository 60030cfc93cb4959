"""The page: `/pages/capacity`, for browsers."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from omni_gateway.sdk import ResourceAdapter, Role
from omni_gateway.sdk.extensions import Page

from omni_gateway_capacity.documents import counts


def values(adapter: ResourceAdapter) -> Mapping[str, Any]:
    """Return what the template shows: the members of the document."""
    return counts(adapter, {})


PAGE = Page(
    "", title="Capacity", template=Path(__file__).parent / "pages" / "capacity.html", role=Role.READER, values=values
)
