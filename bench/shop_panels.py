"""Panels of shops that the pipeline has not run, made with the package's own functions from a table of receipts.

Whoever has receipts (`day` counted from `first`, `customer`, `basket`, `cents`) has a panel: everybody allows
everything here, because accuracy alone is asked about. Files as `tests/shops/shops.py` makes them.
"""

from __future__ import annotations

import hashlib
import runpy
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from scratch import ROOT

from twinops.adapters.sql.duckdb_engine import DuckDBEngine
from twinops.params import FeaturesParams
from twinops.twin.state import features
from twinops.twin.state.examples import Examples, examples, open_examples
from twinops.wiring import Project

SHOPS = ROOT / "bench" / "out" / "shops"
DISCOUNTS = ("retail_discount_cents", "coupon_discount_cents", "coupon_match_discount_cents")


@dataclass(frozen=True)
class Shop:
    """A panel with its grid, the as-of days to choose on, and later ones to measure on."""

    name: str
    known: Examples
    grid: FeaturesParams
    choose: tuple[int, ...]
    evaluate: tuple[int, ...]


@dataclass(frozen=True)
class Span:
    """How a shop is cut into as-of days: day 0, the day after the last, and the grid's numbers."""

    first: date
    until: int
    horizon_days: int
    step_days: int = 28
    days: int = 4
    every: int = 1
    """One customer in so many is looked at."""

    @property
    def evaluate(self) -> tuple[int, ...]:
        """The last days whose horizons are over and do not overlap."""
        return tuple(self.until - self.horizon_days * k for k in range(self.days, 0, -1))

    @property
    def choose(self) -> tuple[int, ...]:
        """Days before them, a step apart, the horizon of the last over when the first is measured."""
        last = self.evaluate[0] - self.horizon_days
        return tuple(last - self.step_days * k for k in range(self.days - 1, -1, -1))

    @property
    def grid(self) -> FeaturesParams:
        """As-of days a step apart, back from the last."""
        last = self.evaluate[-1]
        first = last - self.step_days * ((last - self.step_days * 2) // self.step_days)
        return FeaturesParams(
            first_day=self.first,
            first_cutoff=first,
            last_cutoff=last,
            step_days=self.step_days,
            horizon_days=self.horizon_days,
            decay_days=(10, 30, 90),
        )


def cdnow() -> tuple[pd.DataFrame, Span]:
    """The music shop: one receipt per line; a customer's lines of one day are one visit."""
    frame = pd.read_csv(
        SHOPS / "cdnow" / "sales.txt", sep=r"\s+", skiprows=1, names=["customer", "date", "pieces", "usd"]
    )
    when = pd.to_datetime(frame["date"].astype(str), format="%Y%m%d")
    span = Span(date(1997, 1, 1), 546, 56, every=4)  # 5,893 of 23,570: trees for all would take an hour
    return _receipts(frame["customer"], when, when, frame["usd"], span), span


def web() -> tuple[pd.DataFrame, Span]:
    """The web shop in EUR: what came back is netted against the invoice it belongs to."""
    frame = pd.read_csv(SHOPS / "web" / "sales.csv", sep=";", decimal=",", encoding="cp1252", dtype={"Rechnung": str})
    frame = frame[frame["Kundennr"].notna()]
    when = pd.to_datetime(frame["Rechnungsdatum"], format="%d.%m.%Y %H:%M")
    invoice = frame["Rechnung"].str.removeprefix("C")
    bought = when.groupby(invoice).transform("min")
    span = Span(date(2023, 3, 1), 731, 56)
    return _receipts(frame["Kundennr"], bought, invoice, frame["Menge"] * frame["Einzelpreis EUR"], span), span


def five() -> tuple[pd.DataFrame, Span]:
    """Five columns: a member's lines of one day are one visit."""
    frame = pd.read_csv(SHOPS / "five" / "sales.csv")
    when = pd.to_datetime(frame["day"])
    span = Span(date(2024, 1, 1), 424, 28)
    return _receipts(frame["member_no"], when, when, frame["amount"], span), span


FOREIGN: dict[str, Callable[[], tuple[pd.DataFrame, Span]]] = {"cdnow": cdnow, "web": web, "five": five}


def foreign(name: str) -> Shop:
    """The panel of one of them."""
    if not (SHOPS / name).is_dir():
        runpy.run_path(str(ROOT / "tests" / "shops" / "shops.py"))[name](SHOPS / name)
    receipts, span = FOREIGN[name]()
    engine = DuckDBEngine(threads=2)
    lines = _lines(receipts)
    engine.register("transactions", lines)
    sids = np.unique(lines["sid"].to_pylist())
    days = np.array(span.grid.cutoffs, dtype=np.int64)
    allowed = {flag: np.ones(len(sids) * len(days), dtype=bool) for flag in features.PERMISSIONS}
    engine.register(
        "permissions", pa.table({"sid": np.repeat(sids, len(days)), "cutoff": np.tile(days, len(sids)), **allowed})
    )
    table = features.panel(engine, span.grid, known_until=span.until)
    known = examples(engine, table, features.labels(engine, table))
    known = known.where(known.household % span.every == 0)
    return Shop(name, known, span.grid, span.choose, span.evaluate)


def _receipts(customer: pd.Series, when: pd.Series, basket: pd.Series, amount: pd.Series, span: Span) -> pd.DataFrame:
    frame = pd.DataFrame({
        "customer": customer.astype(str), "basket": basket.astype(str),
        "day": (when.dt.normalize() - pd.Timestamp(span.first)).dt.days,
        "cents": (amount * 100).round().astype("int64"),
    })  # fmt: skip
    return frame.groupby(["customer", "day", "basket"], as_index=False, sort=True)["cents"].sum().query("cents >= 0")


def _lines(receipts: pd.DataFrame) -> pa.Table:
    n = len(receipts)
    return pa.table({
        "sid": [hashlib.sha256(c.encode()).hexdigest()[:32] for c in receipts["customer"]],
        "day": pa.array(receipts["day"], pa.int64()), "basket_id": pa.array(range(n), pa.int64()),
        "store_id": pa.array([1] * n, pa.int64()), "product_id": pa.array([1] * n, pa.int64()),
        "sales_cents": pa.array(receipts["cents"], pa.int64()),
        **{name: pa.array([0] * n, pa.int64()) for name in DISCOUNTS},
    })  # fmt: skip


def demo(root: Path) -> Shop:
    """The panel of this project, on the days that its `params.yaml` names."""
    project = Project(root)
    known = open_examples(project.engine, project.keys, panel=project.places.panel, labels=project.places.labels)
    params = project.params
    return Shop("demo", known, params.features, params.choose.cutoffs, params.evaluate.cutoffs)
