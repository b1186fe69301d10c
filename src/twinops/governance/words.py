"""Say a JSON value in words, for people: no braces, no quotes, nothing left out."""

from __future__ import annotations

from typing import Any

from twinops.entities.wording import MANY, MONEY

NOT_SAID = "not said"
FIRST = ("title", "name", "class", "rule", "who", "question", "value", "version", "controller")
"""Keys that lead; the others follow by alphabet, so that a record read back from JSON reads the same."""


SPOKEN = {"households": MANY, "usd": MONEY}
"""Parts of the names of fields that a project has words of its own for; whoever lets the text out tells them."""


def words(value: Any) -> str:
    """One line of text.

    >>> words({"version": "demo-1", "to": ["staff", "agents"], "sold": False, "why": None})
    'version: demo-1; sold: no; to: staff, agents; why: not said'
    """
    if isinstance(value, dict):
        return "; ".join(f"{_spaced(key)}: {_inner(item)}" for key, item in _ordered(value)) or "none"
    if isinstance(value, (list, tuple)):
        separator = "; " if any(isinstance(item, (dict, list, tuple)) for item in value) else ", "
        return separator.join(_inner(item) for item in value) or "none"
    return _plain(value)


def days(value: Any) -> str:
    """A number of days, where somebody said it.

    >>> days(730), days(None)
    ('730 days', 'not said')
    """
    return words(value) if value is None else f"{words(value)} days"


def entries(value: Any) -> tuple[str, ...]:
    """The same in lines: the entries of a table, or of a table inside, one line each.

    >>> entries({"class": "minimal", "rules": [{"id": "a4"}, {"id": "a27"}]})
    ('class: minimal', 'rules: id: a4', 'rules: id: a27')
    """
    if isinstance(value, (list, tuple)) and _is_table(value):
        return tuple(words(item) for item in value)
    if not isinstance(value, dict):
        return (words(value),)
    inner = {key: item for key, item in _ordered(value) if isinstance(item, dict) or _is_table(item)}
    outer = {key: item for key, item in value.items() if key not in inner}
    lines = [f"{_spaced(key)}: {line}" for key, item in inner.items() for line in entries(item)]
    return (*((words(outer),) if outer or not inner else ()), *lines)


def _is_table(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and bool(value) and all(isinstance(item, dict) for item in value)


def _inner(value: Any) -> str:
    return f"({words(value)})" if isinstance(value, dict) else words(value)


def _plain(value: Any) -> str:
    if value is None:
        return NOT_SAID
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value in ("true", "false"):
        return "yes" if value == "true" else "no"
    return f"{value:,.4g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)


def _ordered(table: dict[Any, Any]) -> list[tuple[Any, Any]]:
    def place(item: tuple[Any, Any]) -> tuple[int, str]:
        key = str(item[0])
        return (FIRST.index(key) if key in FIRST else len(FIRST), key)

    return sorted(table.items(), key=place)


def _spaced(key: Any) -> str:
    return " ".join(SPOKEN.get(part, part) for part in str(key).split("_"))
