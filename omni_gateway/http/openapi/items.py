"""Lists of another collection's objects, whose schema is not known where they are declared."""

from __future__ import annotations

from typing import Any

#: Instead of the schema of a list's items: the path of the collection that they belong to.
ITEMS_OF = "x-items-of"


def resolve_items(document: dict[str, Any]) -> None:
    """Replace each :data:`ITEMS_OF` by the schema that the list at that path has for its items.

    Where there is no such list, its plugin is not loaded; the items may then be any objects.
    """
    for item in document["paths"].values():
        answer = _answer(item)
        if answer and (path := answer.get("items", {}).get(ITEMS_OF)):
            known = _answer(document["paths"].get(path, {}))
            answer["items"] = known["items"] if known else {"type": "object", "additionalProperties": True}


def _answer(item: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of the 200 response to a GET; empty if there is none."""
    response = item.get("get", {}).get("responses", {}).get("200", {})
    answer: dict[str, Any] = response.get("content", {}).get("application/json", {}).get("schema", {})
    return answer
