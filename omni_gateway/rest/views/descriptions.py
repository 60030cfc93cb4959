"""The descriptions of a plugin's routes in the OpenAPI document, made of its declaration."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from omni_gateway.rest.filters import Filter
from omni_gateway.rest.operations import OperationKind
from omni_gateway.rest.select import METADATA_SORTS
from omni_gateway.rest.subresources import SubCollection, SubList, SubResource
from omni_gateway.rest.views.openapi import WATCHABLE

_REPLACED = (
    "What the body leaves out of spec, labels and annotations is removed; locks stay. Read-only members are ignored, so"
    " a document that was read can be sent back. A document that changes nothing is not written."
)
_PATCHED = (
    "Members of the body are set, those that are null are removed, all others stay; a list is replaced as a whole."
    " A patch that changes nothing is not written."
)


def paragraphs(*texts: str) -> str:
    """Return the texts that are not empty, a paragraph each."""
    return "\n\n".join(text for text in texts if text)


def list_description(about: str, filters: Sequence[Filter], sortable: Collection[str] | None) -> str:
    """Return the description of a plugin's list: its objects, and how they are selected and sorted.

    ``sortable`` are the spec members that it may be sorted by; None: unknown.
    """
    selecting = _alternatives([*(item.name for item in filters), "label_selector", "search", "id_matches"], "and")
    sorting = [] if sortable is None else [*sorted(sortable), "id", *sorted(METADATA_SORTS)]
    text = f" Sorted by {_alternatives(sorting, 'or')}." if sorting else ""
    return paragraphs(about, f"Selected by {selecting}.{text}", WATCHABLE)


def _alternatives(names: Sequence[str], conjunction: str) -> str:
    quoted = [f"`{name}`" for name in names]
    return f"{', '.join(quoted[:-1])} {conjunction} {quoted[-1]}"


def get_description(about: str) -> str:
    """Return the description of the read of one object."""
    return paragraphs(about, WATCHABLE)


def create_description(
    about: str,
    after_write: str,
    create: OperationKind | None,
    follow_up: OperationKind | None,
    *,
    may_return_existing: bool,
) -> str:
    """Return the description of a create: the object, the answer, and the effect of the write."""
    answer = ""
    if create is not None:
        answer = (
            f"The answer is 202 with an operation of the kind `{create.name}`, which ends when the object is there."
        )
    elif follow_up is not None:
        answer = f"The header `Operation-Location` names an operation of the kind `{follow_up.name}`: how it comes up."
    elif may_return_existing:
        answer = "201 for a new object, 200 for an equal one that was there already."
    return paragraphs(about, answer, after_write)


def replace_description(after_write: str, *, creates: bool) -> str:
    """Return the description of a replace; ``creates``: whether it may create the object."""
    return paragraphs(_REPLACED, "With `If-None-Match: *` it creates the object." if creates else "", after_write)


def patch_description(after_write: str) -> str:
    """Return the description of a merge patch."""
    return paragraphs(_PATCHED, after_write)


def delete_description(after_delete: str, operation: OperationKind) -> str:
    """Return the description of a removal, with the operation that shows its progress."""
    answer = (
        f"204 if the object is gone at once, else 202 with an operation of the kind `{operation.name}`, which ends when"
        " it is gone."
    )
    return paragraphs(after_delete, answer)


def subresource_description(sub: SubResource | SubList | SubCollection, parent: str) -> str:
    """Return the description of a sub-resource's read; ``parent`` names the parent in words, e.g. ``the cluster``."""
    if isinstance(sub, SubCollection):
        text = f"The same list as `{sub.plugin}?{sub.filter}={{id}}`, with the same parameters."
    elif isinstance(sub, SubList):
        text = f"{sub.summary}. Sorted, searched and paged as every list."
    elif sub.absent is not None:
        text = f"{sub.summary}; an object without values where Omni has none."
    elif sub.comes_later:
        text = f"{sub.summary}. Omni creates it some time after {parent}: until then 404 `not-yet` with `Retry-After`."
    else:
        text = f"{sub.summary}; 404 while Omni has none."
    return paragraphs(text, WATCHABLE)
