"""Read YAML that humans typed: bounded, unambiguous, and with every mistake reported at once."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from functools import cache, lru_cache
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints, ValidationError

from twinops.errors import ParamsError
from twinops.plugins import text_beside

MAX_BYTES = 256 * 1024
"""No file a person writes for us is longer; a longer one is refused before it is parsed."""

MAX_DEPTH = 100
"""No file a person writes nests lists and mappings deeper; the time to read brackets grows with their square."""

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000)]
"""A sentence or paragraph; never blank."""


def _tri_state(value: Any) -> Any:
    return {True: "true", False: "false"}.get(value, value) if isinstance(value, bool) else value


TriState = Annotated[Literal["true", "false", "unknown"], BeforeValidator(_tri_state)]
"""true, false or unknown, as YAML writes them. Unknown is never taken for false."""


class Record(BaseModel):
    """A frozen record in which unknown keys and wrong types are mistakes."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


R = TypeVar("R", bound=BaseModel)


_InC: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Ten times as fast, where PyYAML was built with it."""


class _Loader(_InC):  # type: ignore[misc]  # one or the other
    """Plain YAML: no key twice (the last would win)."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key in (k for k, _ in node.value if isinstance(k, yaml.ScalarNode)):
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"key {key.value!r} stands twice", key.start_mark)
            seen.add(key.value)
        return dict(super().construct_mapping(node, deep))


def parse(text: str, *, name: str) -> Any:
    """The parsed YAML, lists as tuples.

    Raises:
        ParamsError: too long, not YAML, too deep, an alias, or a key given twice.
    """
    if len(text.encode(errors="replace")) > MAX_BYTES:
        raise ParamsError(
            f"{name} is longer than {MAX_BYTES // 1024} KiB.", hint="Declarations are short; keep data elsewhere."
        )
    try:
        return _parsed(text)
    except (yaml.YAMLError, ValueError, RecursionError) as problem:
        raise ParamsError(f"{name} is not readable YAML: {_short(problem)}", hint="Mend the file.") from None


@lru_cache(maxsize=64)
def _parsed(text: str) -> Any:
    """Read once; nobody changes what was read."""
    within_bounds(text)
    return _tuples(yaml.load(text, Loader=_Loader))  # noqa: S506  # a SafeLoader, made stricter


def within_bounds(text: str) -> None:
    """Look through it once, and no further than the first thing that would make reading it endless.

    Raises:
        yaml.YAMLError: not YAML, nested too deep, or an alias.
    """
    depth = 0
    for event in yaml.parse(text, Loader=_InC):
        where: Any = event.start_mark
        depth += isinstance(event, yaml.events.CollectionStartEvent) - isinstance(event, yaml.events.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise yaml.constructor.ConstructorError(None, None, f"nested deeper than {MAX_DEPTH}", where)
        if isinstance(event, yaml.events.AliasEvent):  # short files could unfold into huge ones
            raise yaml.constructor.ConstructorError(None, None, "aliases are not allowed here", where)


def checked(record: type[R], raw: Any, *, name: str, more: Iterator[str] | None = None) -> R:
    """The record, or one error with every mistake of the file.

    `more` yields further mistakes, found by rules that look across keys.
    """
    try:
        made = record.model_validate(raw)
        mistakes = list(more or ())
    except ValidationError as problem:
        mistakes = [*sentences(problem), *(more or ())]
    if mistakes:
        raise ParamsError(
            f"{name} has {len(mistakes)} mistake(s):\n  " + "\n  ".join(mistakes), hint="Mend them all, then run again."
        )
    return made


def sentences(problem: ValidationError, *, at: str = "") -> list[str]:
    """One line per mistake: where, what, and what stood there."""
    return [
        f"{'.'.join(part for part in (at, *map(str, e['loc'])) if part) or 'file'}: {_said(e['msg'], e)}"
        for e in problem.errors()
    ]


def _said(what: str, about: Any) -> str:
    """What is wrong with it; a day in quotes looks like a day, and is text."""
    text = about["type"] == "date_type" and isinstance(about["input"], str)
    return f"{what} (got {about['input']!r:.60}{'; write it as 2026-11-30, without quotes' if text else ''})"


@cache
def law(name: str) -> Any:
    """Law as data: one file of `twinops.governance.law`, in our own words, not legal advice. Read, never changed."""
    return parse(text_beside("twinops.governance", "law", f"{name}.yaml"), name=f"law/{name}.yaml")


def _tuples(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _tuples(item) for key, item in value.items()}
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value


def _short(problem: Exception) -> str:
    text = "it is nested too deeply" if isinstance(problem, RecursionError) else " ".join(str(problem).split())
    return text[:300]
