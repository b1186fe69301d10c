"""What a panel of one's own lets be inferred: as much as was asked and answered, and a reason where that is nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from own_world import LEGAL, RETAIL, TWIN, params
from supplying import supplied

from twinops.adapters.memory.engine_and_keys import MemoryKeys
from twinops.adapters.sql.duckdb_engine import DuckDBEngine
from twinops.data.vault.seal import write_sealed
from twinops.own_params import OwnParams
from twinops.params import FusionParams
from twinops.workflows.pipeline.fuse import Fused, fuse
from twinops.workflows.places import Places

RULE = FusionParams(draws=5, donors=3, halvings=10)
SCALES = {"thrift": [1, 7], "novelty": [1, 7]}
CUSTOMERS, PANELISTS = 90, 120


def own() -> OwnParams:
    columns = {"panelist": "id", "baskets_per_4_weeks": "visits", **{name: name for name in SCALES}}
    purposes = dict.fromkeys(columns, ("twin_training",))
    panel = {"kind": "panel", "reads": "csv", "path": "files/panel.csv", "columns": columns, "scales": SCALES}
    shop = RETAIL | {"legal": RETAIL["legal"] | {"purposes": dict.fromkeys(RETAIL["columns"], TWIN)}}
    return params(shop=shop, panel=panel | {"legal": LEGAL | {"purposes": purposes}}).own


def answers(n: int = PANELISTS) -> dict[str, Any]:
    dice = np.random.default_rng(3)
    visits = dice.integers(0, 9, n)
    points = {name: dice.integers(0, 101, n).tolist() for name in SCALES}
    return {"panelist": [f"P{i}" for i in range(n)], "baskets_per_4_weeks": visits.tolist(),
            "spend_per_4_weeks": [None] * n, **points}  # fmt: skip


def fused(root: Path, told: dict[str, Any] | None, *, refusing: int = 0) -> Fused:
    """`refusing`: so many customers do not allow training."""
    places, keys = Places(root), MemoryKeys()
    dice = np.random.default_rng(2)
    sids = keys.subject_ids([f"C{i}" for i in range(CUSTOMERS)])
    rows = {
        "sid": sids, "cutoff": [100] * CUSTOMERS, "may_train": [i >= refusing for i in range(CUSTOMERS)],
        "tenure_days": [56] * CUSTOMERS, "baskets_total": dice.integers(1, 20, CUSTOMERS).tolist(),
        "cents_total": dice.integers(100, 90_000, CUSTOMERS).tolist(), "stores_h3": [1] * CUSTOMERS,
        "saved_share_h3": [0.0] * CUSTOMERS,
    }  # fmt: skip
    write_sealed(pa.table(rows), places.panel, dataset="panel", keys=keys, subject="sid")
    blend = pa.table({"sid": sids, "cutoff": [100] * CUSTOMERS, "has_account": [False] * CUSTOMERS})
    write_sealed(blend, places.blend, dataset="blend", keys=keys, subject="sid")
    if told is not None:
        types = {name: pa.string() if name == "panelist" else pa.int64() for name in told}
        table = pa.table({name: pa.array(cells, types[name]) for name, cells in told.items()})
        write_sealed(table, places.raw("panelists", "all"), dataset="panelists", keys=keys, subject="panelist")
    return supplied(fuse, engine=DuckDBEngine(threads=1), places=places, keys=keys, rule=RULE, own=own())


def segments(found: Fused) -> dict[str, Any]:
    return next(f.value for f in found.findings.facts if f.name == "fusion_segments")


def test_scales_of_one_s_own_are_inferred_for_segments(tmp_path: Path) -> None:
    found = segments(fused(tmp_path, answers()))
    assert {row["scale"] for row in found["rows"]} == set(SCALES)
    assert found["status"] == "inferred"


def test_whoever_left_one_scale_open_still_gives_the_other(tmp_path: Path) -> None:
    told = answers()
    told["novelty"] = [None if i % 2 else v for i, v in enumerate(told["novelty"])]
    rows = [r for r in segments(fused(tmp_path, told))["rows"] if not r["suppressed"]]
    assert {r["scale"] for r in rows} == set(SCALES)
    thrift, novelty = (max(r["donors"] for r in rows if r["scale"] == name) for name in ("thrift", "novelty"))
    assert thrift > novelty, "the doubt of each scale is that of those who answered it"


@pytest.mark.parametrize(
    ("told", "why"),
    [
        (None, "there is no panel"),
        ({name: cells[:0] for name, cells in answers().items()}, "there is no panel"),
        ({name: cells[:1] for name, cells in answers().items()}, "asked nothing that our own sources know"),
        (answers() | {"baskets_per_4_weeks": [None] * PANELISTS}, "asked nothing that our own sources know"),
        (answers() | dict.fromkeys(SCALES, [None] * PANELISTS), "too few panelists answered a scale"),
    ],
    ids=["none", "empty", "one row", "nothing shared", "nothing answered"],
)
def test_where_nothing_can_be_inferred_the_reason_is_told(tmp_path: Path, told: Any, why: str) -> None:
    found = segments(fused(tmp_path, told))
    assert why in found["not_inferred"]


def test_a_customer_who_does_not_allow_training_gives_nothing_as_a_panelist(tmp_path: Path) -> None:
    told = answers()
    told["panelist"][:60] = [f"C{i}" for i in range(60)]
    assert fused(tmp_path / "all", told).donors == PANELISTS
    assert fused(tmp_path / "some", told, refusing=30).donors == PANELISTS - 30
