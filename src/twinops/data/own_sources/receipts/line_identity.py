"""Which lines stand where lines have numbers, and whose a return is that names a receipt and no customer.

A line is told by its receipt and its number on it (of one shop, within a day: tills use numbers again). Of lines that
are one, the last stands. Files follow each other by their names; those that are called otherwise than most come last,
as corrections do.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from twinops.data.own_sources.declared import DeclaredSource
from twinops.data.own_sources.files.cells import TextCells
from twinops.data.own_sources.mapping import values_of
from twinops.own_params import OwnSource

TWICE = "line_delivered_twice"
REPLACED = "line_replaced"
CANCELLED = "line_cancelled"
CANCELS = "cancels_a_line"
REPLACE = "replace"
_LINE = ["store", "receipt", "line"]


@dataclass(frozen=True)
class Corrections:
    """What one file did to lines that were there: how many it replaced and cancelled, and how many it has on top.

    `months` are those in which receipts lie that it replaced or cancelled.
    """

    file: str
    replaced: int
    cancelled: int
    new: int
    months: tuple[str, ...]


@dataclass(frozen=True)
class Standing:
    """By batch and place: why lines do not stand, and cells that other lines of the source tell."""

    out: Mapping[str, Mapping[int, str]] = field(default_factory=dict)
    told: Mapping[str, Mapping[int, Mapping[str, str]]] = field(default_factory=dict)
    corrections: tuple[Corrections, ...] = ()

    def settle(self, cells: TextCells, batch: str) -> TextCells:
        """The cells without lines that do not stand, which are counted as left out, and with what others tell."""
        places = cells.table["place"].to_pylist()
        table, told = cells.table, self.told.get(batch, {})
        for theirs in sorted({c for p in places if p in told for c in told[p]}):
            kept = zip(places, table[theirs].to_pylist(), strict=True)
            column = pa.array([told.get(p, {}).get(theirs, cell) for p, cell in kept], pa.string())
            table = table.set_column(table.column_names.index(theirs), theirs, column)
        out = self.out.get(batch, {})
        gone = Counter(out[p] for p in places if p in out)
        if gone:
            table = table.filter(pa.array([p not in out for p in places]))
        return replace(cells, table=table, left_out=dict(Counter(cells.left_out) + gone))


def settles(said: OwnSource) -> bool:
    """Whether lines are told apart by number, or returns by the receipt they name."""
    return "basket_id" in said.entering and any(c in said.entering for c in said.form.settled_by)


def standing(source: DeclaredSource, batches: Iterable[str], raw: Callable[[str], Iterable[TextCells]]) -> Standing:
    """Read all of a source once; `raw` gives a batch's cells as they lie in its files."""
    said = source.said
    found = [_read(cells, said, batch) for batch in batches for cells in raw(batch)]
    lines = pd.concat(found, ignore_index=True) if found else pd.DataFrame()
    if not len(lines):
        return Standing()
    out, corrections = pd.Series(pd.NA, lines.index, dtype=object), tuple[Corrections, ...]()
    if "line_id" in said.entering:
        out, corrections = _of_each_line(lines, said)
    told = _by_receipt(lines[out.isna()], said) if "returns_of" in said.entering else {}
    return Standing(_by_place(lines, out.dropna().to_dict()), _by_place(lines, told), corrections)


def _read(cells: TextCells, said: OwnSource, batch: str) -> pd.DataFrame:
    """Of every record what tells its line, receipt and customer; cells that cannot be read are empty."""
    n = cells.table.num_rows
    asked = [c for c in ("quantity", "sales_value", "unit_price", "household_id") if c in said.entering]
    values = {c: values_of(cells, said, c) for c in asked}
    back = pa.array(np.zeros(n, bool))
    for c in set(asked) - {"household_id"}:
        back = pc.or_(back, pc.fill_null(pc.less(values[c], 0), False))
    if said.cancelled is not None:
        back = pc.or_(back, pc.fill_null(pc.starts_with(_text(cells, said, "basket_id"), said.cancelled), False))
    zero = pc.fill_null(pc.equal(values["quantity"], 0), False) if "quantity" in values else np.zeros(n, bool)
    when = values_of(cells, said, "time").cast(pa.timestamp("s"))
    written = cells.table.drop_columns(["place"]).to_pandas()
    lines = {
        "batch": batch,
        "file": cells.file,
        "place": cells.table["place"].to_pandas(),
        **{name: _text(cells, said, c).to_pandas() for name, c in
           (("store", "store_id"), ("receipt", "basket_id"), ("line", "line_id"), ("of", "returns_of"))},
        "card": _text(cells, said, "household_id").to_pandas(),
        "known": values["household_id"].is_valid().to_pandas() if "household_id" in values else False,
        "when": when.to_pandas(),
        "back": back.to_pandas(),
        "zero": np.asarray(zero),
        "written": pd.util.hash_pandas_object(written, index=False).to_numpy(),
    }  # fmt: skip
    return pd.DataFrame(lines)


def _text(cells: TextCells, said: OwnSource, ours: str) -> pa.ChunkedArray:
    """A column's cells without blanks around; empty where the file has none, or nothing stands there."""
    if ours not in said.entering:
        return pa.chunked_array([pa.nulls(cells.table.num_rows, pa.string())])
    text = pc.utf8_trim_whitespace(cells.table[said.theirs(ours)])
    return pc.if_else(pc.equal(text, ""), None, text)


