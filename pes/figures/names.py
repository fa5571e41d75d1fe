"""File names that are safe for any text."""

from __future__ import annotations

import hashlib
import re

_UNSAFE = re.compile(r"[^A-Za-z0-9._]+")
_LONGEST = 80


def safe_name(*parts: str | None) -> str:
    """Make a file name's stem from texts of any kind.

    Letters, digits, dots and underscores stay; all else becomes ``-``. A name
    that was changed carries eight digits of a hash, so two texts never share
    a file.

    Parameters
    ----------
    *parts : str or None
        For example a source and a key; None is left out.

    Examples
    --------
    >>> safe_name("Etna_C1"), safe_name("Etna", "summit")
    ('Etna_C1', 'Etna--summit')
    >>> safe_name("../../etc")
    'etc-74ccf3c5'
    """
    texts = [part for part in parts if part is not None]
    cleaned = [_UNSAFE.sub("-", text).strip("-._") for text in texts]
    name = "--".join(part for part in cleaned if part)
    if cleaned == texts and all(cleaned) and len(name) <= _LONGEST:
        return name
    digest = hashlib.sha256("\0".join(texts).encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{name[:_LONGEST].rstrip('-._') or 'source'}-{digest}"
