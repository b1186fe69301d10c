"""Load the twin for MLflow's pyfunc flavour: JSON in, numpy predictions out, no pickle on the way."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from twinops.twin import stored
from twinops.twin.features import BILLION, MILLION, SPEEDS, STATE

if TYPE_CHECKING:
    import pandas as pd

    from twinops.twin.model import TwinModel

TAKEN = STATE
"""What a row of input holds: a household's state, in whole numbers."""

EXPECTED = ("active_probability", "baskets", "spend")
"""What a row of predictions holds: a chance, a number of baskets, USD."""


@dataclass(frozen=True)
class TwinPredictor:
    """What MLflow calls. One row per household's state in, one row of expectations out, in order."""

    model: TwinModel

    def predict(self, model_input: pd.DataFrame) -> pd.DataFrame:
        """Chance to buy, baskets and USD in the model's horizon."""
        import pandas as pd
        import pyarrow as pa

        expected = self.model.predict(pa.Table.from_pandas(model_input[list(STATE)], preserve_index=False))
        return pd.DataFrame({name: getattr(expected, name) for name in EXPECTED})


def predictor(path: Path) -> TwinPredictor:
    """The predictor of this model file."""
    return TwinPredictor(stored.from_text(path.read_text(encoding="utf-8")))


def _load_pyfunc(data_path: str) -> TwinPredictor:
    """What MLflow's loader calls with the place of the model file."""
    return predictor(Path(data_path))


def example() -> pd.DataFrame:
    """Two invented households: one shops weekly for 25 USD, one came twice long ago."""
    import pandas as pd

    return pd.DataFrame([_household(baskets=40, days=280, recency=3), _household(baskets=2, days=280, recency=200)])[
        list(STATE)
    ]


def _household(*, baskets: int, days: int, recency: int) -> dict[str, int]:
    pace = baskets / days
    state = {"tenure_days": days, "recency_days": recency, "shopping_days": baskets, "baskets_total": baskets}
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
