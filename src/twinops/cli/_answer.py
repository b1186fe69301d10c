"""How a command answers: a text for people or, with `--json`, one JSON document and nothing else on stdout."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, is_dataclass
from datetime import date
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from twinops.adapters.running_code import strange
from twinops.entities.canonical import to_json
from twinops.errors import IntegrityError

if TYPE_CHECKING:
    from twinops.wiring import Project

RENEW = "`make run` renews it."
Json = Annotated[bool, typer.Option("--json", help="Answer with one JSON document on stdout.")]


def home(ctx: typer.Context) -> Project:
    """The project the command is about; with other code than its own, what is shown may be told otherwise there."""
    from twinops.wiring import open_project

    other = strange(ctx.obj)
    if other:
        talk(f"Beware: {other}.")
    return open_project(ctx.obj)


_MOVES = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Control characters but ends of lines and tabs, and those that set the direction of text."""


def answer(value: Any, *, as_json: bool, text: str) -> None:
    """Print the value as JSON, or the text."""
    print(to_json(plain(value), indent=1) if as_json else seen(text))


def current(stale: str) -> None:
    """End with exit code 4 when what was just shown is not about what the folder holds now.

    Raises:
        IntegrityError: it is stale; the sentence says what changed.
    """
    if stale:
        raise IntegrityError(stale, hint=RENEW)


def talk(line: str) -> None:
    """Say something beside the answer."""
    print(seen(line), file=sys.stderr, flush=True)


def seen(text: str) -> str:
    r"""A text for people, in which no name of a file or column moves a terminal's cursor or turns words around.

    >>> seen("a\x1b[2Jb\n\u202ec")
    'a\\x1b[2Jb\n\\u202ec'
    """
    return _MOVES.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def plain(value: Any) -> Any:
    """Records, paths, days and enums as JSON values; what has its own `to_dict` is asked.

    >>> plain({"day": date(2018, 1, 1), "names": ("a", "b")})
    {'day': '2018-01-01', 'names': ['a', 'b']}
    """
    if hasattr(value, "to_dict"):
        return plain(value.to_dict())
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(v) for v in value]
    return _scalar(value)


def _scalar(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, date | Path):
        return value.as_posix() if isinstance(value, Path) else value.isoformat()
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)
