"""The panel by hand in pandas: what a data scientist would write; the same columns and values as `panel.sql`."""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path
from time import process_time

import numpy as np
import pandas as pd

SPEEDS = ("quick", "steady", "slow")
WINDOWS = {"h1": 1, "h2": 2, "h3": 3}
"""By the ending of a column: how many horizons."""


def panel(folder: Path) -> pd.DataFrame:
    """One row per household and as-of day."""
    given = {p.stem: pd.read_parquet(p) for p in (folder / "given").iterdir()}
    lines = pd.concat([pd.read_parquet(p) for p in sorted((folder / "plain").iterdir())], ignore_index=True)
    lines["sid"] = lines["sid"].astype("category")
    lines["saved_cents"] = lines.filter(like="discount_cents").sum(axis=1)
    baskets = lines.groupby(["sid", "day", "basket_id"], observed=True, as_index=False).agg(
        store_id=("store_id", "min"),
        lines=("store_id", "size"),
        cents=("sales_cents", "sum"),
        saved=("saved_cents", "sum"),
    )
    del lines
    baskets["weekend"] = given["calendar"]["weekend"].to_numpy()[baskets["day"]].astype(np.int64)
    baskets["log"] = baskets["cents"].map(given["log_value"].set_index("cents")["log_millionths"])
    decay = given["decay"].set_index("age")
    memory = given["memory"].iloc[0]
    parts = [_as_of(baskets[baskets["day"] < cutoff], cutoff, decay, memory) for cutoff in given["cutoffs"]["cutoff"]]
    table = pd.concat(parts, ignore_index=True)
    table["sid"] = table["sid"].astype("str")
    allowed = given["permissions"].astype({"sid": "str"})
    return table.merge(allowed, on=["sid", "cutoff"]).sort_values(["sid", "cutoff"], ignore_index=True)


def _as_of(past: pd.DataFrame, cutoff: int, decay: pd.DataFrame, memory: pd.Series) -> pd.DataFrame:
    """What was known the evening before one day."""
    past = past.assign(age=cutoff - past["day"], log_squares=past["log"] ** 2)
    weights = decay.loc[past["age"]]
    sums = {"log": "log_value_sum", "log_squares": "log_value_squares", "cents": "cents_total"}
    for speed in SPEEDS:
        weight = weights[f"weight_{speed}"].to_numpy()
        past[f"baskets_{speed}"], past[f"cents_{speed}"] = weight, past["cents"] * weight
        sums |= {f"baskets_{speed}": f"baskets_{speed}", f"cents_{speed}": f"cents_{speed}"}
    by = past.groupby("sid", observed=True)
    out = by[list(sums)].sum().rename(columns=sums)
    first, last = by["day"].min(), by["day"].max()
    out["baskets_total"], out["shopping_days"] = by.size(), _distinct(past, "day")
    out["tenure_days"], out["recency_days"] = cutoff - first, cutoff - last
    out["quiet_days"] = _quiet(past, memory["lapse"])
    for speed in SPEEDS:
        out[f"exposure_{speed}"] = decay[f"exposure_{speed}"].loc[out["tenure_days"]].to_numpy()
    for name, horizons in WINDOWS.items():
        _window(out, past[past["age"] <= horizons * memory["horizon"]], name)
    return out.assign(cutoff=cutoff).reset_index()


def _window(out: pd.DataFrame, recent: pd.DataFrame, window: str) -> None:
    """The columns of one window; nothing was bought where a household has no basket in it."""
    by = recent.groupby("sid", observed=True)
    sums = by[["cents", "lines", "saved", "weekend"]].sum().reindex(out.index, fill_value=0)
    counts = {"baskets": by.size(), "shopping_days": _distinct(recent, "day"), "stores": _distinct(recent, "store_id")}
    for name, values in counts.items():
        out[f"{name}_{window}"] = values.reindex(out.index, fill_value=0)
    out[f"cents_{window}"], out[f"lines_{window}"] = sums["cents"], sums["lines"]
    paid = sums["cents"] + sums["saved"]
    out[f"cents_per_basket_{window}"] = _share(sums["cents"], out[f"baskets_{window}"])
    out[f"saved_share_{window}"] = _share(sums["saved"], paid)
    out[f"weekend_share_{window}"] = _share(sums["weekend"], out[f"baskets_{window}"])


def _quiet(past: pd.DataFrame, lapse: int) -> pd.Series:
    """Days from which a lapse passed without a basket, per household."""
    order = past.sort_values(["sid", "day"])
    over = (order.groupby("sid", observed=True)["day"].diff() - lapse).clip(lower=0).fillna(0)
    return over.groupby(order["sid"], observed=True).sum().astype("int64")


def _distinct(table: pd.DataFrame, column: str) -> pd.Series:
    return table[["sid", column]].drop_duplicates().groupby("sid", observed=True).size()


def _share(part: pd.Series, whole: pd.Series) -> pd.Series:
    return (part / whole.where(whole != 0)).fillna(0.0)


def main() -> None:
    """From Parquet to Parquet."""
    folder, began = Path(sys.argv[2]), process_time()
    panel(folder).to_parquet(folder / "panel.pandas.parquet", compression="zstd", index=False)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"cpu": process_time() - began, "mem": peak}))


if __name__ == "__main__":
    main()
