"""The text of inline content, as Omni keeps it: bytes of YAML."""

from __future__ import annotations

import yaml

from omni_gateway.templates.model import Inline


def content_text(inline: Inline | None) -> str:
    """Return inline content as YAML; a text is YAML already."""
    if inline is None or isinstance(inline, str):
        return inline or ""
    documents = inline if isinstance(inline, list) else [inline]
    return "---\n".join(yaml.safe_dump(each, indent=4, allow_unicode=True, width=1 << 30) for each in documents)
