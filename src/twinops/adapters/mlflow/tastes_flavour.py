"""The heads for tastes as MLflow calls them: a household's state and its taste of each category in, chances out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from twinops.twin.state.features import STATE
from twinops.twin.tastes.events import SPEEDS
from twinops.twin.tastes.rows import NEVER, TasteRows

if TYPE_CHECKING:
    import pandas as pd

    from twinops.twin.tastes.categories import Tastes

WHOLE, DECIMAL = "long", "double"
FAR = 1_000_000
"""A day that no household's first basket comes near: columns tell ages, not days."""


@dataclass(frozen=True)
class TastePredictor:
    """One row per household in, one chance per category out, in order; columns are those of `taken` and `given`."""

    tastes: Tastes

    def predict(self, model_input: pd.DataFrame) -> pd.DataFrame:
        """The chance to buy of each category within the horizon."""
        import pandas as pd

        return pd.DataFrame(self.tastes.predict(_rows(self.tastes, model_input)), columns=list(given(self.tastes)))


def taken(tastes: Tastes) -> dict[str, str]:
    """The state, then per category the decayed baskets at each speed and the days since the last (-1: never)."""
    own = {f"{what}.{name}": DECIMAL for what in (*SPEEDS, "since") for name in tastes.names}
    return {**dict.fromkeys(STATE, WHOLE), **own}


def given(tastes: Tastes) -> dict[str, str]:
    """One chance per category."""
    return dict.fromkeys(tastes.names, DECIMAL)


def example(tastes: Tastes, state: pd.DataFrame) -> pd.DataFrame:
    """The invented households of `state`: one bought of every category three times lately, one of none."""
    import pandas as pd

    own = {name: [3.0, 0.0] for name in taken(tastes) if name not in STATE}
    own |= {f"since.{name}": [7.0, float(NEVER)] for name in tastes.names}
    return pd.concat([state, pd.DataFrame(own)], axis=1)[list(taken(tastes))]


def _rows(tastes: Tastes, frame: pd.DataFrame) -> TasteRows:
    import pyarrow as pa

    def matrix(what: str) -> np.ndarray:
        return frame[[f"{what}.{name}" for name in tastes.names]].to_numpy(dtype=float)

    n, since = len(frame), matrix("since")
    nobody = np.zeros(n, dtype=np.int64)
    return TasteRows(
        panel=pa.Table.from_pandas(frame[list(STATE)], preserve_index=False),
        cutoff=nobody + FAR,
        household=nobody,
        closed=nobody.astype(bool),
        bought={speed: matrix(speed) for speed in SPEEDS},
        baskets=np.zeros_like(since),
        last_day=np.where(since < 0, NEVER, FAR - since),
        chosen=np.zeros_like(since),
    )
