"""Detection of credentials by their form, for texts of callers (URLs, keys of maps) before they are logged.

Detected are the gateway's own tokens, JSON Web Tokens and Omni's keys (both are base64 of JSON, so they start with
``eyJ``), and any long run of random base64. Secrets of other forms, such as short passwords, are not.
"""

from __future__ import annotations

import re

MASK = "***"
#: Characters of base64, plain and percent-encoded. Runs below 30 characters (180 bits) are taken for words.
_PLAIN = r"[A-Za-z0-9_+/-]"
_QUOTED = r"(?:[A-Za-z0-9_+-]|%2[BbFf]|%3[Dd])"
_RUN = re.compile(rf"{_PLAIN}{{30,}}={{0,2}}")
_QUOTED_RUN = re.compile(rf"{_QUOTED}{{30,}}={{0,2}}")
_KNOWN = re.compile(rf"(?:ogw_|eyJ)(?:{_QUOTED}|\.){{16,}}={{0,2}}")
_NOT_SHOWN = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]")


def looks_secret(text: str) -> bool:
    """Return whether a text contains something of the form of a credential."""
    if len(text) < 20:
        return False
    return _KNOWN.search(text) is not None or any(map(_is_random, _RUN.findall(text)))


def _is_random(run: str) -> bool:
    """Return whether a run has both cases and digits, as base64 does; words and hexadecimal hashes have one case."""
    return not run.islower() and not run.isupper() and any(character.isdigit() for character in run)


def masked(text: str) -> str:
    """Return a longer text, such as a log line or a URL's path, with everything masked that looks like a credential."""
    text = _KNOWN.sub(MASK, text)
    return _QUOTED_RUN.sub(lambda found: MASK if _is_random(found[0]) else found[0], text)


def shown(text: str, most: int) -> str:
    """Return a text for a record: masked if it looks secret, printable, at most ``most`` characters long."""
    return MASK if looks_secret(text) else plain(text, most)


def plain(text: str, most: int) -> str:
    """Return a text for a record, without the check for secrets: printable, at most ``most`` characters long."""
    if not text.isascii():
        text = text.encode("utf-8", "replace").decode()
    if not text.isprintable():
        text = _NOT_SHOWN.sub("\N{REPLACEMENT CHARACTER}", text)
    return text if len(text) <= most else f"{text[: most - 1]}…"
