"""Declarations whose keys are words of somebody's files: long ones stand as pairs, as a lock file would fold them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_LONGEST_KEY = 50
BY_WORDS = ("renamed", "codes", "only", "holding", "scales", "special", "requests")
"""Fields whose keys are words of their files."""


def as_pairs(body: Mapping[str, Any]) -> dict[str, Any]:
    """A declaration in which a table with a long word for a key is a list of pairs.

    >>> as_pairs({"only": {"May we write to you about offers, and about what is new?": ["yes"]}})["only"]
    [['May we write to you about offers, and about what is new?', ['yes']]]
    """
    return {name: paired(value) if name in BY_WORDS else value for name, value in body.items()}


def paired(value: Any) -> Any:
    """A table as pairs where one of its keys would be folded, and what is in it alike."""
    if not isinstance(value, Mapping):
        return value
    inner = {key: paired(one) for key, one in value.items()}
    return [[key, one] for key, one in inner.items()] if any(map(_breaks, inner)) else inner


def _breaks(key: str) -> bool:
    """It would be folded: then `dvc.lock` cannot be read any more."""
    return len(str(key)) > _LONGEST_KEY and " " in str(key)


def as_table(value: Any) -> Any:
    """A table, also of pairs; lists in it as strict validation takes them."""
    if isinstance(value, Mapping):
        return {key: as_table(one) for key, one in value.items()}
    if not isinstance(value, list | tuple):
        return value
    if value and all(isinstance(p, list | tuple) and len(p) == 2 and isinstance(p[0], str) for p in value):
        words = [p[0] for p in value]
        return {key: as_table(one) for key, one in value} if len({*words}) == len(words) else tuple(value)
    return tuple(map(as_table, value))


def long_keys(own: Any) -> list[str]:
    """Where a long word is a key, in sources as `params.yaml` has them."""
    return [
        f"own.{name}.{field}"
        for name, body in (own.items() if isinstance(own, Mapping) else ())
        for field in BY_WORDS
        if isinstance(body, Mapping) and paired(body.get(field)) != body.get(field)
    ]
