"""The nearest documented URL to a mistyped one.

Only paths of the OpenAPI document are suggested, which anybody may read; ids are never looked up.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence

PREFIX = ("api", "v1")
#: Longer segments are not compared: the comparison takes time by their length.
_LONGEST = 100
#: More names than these are not listed; the index at ``/api/v1`` does so.
_MOST_LISTED = 24

Segments = tuple[str, ...]


class DocumentedPaths:
    """The paths of a document, such as ``/api/v1/clusters/{id}``."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._paths = [_segments(path) for path in paths]

    def nearest(self, path: str) -> str | None:
        """Return the path with its first unknown segment replaced by the most similar known one.

        A missing or wrong ``/api/v1``, and a missing group such as ``auth``, are put right as well. Segments behind the
        replaced one that lead nowhere are left out. None where no known segment is similar.
        """
        wanted = _segments(path)
        below = _without_prefix(wanted)
        groups = {known[: len(PREFIX) + 1] for known in self._paths if known[len(PREFIX) + 1 :][:1] == below[:1]}
        for candidate in (*((*group, *below) for group in sorted(groups)), wanted, (*PREFIX, *below)):
            corrected = self._corrected(candidate)
            if corrected and corrected != wanted and corrected != PREFIX:
                return "/" + "/".join(corrected)
        return None

    def names_below(self, path: str) -> tuple[str, Sequence[str]]:
        """Return the longest known beginning of a path, and the names there are below it; none if they are many."""
        known, left = self._walk(_segments(path))
        names = sorted(
            {item[len(known)] for item in left if len(item) > len(known) and not _variable(item[len(known)])}
        )
        return "/" + "/".join(known), names if len(names) <= _MOST_LISTED and len(known) > len(PREFIX) else ()

    def _walk(self, wanted: Segments) -> tuple[Segments, list[Segments]]:
        """Return the segments that lead somewhere, and the paths that begin with them."""
        left = self._paths
        for at, segment in enumerate(wanted):
            longer = [known for known in left if len(known) > at]
            following = [known for known in longer if known[at] == segment]
            following = following or [known for known in longer if _variable(known[at])]
            if not following:
                return wanted[:at], left
            left = following
        return wanted, left

    def _corrected(self, wanted: Segments) -> Segments:
        known, left = self._walk(wanted)
        if len(known) < len(wanted):
            at, segment = len(known), wanted[len(known)]
            names = {_words(item[at]): item[at] for item in left if len(item) > at and not _variable(item[at])}
            close = difflib.get_close_matches(_words(segment), names, n=1) if len(segment) <= _LONGEST else []
            if not close:
                return ()
            known, left = self._walk((*known, names[close[0]], *wanted[at + 1 :]))
        while known and not any(len(item) == len(known) for item in self._walk(known)[1]):
            known = known[:-1]
        return known


def _segments(path: str) -> Segments:
    return tuple(path.strip("/").split("/"))


def _words(segment: str) -> str:
    """Return the words of a segment in one order: ``upgrade-kubernetes`` is like ``kubernetes-upgrade``."""
    return "-".join(sorted(re.split("[-_]", segment.lower())))


def _without_prefix(segments: Segments) -> Segments:
    while segments and re.fullmatch(r"api|v\d+", segments[0]):
        segments = segments[1:]
    return segments


def _variable(segment: str) -> bool:
    return segment.startswith("{")
