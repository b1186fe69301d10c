"""The panel by hand in polars, lazy and streaming; the same columns and values as `panel.sql`.

Runs in an environment of its own (`setup/polars.lock`): it imports nothing of the project.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path
from time import process_time

import polars as pl

SPEEDS = ("quick", "steady", "slow")
WINDOWS = {"h1": 1, "h2": 2, "h3": 3}
"""By the ending of a column: how many horizons."""


def panel(folder: Path) -> pl.LazyFrame:
    """One row per household and as-of day."""
    given = {p.stem: pl.scan_parquet(p) for p in (folder / "given").iterdir()}
    saved = pl.sum_horizontal("retail_discount_cents", "coupon_discount_cents", "coupon_match_discount_cents")
    baskets = (
        pl.scan_parquet(folder / "plain" / "*.parquet")
        .group_by("sid", "day", "basket_id")
        .agg(
            pl.col("store_id").min(),
            pl.len().cast(pl.Int64).alias("lines"),
            pl.col("sales_cents").sum().alias("cents"),
            saved.sum().alias("saved"),
        )
        .join(given["calendar"], on="day")
        .join(given["log_value"], on="cents")
        .with_columns(pl.col("weekend").cast(pl.Int64))
    )
    days = given["cutoffs"].select("cutoff")
    past = (
        baskets.join(days, how="cross")
        .filter(pl.col("day") < pl.col("cutoff"))
        .with_columns(age=pl.col("cutoff") - pl.col("day"))
        .join(given["decay"].select("age", *(f"weight_{s}" for s in SPEEDS)), on="age")
    )
    memory = given["memory"].collect().row(0, named=True)
    windows = [e for name, horizons in WINDOWS.items() for e in _window(name, horizons * memory["horizon"])]
    exposure = given["decay"].select(pl.col("age").alias("tenure_days"), *(f"exposure_{s}" for s in SPEEDS))
    return (
        past.group_by("sid", "cutoff")
        .agg(*_state(memory["lapse"]), *windows)
        .with_columns(*(e for name in WINDOWS for e in _ratios(name)))
        .join(exposure, on="tenure_days")
        .join(given["permissions"], on=["sid", "cutoff"])
        .sort("sid", "cutoff")
    )


def _state(lapse: int) -> list[pl.Expr]:
    cents, log = pl.col("cents"), pl.col("log_millionths")
    decayed = [
        e
        for s in SPEEDS
        for e in (
            pl.col(f"weight_{s}").sum().alias(f"baskets_{s}"),
            (cents * pl.col(f"weight_{s}")).sum().alias(f"cents_{s}"),
        )
    ]
    return [
        *decayed,
        (pl.col("cutoff").first() - pl.col("day").min()).alias("tenure_days"),
        (pl.col("cutoff").first() - pl.col("day").max()).alias("recency_days"),
        pl.col("day").n_unique().cast(pl.Int64).alias("shopping_days"),
        (pl.col("day").sort().diff() - lapse).clip(lower_bound=0).sum().cast(pl.Int64).alias("quiet_days"),
        pl.len().cast(pl.Int64).alias("baskets_total"),
        cents.sum().alias("cents_total"),
        log.sum().alias("log_value_sum"),
        (log * log).sum().alias("log_value_squares"),
    ]


def _window(name: str, days: int) -> list[pl.Expr]:
    inside = pl.col("age") <= days
    return [
        inside.sum().cast(pl.Int64).alias(f"baskets_{name}"),
        pl.col("day").filter(inside).n_unique().cast(pl.Int64).alias(f"shopping_days_{name}"),
        pl.col("store_id").filter(inside).n_unique().cast(pl.Int64).alias(f"stores_{name}"),
        *(
            pl.when(inside).then(pl.col(c)).otherwise(0).sum().alias(f"{c}_{name}")
            for c in ("cents", "lines", "saved", "weekend")
        ),
    ]


def _ratios(name: str) -> list[pl.Expr]:
    def share(part: str, whole: pl.Expr) -> pl.Expr:
        return pl.when(whole == 0).then(0.0).otherwise(pl.col(f"{part}_{name}").cast(pl.Float64) / whole)

    baskets, paid = pl.col(f"baskets_{name}"), pl.col(f"cents_{name}") + pl.col(f"saved_{name}")
    return [
        share("cents", baskets).alias(f"cents_per_basket_{name}"),
        share("saved", paid).alias(f"saved_share_{name}"),
        share("weekend", baskets).alias(f"weekend_share_{name}"),
    ]


def main() -> None:
    """From Parquet to Parquet."""
    folder, began = Path(sys.argv[2]), process_time()
    panel(folder).collect(engine="streaming").write_parquet(folder / "panel.polars.parquet", compression="zstd")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"cpu": process_time() - began, "mem": peak}))


if __name__ == "__main__":
    main()