def _of_each_line(lines: pd.DataFrame, said: OwnSource) -> tuple[pd.Series, tuple[Corrections, ...]]:
    """Why a line does not stand, by row of `lines` (missing: it does), and what files did to others."""
    known = lines.dropna(subset=["receipt", "line", "when"])
    known = known.assign(
        # a shop without a column for it is one
        store=known["store"].fillna(""),
        line=known["line"].str.replace(r"^0+(?=\d)|[.,]0+$", "", regex=True),
        day=known["when"].dt.floor("D"),
        rank=known["file"].map(_order(Counter(lines["file"]))),
    )
    told_by = [*_LINE, "batch"] if said.reads == "folder" else _LINE  # a month's file tells of its month alone
    known = known.sort_values([*told_by, "day", "rank", "place"], kind="stable")
    other = (known[told_by] != known[told_by].shift()).any(axis=1)
    known["which"] = (other | (known["day"].diff() > pd.Timedelta(days=1))).cumsum()
    known = known.sort_values(["which", "rank", "place"], kind="stable")
    out = pd.Series(pd.NA, lines.index, dtype=object)
    last = ~known.duplicated("which", keep="last")
    again = known.duplicated(["which", "written"], keep="last")
    if said.corrections == REPLACE:
        cancelled = known.groupby("which")["zero"].transform("last") & ~known["zero"]
        out[known.index[~last]] = np.where(cancelled, CANCELLED, REPLACED)[~last]
        hit = known["which"].isin(known.loc[~last & ~again & cancelled, "which"])
        out[known.index[last & hit]] = CANCELS
    out[known.index[again]] = TWICE
    return out, _corrections(known.assign(why=out[known.index], last=last))


def _order(lines: Mapping[str, int]) -> dict[str, int]:
    """Which file follows which, of files with so many lines: by name, those called otherwise than most lines' behind.

    >>> _order({"corrections_09.csv": 40, "sales_09.csv": 900, "sales_10.csv": 800})
    {'sales_09.csv': 0, 'sales_10.csv': 1, 'corrections_09.csv': 2}
    """
    shape = {name: re.sub(r"\d+", "0", name) for name in lines}
    weight = Counter[str]()
    for name, n in lines.items():
        weight[shape[name]] += n
    usual = max(sorted(weight), key=lambda called: weight[called])
    return {name: n for n, name in enumerate(sorted(shape, key=lambda f: (shape[f] != usual, f)))}


def _corrections(known: pd.DataFrame) -> tuple[Corrections, ...]:
    """By the file that has the line that stands, or that cancels it."""
    changed = known[known["why"].isin((REPLACED, CANCELLED))].drop_duplicates("which", keep="last")
    by = known[known["last"]].set_index("which")["file"]
    changed = changed.assign(by=changed["which"].map(by), month=changed["when"].dt.strftime("%Y-%m"))
    alone = known[~known["which"].duplicated(keep=False)]
    return tuple(
        Corrections(
            str(file),
            int((some["why"] == REPLACED).sum()),
            int((some["why"] == CANCELLED).sum()),
            int((alone["file"] == file).sum()) if (some["file"] != file).any() else 0,
            tuple(sorted(some["month"].unique())),
        )
        for file, some in changed.groupby("by")
    )


def _by_receipt(lines: pd.DataFrame, said: OwnSource) -> dict[int, dict[str, str]]:
    """By row: the receipt that a return names as that one is written, and its customer where the return has none.

    A receipt of several customers, and one that is later than the return, tell nobody.
    """
    returns = lines[lines["back"] & lines["of"].notna() & lines["when"].notna()]
    bare = returns["of"].map(_bare)
    meant = lines[lines["receipt"].map(_bare, na_action="ignore").isin(set(bare))]
    written = meant.groupby(meant["receipt"].map(_bare))["receipt"].agg(lambda found: sorted(set(found)))
    cards = {str(r): some[["when", "card"]] for r, some in meant[meant["known"]].groupby("receipt")}
    told: dict[int, dict[str, str]] = {}
    columns = (returns.index, returns["of"], bare, returns["known"], returns["when"])
    for row, of, plain, known, when in zip(*columns, strict=True):
        among = written.get(plain, [])
        receipt = of if of in among else among[0] if len(among) == 1 else None
        if receipt is None:
            continue
        told[row] = {said.columns["returns_of"]: receipt}
        if not known and receipt in cards and (whose := _latest(cards[receipt], when)):
            told[row][said.columns["household_id"]] = whose
    return told


def _bare(text: str) -> str:
    """A receipt's number without what is set between its parts.

    >>> _bare("ESH-25-002084") == _bare("esh25002084")
    True
    """
    return re.sub(r"[\W_]", "", text).casefold()


def _latest(cards: pd.DataFrame, when: Any) -> str | None:
    before = cards[cards["when"] <= when]
    found = before[before["when"].dt.floor("D") == before["when"].max().floor("D")]["card"].unique()
    return str(found[0]) if len(found) == 1 else None


def _by_place(lines: pd.DataFrame, values: Mapping[Any, Any]) -> dict[str, dict[int, Any]]:
    some = lines.loc[list(values), ["batch", "place"]]
    told: dict[str, dict[int, Any]] = {}
    for row, batch, place in some.itertuples():
        told.setdefault(batch, {})[int(place)] = values[row]
    return told
