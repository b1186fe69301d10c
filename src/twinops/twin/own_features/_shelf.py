"""The project's own features: what each says, what it reads and for which purposes, and how it is computed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from twinops import plugins
from twinops.entities.consent import Purpose
from twinops.errors import ParamsError

SHELF = "twinops.twin.own_features"
COLUMN = "own_"
"""A feature's column of the panel is called as its file, behind this."""
NEEDED = frozenset({Purpose.TRAINING, Purpose.SCORING})
"""What stands in the panel is learned from and scored with."""
READABLE = ("day", "basket_id", "store_id", "quantity", "sales_cents", "retail_discount_cents",
            "coupon_discount_cents", "coupon_match_discount_cents")  # fmt: skip
"""Columns of the receipt lines that a feature may read. No product: what somebody buys may tell of health, faith or
pregnancy (GDPR art. 9), and the heads for categories leave those out where a file could not be held to it."""
_HEADER = re.compile(r"^--\s*(reads|purposes|says):\s*(.+?)\s*$", re.IGNORECASE | re.MULTILINE)


def own_columns(names: Iterable[str]) -> tuple[str, ...]:
    """Of the columns of a table those that are features of the project's own, in order of name."""
    return tuple(sorted(name for name in names if name.startswith(COLUMN)))


@dataclass(frozen=True)
class OwnFeature:
    """One file. Of a query `sql` is the text; else `module.value(past, day)` is asked."""

    name: str
    says: str
    reads: tuple[str, ...]
    purposes: frozenset[Purpose]
    module: ModuleType
    sql: str | None = None

    @property
    def column(self) -> str:
        """How its column of the panel is called."""
        return f"{COLUMN}{self.name}"


def own_features() -> tuple[OwnFeature, ...]:
    """Every feature that the project brings, by name.

    Raises:
        ParamsError: one cannot be loaded, reads what a feature may not, or is not declared for what it serves.
    """
    return tuple(_feature(idea.name, idea.path) for idea in plugins.laid(SHELF))


def _feature(name: str, path: str) -> OwnFeature:
    module = plugins.load(SHELF, name)
    sql = getattr(module, "SQL", None)
    told = _header(sql, path) if sql is not None else vars(module)
    says, reads = str(told["SAYS"]), tuple(told["READS"])
    strange = [c for c in reads if c not in READABLE]
    if strange or not reads:
        what = f"{path} reads {', '.join(map(str, strange)) or 'nothing'}."
        raise ParamsError(what, hint=f"A feature reads some of {', '.join(READABLE)}.")
    return OwnFeature(name, says, reads, _purposes(told["PURPOSES"], path), module, sql)


def _purposes(told: tuple[str, ...], path: str) -> frozenset[Purpose]:
    """GDPR art. 5(1)(b): without a declared purpose nothing is computed of anybody."""
    known = {p.value: p for p in Purpose}
    strange = [str(p) for p in told if p not in known]
    if strange:
        raise ParamsError(f"{path}: {', '.join(strange)} is no purpose.", hint=f"Those are {', '.join(known)}.")
    found = frozenset(known[p] for p in told)
    lacking = sorted(NEEDED - found)
    if lacking:
        what = f"{path} is not declared for {', '.join(lacking)}, and its column would serve that."
        raise ParamsError(what, hint="Add the purpose to its PURPOSES, or take the feature out of params.yaml.")
    return found


def _header(sql: str, path: str) -> Mapping[str, Any]:
    found = {name.upper(): said for name, said in _HEADER.findall(sql)}
    missing = [name for name in ("READS", "PURPOSES", "SAYS") if name not in found]
    if missing:
        lines = ", ".join(f"`-- {name.lower()}: ...`" for name in missing)
        raise ParamsError(f"{path} lacks {lines}.", hint="A query says so in its first lines.")
    lists = {name: tuple(re.split(r"\s*,\s*", found[name])) for name in ("READS", "PURPOSES")}
    return {**lists, "SAYS": found["SAYS"]}
