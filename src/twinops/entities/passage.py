"""A heading with its lines: what is read on one page, in a terminal, in a browser or on paper."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Passage:
    """Lines are plain text, to be escaped where they are shown."""

    heading: str
    lines: tuple[str, ...]
