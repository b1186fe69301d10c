"""The project's own heads: what each foretells, and the estimator that learns it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from twinops import plugins
from twinops.errors import ParamsError

SHELF = "twinops.twin.own_heads"
FAMILY = "own_"
"""A family of one's own is called as its file, behind this."""
QUANTITIES = ("activity", "baskets", "spend")


@dataclass(frozen=True)
class OwnHead:
    """One file: `foretells` are heads it may speak for, `make(head)` an estimator that has not learned yet."""

    name: str
    foretells: tuple[str, ...]
    make: Callable[[str], Any]

    @property
    def family(self) -> str:
        """How it is called among the families."""
        return f"{FAMILY}{self.name}"


def own_heads() -> tuple[OwnHead, ...]:
    """Every head that the project brings, by name.

    Raises:
        ParamsError: one cannot be loaded, or foretells something else than the twin does.
    """
    return tuple(_head(idea.name) for idea in plugins.laid(SHELF))


def own_head(family: str) -> OwnHead:
    """The head that a family is.

    Raises:
        ParamsError: the project brings none of that name.
    """
    return _head(family.removeprefix(FAMILY))


def _head(name: str) -> OwnHead:
    module = plugins.load(SHELF, name)
    told = tuple(module.FORETELLS)
    if not told or not set(told) <= set(QUANTITIES) or len(set(told)) < len(told):
        what = f"ideas/heads/{name}.py: FORETELLS is {told!r}."
        raise ParamsError(what, hint=f"Name some of {', '.join(QUANTITIES)}, each once.")
    return OwnHead(name, tuple(q for q in QUANTITIES if q in told), module.estimator)
