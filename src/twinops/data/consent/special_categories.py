"""Product categories that tell of a special category of personal data: never a feature, never shown."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

import pyarrow as pa
import yaml

from twinops.data.reading.plain_letters import plain
from twinops.own_params import OwnParams
from twinops.plugins import text_beside
from twinops.ports import Engine


@dataclass(frozen=True)
class DenyList:
    """Category -> patterns of product categories and types, in any case and with or without accents, and why."""

    version: str
    patterns: dict[str, tuple[str, ...]]
    why: dict[str, str]


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
    said, base = own.root[mine].special, shipped()
    patterns = {n: (*base.patterns.get(n, ()), *words().get(n, ())) for n in {*base.patterns, *words()}}
    for name, listed in said.items():
        patterns[name] = (*patterns.get(name, ()), *(p.upper() for p in listed))
    why = {name: base.why.get(name, f"declared in params.yaml, own.{mine}.special") for name in patterns}
    return DenyList(f"{base.version} and own.{mine}", patterns, why)


@cache
def words() -> dict[str, tuple[str, ...]]:
    """`special_words.yaml`: patterns of words, by category, in capitals."""
    listed: dict[str, list[str]] = yaml.safe_load(text_beside(__package__, "special_words.yaml"))
    return {name: tuple(p.upper() for p in patterns) for name, patterns in listed.items()}


@cache
def _languages() -> dict[str, dict[str, Any]]:
    """`special_languages.yaml`."""
    read: dict[str, dict[str, Any]] = yaml.safe_load(text_beside(__package__, "special_languages.yaml"))
    return read


def languages() -> tuple[str, ...]:
    """The languages that words are known of (ISO 639-1)."""
    return (*_languages()["words"], *_languages()["scripts"])


def looks_known(names: Iterable[str]) -> bool:
    """Names of goods look like a language that words are known of; what tells nothing does not.

    >>> looks_known(["Lait pour bébés", "Pain avec les noix"]), looks_known(["Nasi goreng", "Kopi bubuk"])
    (True, False)
    """
    texts = list(names)
    tokens = {w for text in texts for w in re.findall(r"[^\W\d_]+", text.casefold())}
    if any(len(tokens & set(common)) > 1 for common in _languages()["words"].values()):
        return True
    letters = [unicodedata.name(c, "") for text in texts for c in text if c.isalpha()]
    scripts = "|".join(_languages()["scripts"].values())
    return sum(re.match(scripts, name) is not None for name in letters) * 2 > max(len(letters), 1)


def tells(pattern: str, name: str) -> bool:
    """Whether a name fits a pattern, as SQL's LIKE would say, in any case and with or without accents.

    >>> tells("%BIER%", "Helles Bier"), tells("%GLUTEN%", "Sem glúten"), tells("WEIN", "Weingläser")
    (True, True, False)
    """
    likened = "".join({"%": ".*", "_": "."}.get(c, re.escape(c)) for c in plain(pattern))
    return re.fullmatch(likened, plain(name), re.DOTALL) is not None


def exactly(name: str) -> str:
    """The pattern that this name fits; a sign of LIKE's own in it stands for any letter."""
    return name.replace("%", "_")


def denied(engine: Engine, products: pa.Table, *, by: DenyList) -> pa.Table:
    """`product_id, category` of every denied product; the engine knows all products as `products_file` afterwards."""
    engine.register("products_file", products)
    # engines fold accents differently or not at all, so that names and patterns come to them folded
    names = {c: _plain(products[c]) for c in ("product_category", "product_type")}
    engine.register("plain_products", pa.table({"product_id": products["product_id"]} | names))
    listed = [(c, p) for c, ps in sorted(by.patterns.items()) for p in dict.fromkeys(map(plain, ps))]
    engine.register(
        "special_patterns", pa.table({"category": [c for c, _ in listed], "pattern": [p for _, p in listed]})
    )
    return engine.query(text_beside(__package__, "special.sql"))


def _plain(names: pa.ChunkedArray) -> pa.ChunkedArray:
    """Each name once: a hierarchy of many goods has few."""
    coded = names.cast(pa.string()).dictionary_encode()
    return pa.chunked_array(
        [pa.array(map(plain, c.dictionary.to_pylist()), pa.string()).take(c.indices) for c in coded.chunks],
        pa.string(),
    )


def kinds(engine: Engine) -> pa.Table:
    """`product_id, kind`: the denied category of a product, or its own ordinary one.

    The engine holds `products_file` and `special`.
    """
    return engine.query(text_beside(__package__, "kinds.sql"))
