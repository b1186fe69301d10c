"""What only a person may say and nobody has said yet: open in the file, carried as open, told with who must say it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from twinops.entities.fact import Fact, Kind

MARK = "to be said by "
"""So begins a text that stands for one that a person owes; behind it stands who, and behind a colon what is asked."""
FACT = "declarations.open"
NOT_SAID = "not said yet"
OWNER = "the controller's data owner"
ASK = (
    "Write each in its file, where `to be said by`, `open` or `unknown` stands: `twinops status --open` lists every "
    "one with its line. Then `make run`."
)
EMPTY: Mapping[str, tuple[tuple[str, Any, str], ...]] = {
    "intended_use.yaml": ((r"purposes\.\w+\.legal_basis", "open", OWNER), (r"decision\.\w+", "unknown", OWNER)),
    "dpia.yaml": ((r"declared\.[\w.]+", None, OWNER), (r"need", (), OWNER)),
}
"""File -> where which value says that nobody has answered, and who answers."""


def is_said(text: str) -> bool:
    """Whether somebody has said it.

    >>> is_said("A Shop Ltd"), is_said("to be said by the controller"), is_said("open")
    (True, False, False)
    """
    return text != "open" and not text.startswith(MARK)


@dataclass(frozen=True)
class OpenField:
    """One thing to be said: in which file, where, by whom."""

    file: str
    field: str
    who: str
    line: int | None = None
    """Where it stands now, for people; of no evidence."""

    @property
    def place(self) -> str:
        """File and line."""
        return f"{self.file}:{self.line}" if self.line else self.file

    def __str__(self) -> str:
        return f"{self.place}: {self.field} ({self.who})"


def counted(found: Iterable[OpenField]) -> Iterator[str]:
    """How many are open in which file and who says them, a line each; most first.

    >>> list(counted([OpenField("use.yaml", name, "the data owner") for name in "ab"]))
    ['use.yaml: 2, by the data owner']
    """
    many = Counter((one.file, one.who) for one in found)
    for (file, who), n in sorted(many.items(), key=lambda item: (-item[1], item[0])):
        yield f"{file}: {n}, by {who}"


def owed(raw: Any, *, file: str) -> Iterator[OpenField]:
    """Every open place of a file of `compliance/`.

    >>> [str(one) for one in owed({"title": "to be said by the data owner: what is it for?"}, file="use.yaml")]
    ['use.yaml: title (the data owner)']
    """
    rules = EMPTY.get(file, ())
    for field, value in _leaves(raw):
        if isinstance(value, str) and value.startswith(MARK):
            yield OpenField(file, field.removesuffix(".why"), value.removeprefix(MARK).partition(":")[0])
        yield from (
            OpenField(file, field, who) for place, empty, who in rules if value == empty and re.fullmatch(place, field)
        )


def fact(found: tuple[OpenField, ...]) -> tuple[Fact, ...]:
    """What is open, as the evidence carries it; nothing where all is said."""
    told = [{name: value for name, value in asdict(one).items() if name != "line"} for one in found]
    return (Fact(FACT, told, Kind.DECLARED, "compliance/"),) if told else ()


def _leaves(raw: Any, at: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(raw, (Mapping, list, tuple)) and not raw:
        yield at, ()
    elif isinstance(raw, Mapping):
        for name, value in raw.items():
            yield from _leaves(value, f"{at}.{name}" if at else str(name))
    elif isinstance(raw, (list, tuple)):
        for value in raw:
            yield from _leaves(value, at)
    else:
        yield at, raw
