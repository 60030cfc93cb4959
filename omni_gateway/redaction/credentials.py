"""Texts that are no secrets by their form: what a caller put into a URL or a key may be logged only if it is one.

Nobody can tell every secret by its look. What is told here: the forms of this gateway's own tokens, of JSON Web Tokens
and of Omni's keys (both are base64 of JSON, so they begin with ``eyJ``), and any long run of random base64.
"""

from __future__ import annotations

import re

MASK = "***"
#: Of base64, as it is and as a URL has it. Shorter runs are words; 30 characters are 180 bits.
_PLAIN = r"[A-Za-z0-9_+/-]"
_QUOTED = r"(?:[A-Za-z0-9_+-]|%2[BbFf]|%3[Dd])"
_RUN = re.compile(rf"{_PLAIN}{{30,}}={{0,2}}")
_QUOTED_RUN = re.compile(rf"{_QUOTED}{{30,}}={{0,2}}")
_KNOWN = re.compile(rf"(?:ogw_|eyJ)(?:{_QUOTED}|\.){{16,}}={{0,2}}")
_NOT_SHOWN = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]")


def looks_secret(text: str) -> bool:
    """Whether a text has something in it that looks like a credential."""
    if len(text) < 20:
        return False
    return _KNOWN.search(text) is not None or any(map(_is_random, _RUN.findall(text)))


def _is_random(run: str) -> bool:
    """Words and hashes keep to one case; base64 has both, and digits."""
    return not run.islower() and not run.isupper() and any(character.isdigit() for character in run)


def masked(text: str) -> str:
    """Return a longer text, such as a line of a log or a URL's path, without what looks like a credential in it."""
    text = _KNOWN.sub(MASK, text)
    return _QUOTED_RUN.sub(lambda found: MASK if _is_random(found[0]) else found[0], text)


def shown(text: str, most: int) -> str:
    """Return a text as it may stand in a record: masked if it looks secret, printable, ``most`` characters long."""
    return MASK if looks_secret(text) else plain(text, most)


def plain(text: str, most: int) -> str:
    """Return a text as it may stand in a record that callers cannot put a secret into: printable, and cut."""
    if not text.isascii():
        text = text.encode("utf-8", "replace").decode()
    if not text.isprintable():
        text = _NOT_SHOWN.sub("\N{REPLACEMENT CHARACTER}", text)
    return text if len(text) <= most else f"{text[: most - 1]}…"
