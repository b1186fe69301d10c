"""Model files read as if an enemy had written them: exact fields, finite numbers within bounds, stated lengths.

What a file may hold is declared as types, mostly on the records that are made of it; pydantic holds the text against
them. It reads JSON in strict mode: no text is taken for a number, and no number for a truth.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, with_config

from twinops.errors import IntegrityError

LARGEST = 1e9
RULES = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False, frozen=True)

declared = with_config(RULES)
"""Of a frozen dataclass: a file that holds it has exactly its fields."""


def _printable(name: str) -> str:
    """Refuse what could pass for something else on a page, such as text that runs the other way."""
    if not name.isprintable():
        raise ValueError("a name is not printable")
    return name


Number = Annotated[float, Field(ge=-LARGEST, le=LARGEST)]
Positive = Annotated[float, Field(ge=1e-12, le=LARGEST)]
NotNegative = Annotated[float, Field(ge=0, le=LARGEST)]
Count = Annotated[int, Field(ge=0, le=LARGEST)]
Days = Annotated[int, Field(ge=1, le=36_500)]
Name = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_printable)]


class StrictRecord(BaseModel):
    """A part of a file that is laid out otherwise than what is made of it."""

    model_config = RULES


_Kind = TypeVar("_Kind")


def parsed(kind: type[_Kind], text: str, *, at_most: int) -> _Kind:
    """What a text of at most so many characters holds.

    >>> parsed(dict[str, Count], '{"rows": 3}', at_most=100)
    {'rows': 3}

    Raises:
        ValueError: it is anything else.
    """
    if len(text) > at_most:
        raise ValueError(f"it is longer than {at_most} characters")
    json.loads(text, object_pairs_hook=_once)  # pydantic would take the last of two equal keys
    try:
        return TypeAdapter(kind).validate_json(text)
    except ValidationError as problem:
        raise ValueError(_first(problem)) from None


@contextmanager
def refusing(what: str, hint: str) -> Iterator[None]:
    """Whatever is wrong with a file while it is read is one error, with its reason behind `what`."""
    try:
        yield
    except (ValueError, RecursionError) as problem:
        raise IntegrityError(f"{what}: {str(problem)[:200]}.", hint=hint) from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) < len(pairs):
        raise ValueError("a key is given twice")
    return dict(pairs)


def _first(problem: ValidationError) -> str:
    """The first mistake and its place; what stands there is a stranger's and is not repeated."""
    mistake = problem.errors(include_input=False, include_url=False)[0]
    place = ".".join(str(part) for part in mistake["loc"])
    return f"{place}: {mistake['msg']}" if place else mistake["msg"]
