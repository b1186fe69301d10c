"""Load the twin for MLflow's pyfunc flavour: JSON in, numpy predictions out, no pickle on the way."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from twinops.adapters.mlflow.tastes_flavour import DECIMAL, WHOLE, TastePredictor
from twinops.twin.model import model_file as stored
from twinops.twin.state.features import BILLION, MILLION, SPEEDS, STATE
from twinops.twin.tastes import model_file as taste_stored

if TYPE_CHECKING:
    import pandas as pd

    from twinops.twin.model.model import TwinModel

EXPECTED = ("active_probability", "baskets", "spend", "spend_median")
"""What a row of predictions holds: a chance, a number of baskets, money as a mean and as a median."""

RANGES = ("baskets_low", "baskets_high", "spend_low", "spend_high")
"""The ends of the ranges that hold 80 of 100 like cases; there when the model carries them."""

TASTES = "tastes.json"
"""The name of the file of taste heads; it lies beside the model's."""


def taken(model: TwinModel) -> dict[str, str]:
    """What a row of input holds: a state in whole numbers, and features of one's own where some are read."""
    return {**dict.fromkeys(STATE, WHOLE), **dict.fromkeys(model.own_columns, DECIMAL)}


def given(model: TwinModel) -> dict[str, str]:
    """What a row of predictions holds."""
    return dict.fromkeys((*EXPECTED, *(RANGES if model.intervals is not None else ())), DECIMAL)


@dataclass(frozen=True)
class TwinPredictor:
    """What MLflow calls. One row per household's state in, one row of expectations out, in order."""

    model: TwinModel

    def predict(self, model_input: pd.DataFrame) -> pd.DataFrame:
        """Chance to buy, baskets and money in the model's horizon, and how far off they may be."""
        import pandas as pd
        import pyarrow as pa

        table = pa.Table.from_pandas(model_input[list(taken(self.model))], preserve_index=False)
        expected = self.model.predict(table)
        out = {name: getattr(expected, name) for name in EXPECTED}
        if self.model.intervals is not None:
            ranges = self.model.ranges(expected)
            out |= {name: getattr(ranges, name) for name in RANGES}
        return pd.DataFrame(out)


def predictor(path: Path) -> TwinPredictor:
    """The predictor of this model file."""
    return TwinPredictor(stored.from_text(path.read_text(encoding="utf-8")))


def taste_predictor(path: Path) -> TastePredictor | None:
    """The predictor of this file of taste heads; None: it has none for categories."""
    tastes = taste_stored.from_text(path.read_text(encoding="utf-8")).tastes
    return None if tastes is None else TastePredictor(tastes)


def _load_pyfunc(data_path: str) -> TwinPredictor | TastePredictor:
    """What MLflow's loader calls with the place of the model file: the twin's, or that of its tastes."""
    path = Path(data_path)
    return (taste_predictor(path) if path.name == TASTES else None) or predictor(path)


def example(model: TwinModel | None = None) -> pd.DataFrame:
    """Two invented consumers: one shops weekly for 25 in money, one came twice long ago."""
    import pandas as pd

    rows = [_household(baskets=40, days=280, recency=3), _household(baskets=2, days=280, recency=200)]
    own = {column.name: column.centre for family in (model.own if model else ()) for column in family.columns}
    return pd.DataFrame([{**row, **own} for row in rows])[[*STATE, *sorted(own)]]


def _household(*, baskets: int, days: int, recency: int) -> dict[str, int]:
    pace = baskets / days
    state = {"tenure_days": days, "recency_days": recency, "shopping_days": baskets, "baskets_total": baskets}
    state["quiet_days"] = max(days - recency - 28 * baskets, 0)
    state |= {
        "cents_total": baskets * 2500,
        "log_value_sum": baskets * 3 * MILLION,
        "log_value_squares": baskets * 10 * MILLION,
    }
    for speed, memory in zip(SPEEDS, (10, 30, 90), strict=True):
        state[f"exposure_{speed}"] = memory * BILLION
        state[f"baskets_{speed}"] = int(memory * pace * BILLION)
        state[f"cents_{speed}"] = int(memory * pace * 2500) * BILLION
    return state
