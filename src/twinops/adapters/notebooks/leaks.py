"""Find subject ids and raw rows in what is about to be published. Says where and of what kind, never the value."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
HEX_RUN = re.compile(r"[0-9a-fA-F]{16,}")
UUID = re.compile(r"\b([0-9a-fA-F]{8})-([0-9a-fA-F]{4})-([0-9a-fA-F]{4})-([0-9a-fA-F]{4})-([0-9a-fA-F]{12})\b")
BYTES = re.compile(r"\bb(?:'(?:\\.|[^'\\\n])*'|\"(?:\\.|[^\"\\\n])*\")")
ROW_KEYS = re.compile(r"\b(?:sid|sids|subject_id|household_id|household_key|basket_id)\b")
"""Names only raw rows and subject tables have; a heading of that name means a table that may not be shown."""

PREFIX = 16
"""So many first digits of a known id are as telling as the whole: 64 bits."""


@dataclass(frozen=True)
class Leak:
    """What was seen and where. The value itself is nowhere in it."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where} shows {self.what}"


class Scanner:
    """Looks for the ids it was told of, for anything of their shape, and for headings of raw tables.

    >>> [str(leak) for leak in Scanner(["ab" * 16]).text("ok", where="cell 1")]
    []
    >>> [str(leak) for leak in Scanner(["ab" * 16]).text("id " + "AB" * 16, where="cell 1")]
    ['cell 1 shows a subject id']
    """

    def __init__(self, known: Any = ()) -> None:
        self._prefixes = frozenset(sid.lower()[:PREFIX] for sid in known)

    def text(self, text: str, *, where: str) -> list[Leak]:
        """Ids in a text, of any spelling: hexadecimal, UUID, Python bytes."""
        plain = ANSI.sub("", text)
        tokens = [
            *(m.group().lower() for m in HEX_RUN.finditer(plain)),
            *("".join(m.groups()).lower() for m in UUID.finditer(plain)),
        ]
        kinds = {self._kind(token) for token in tokens} | {self._kind(raw.hex()) for raw in _bytes_shown(plain)}
        return [Leak(where, kind) for kind in sorted(kinds - {""})]

    def shown(self, value: Any, *, where: str) -> list[Leak]:
        """Ids and headings of raw tables in one output: a text or a JSON value."""
        text = "\n".join(_texts(value))
        headings = [Leak(where, f"a column or field called {m}") for m in sorted(set(ROW_KEYS.findall(text)))]
        return self.text(text, where=where) + headings

    def _kind(self, token: str) -> str:
        windows = (token[i : i + PREFIX] for i in range(len(token) - PREFIX + 1))
        if self._prefixes and any(w in self._prefixes for w in windows):
            return "a subject id"
        return "a token of 32 hexadecimal digits, the shape of a subject id" if len(token) == 32 else ""


def _texts(value: Any) -> Iterator[str]:
    """Every text and number in a JSON value, names of fields included."""
    if isinstance(value, dict):
        yield from value
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif value is not None:
        yield str(value)


def _bytes_shown(text: str) -> Iterator[bytes]:
    """Values of 16-byte literals as Python prints them: how a binary id column looks in a table."""
    for literal in BYTES.findall(text):
        try:
            value = ast.literal_eval(literal)
        except (SyntaxError, ValueError):
            continue  # not a literal after all, so its text was searched as text
        if len(value) == 16:
            yield value
