"""Product categories that tell of a special category of personal data: never a feature, never shown."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import yaml

from twinops.data.consent import special_words
from twinops.data.reading.plain_letters import plain
from twinops.own_params import OwnParams
from twinops.plugins import text_beside
from twinops.ports import Engine


@dataclass(frozen=True)
class DenyList:
    """Category -> patterns of product categories and types, in any case and with or without accents, and why.

    `worded`: the shipped words (`special_words.yaml`) hold beside the patterns.
    """

    version: str
    patterns: dict[str, tuple[str, ...]]
    why: dict[str, str]
    worded: bool = False

    def told(self, name: str, spoken: frozenset[str] = frozenset()) -> tuple[str, ...]:
        """Categories that a name tells of; `spoken`: the languages of the list it stands in, none: not known."""
        named = [c for c, patterns in self.patterns.items() if any(tells(p, name) for p in patterns)]
        return tuple(sorted({*named, *(special_words.told(name, spoken) if self.worded else ())}))


@cache
def shipped() -> DenyList:
    """`special_categories.yaml`."""
    raw: dict[str, Any] = yaml.safe_load(text_beside(__package__, "special_categories.yaml"))
    listed = raw["categories"]
    patterns = {name: tuple(p.upper() for p in c["patterns"]) for name, c in listed.items()}
    return DenyList(str(raw["version"]), patterns, {name: c["why"] for name, c in listed.items()})


def of(own: OwnParams) -> DenyList:
    """The shipped list, and beside it what a hierarchy of your own declares, and what its words tell in any case."""
    mine = own.of_kind("products")
    if mine is None:
        return shipped()
    said, base, words = own.root[mine].special, shipped(), special_words.shipped()
    patterns = {name: base.patterns.get(name, ()) for name in {*base.patterns, *words.words}}
    for name, listed in said.items():
        patterns[name] = (*patterns.get(name, ()), *(p.upper() for p in listed))
    known = words.why | base.why
    why = {name: known.get(name, f"declared in params.yaml, own.{mine}.special") for name in patterns}
    return DenyList(f"{base.version} and own.{mine}", patterns, why, worded=True)


def tells(pattern: str, name: str) -> bool:
    """Whether a name fits a pattern, as SQL's LIKE would say, in any case and with or without accents.

    >>> tells("%BIER%", "Helles Bier"), tells("%GLUTEN%", "Sem glúten"), tells("WEIN", "Weingläser")
    (True, True, False)
    """
    return _likened(pattern).fullmatch(plain(name)) is not None


@cache
def _likened(pattern: str) -> re.Pattern[str]:
    return re.compile("".join({"%": ".*", "_": "."}.get(c, re.escape(c)) for c in plain(pattern)), re.DOTALL)


def exactly(name: str) -> str:
    """The pattern that this name fits; a sign of LIKE's own in it stands for any letter."""
    return name.replace("%", "_")


def denied(engine: Engine, products: pa.Table, *, by: DenyList) -> pa.Table:
    """`product_id, category` of every denied product; the engine knows all products as `products_file` afterwards."""
    engine.register("products_file", products)
    # engines fold accents differently or not at all, so each name is looked at here, once: a hierarchy has few
    names = sorted({n for c in ("product_category", "product_type") for n in pc.unique(products[c]).to_pylist() if n})
    spoken = special_words.spoken(names)
    listed = [(name, category) for name in names for category in by.told(name, spoken)]
    engine.register(
        "special_names",
        pa.table(
            {"name": [n for n, _ in listed], "category": [c for _, c in listed]},
            schema=pa.schema({"name": pa.string(), "category": pa.string()}),
        ),
    )
    return engine.query(text_beside(__package__, "special.sql"))


def kinds(engine: Engine) -> pa.Table:
    """`product_id, kind`: the denied category of a product, or its own ordinary one.

    The engine holds `products_file` and `special`.
    """
    return engine.query(text_beside(__package__, "kinds.sql"))
