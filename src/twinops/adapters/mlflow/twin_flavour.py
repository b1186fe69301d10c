"""Load the twin for MLflow's pyfunc flavour: purchase lines or ids of twins in, expectations out, no pickle on the way.

Loading opens one text file and nothing that is sealed. Lines are the caller's, who answers for having them; ids are
answered through a project's doors (`Project.answering_by_id`), which ask what each consumer allows today.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from twinops.adapters.mlflow.tastes_flavour import DECIMAL, TastePredictor
from twinops.entities.consent import TWIN_SERVES
from twinops.errors import DataError, ParamsError
from twinops.twin.answers.forecast import ESTABLISHED, NOTHING
from twinops.twin.answers.scores import FIGURES, figures
from twinops.twin.model import model_file as stored
from twinops.twin.state.features import BILLION, MILLION, SPEEDS, STATE
from twinops.twin.state.tabled import Visits, tabled
from twinops.twin.tastes import model_file as taste_stored

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from twinops.twin.model.model import TwinModel
    from twinops.twin.support.support import Support

EXPECTED = ("active_probability", "baskets", "spend", "spend_median")
"""What a row of predictions holds: a chance, a number of baskets, money as a mean and as a median."""
TEXT = "string"
LINE = {"id": TEXT, "time": TEXT, "amount": DECIMAL, "basket": TEXT, "product": TEXT, "category": TEXT,
        "quantity": DECIMAL}  # fmt: skip
"""One purchase line: whose, when, what it cost in all, and the receipt it stands on (else what somebody buys at one
moment is one basket). What was bought and how many may be there and is not read: the twin needs none of it."""
REQUIRED = "id"
"""With nothing else, ids of twins are asked about."""
PURPOSE, AS_OF = "purpose", "as_of"
NEWCOMER_ALONE = "newcomer, as the model alone says"
"""In its first two horizons: in a project other newcomers correct this, and what was seen of them lies there."""
REFUSED = "refused"
LONGEST_DAYS = 36_525
TASTES = "tastes.json"
"""The name of the file of taste heads; it lies beside the model's."""


@dataclass(frozen=True)
class ById:
    """States of those who allow the purpose today, a row each beside its `id`; why others are refused, by id.

    `support` answers for newcomers where it was measured with this very model.
    """

    states: pa.Table
    refused: Mapping[str, str]
    support: Support | None = None


Asks = Callable[[Sequence[str], str, str], ById]
_asks: ContextVar[Asks | None] = ContextVar("who answers for twins by id", default=None)


@contextmanager
def answered_by(asks: Asks) -> Iterator[None]:
    """While it lasts, ids are answered by this; it is told ids, purpose and the text of the model."""
    token = _asks.set(asks)
    try:
        yield
    finally:
        _asks.reset(token)


def taken(model: TwinModel) -> dict[str, str]:
    """What a purchase line holds, and features of the project's own where the model reads some: of its id, alike."""
    return {**LINE, **dict.fromkeys(model.own_columns, DECIMAL)}


def given(model: TwinModel) -> dict[str, str]:
    """What a row of predictions holds: one per id, in the order in which they first stand in the input."""
    numbers = FIGURES if model.intervals is not None else EXPECTED
    return {"id": TEXT, "basis": TEXT, **dict.fromkeys(numbers, DECIMAL), "refused": TEXT}


def parameters() -> dict[str, str]:
    """What is said beside the input; a purpose must be, and without a day it is that after the newest line."""
    return {PURPOSE: "", AS_OF: ""}


@dataclass(frozen=True)
class TwinPredictor:
    """What MLflow calls. One row per id: expectations, or why they are refused."""

    model: TwinModel
    text: str

    def predict(self, model_input: pd.DataFrame, params: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """Chance to buy, baskets and money in the model's horizon, and how far off they may be.

        Raises:
            ParamsError: no purpose is said, or a day is none.
            DataError: the lines cannot be, or ids are asked about where no project answers.
        """
        said = {**parameters(), **(params or {})}
        _against_undeclared(str(said[PURPOSE]))
        ids = _ids(model_input)
        if not any(c in model_input and model_input[c].notna().any() for c in ("time", "amount")):
            return self._by_id(ids, str(said[PURPOSE]))
        return self._of_lines(model_input, ids, str(said[AS_OF]))

    def _by_id(self, ids: list[str], purpose: str) -> pd.DataFrame:
        asks = _asks.get()
        if asks is None:
            raise DataError(
                "Ids of twins are answered in their project alone: what is known of them is sealed there.",
                hint="Give purchase lines (id, time, amount), or ask within `project.answering_by_id()`.",
            )
        found = asks(ids, purpose, self.text)
        return self._told(ids, found)

    def _of_lines(self, frame: pd.DataFrame, ids: list[str], as_of: str) -> pd.DataFrame:
        import pyarrow as pa

        day = _days(frame)
        today = _day_of(as_of) if as_of else int(day.max()) + 1
        if today - int(day.min()) > LONGEST_DAYS:
            raise DataError("A line is more than a hundred years old.", hint="Is its date read as it was written?")
        made = tabled(_visits(frame, ids, day), today=today, decay_days=self.model.decay_days)
        named = pa.array([ids[i] for i in made.who.tolist()], pa.string())
        states = made.table.append_column("id", named) if len(named) else pa.table({"id": named})
        for column in self.model.own_columns if len(named) else ():
            states = states.append_column(column, pa.array(_of_each(frame, ids, column)[made.who]))
        return self._told(ids, ById(states, {}))

    def _told(self, ids: list[str], found: ById) -> pd.DataFrame:
        """A row for each id: of whom nothing is known, or who refuses, no figure is told."""
        import pandas as pd

        told, no = self._expected(found), found.refused
        basis = {who: REFUSED if who in no else NOTHING for who in ids}
        rows = [{"id": i, "basis": basis[i], "refused": no.get(i, ""), **told.get(i, {})} for i in ids]
        made = pd.DataFrame(rows, columns=list(given(self.model)))
        return made.astype({c: float for c, kind in given(self.model).items() if kind == DECIMAL})

    def _expected(self, found: ById) -> dict[str, dict[str, Any]]:
        if not found.states.num_rows:
            return {}
        columns = figures(found.states, model=self.model, support=found.support)
        if found.support is None:
            young = np.asarray(found.states["tenure_days"]) <= 2 * self.model.horizon_days
            columns["basis"] = np.where(young, NEWCOMER_ALONE, ESTABLISHED)
        lists = {name: np.asarray(values).tolist() for name, values in columns.items()}
        return {
            who: {name: values[i] for name, values in lists.items()}
            for i, who in enumerate(found.states["id"].to_pylist())
        }


def _against_undeclared(purpose: str) -> None:
    """GDPR art. 5(1)(b): nobody is predicted for no purpose."""
    declared = [p.value for p in TWIN_SERVES]
    if purpose not in declared:
        what = (
            f"{purpose!r:.60} is no purpose a twin is asked for."
            if purpose
            else "A twin is not asked without a purpose."
        )
        raise ParamsError(what, hint=f"Say params={{'{PURPOSE}': ...}} with one of {', '.join(declared)}.")


def _ids(frame: pd.DataFrame) -> list[str]:
    if REQUIRED not in frame or frame[REQUIRED].isna().any():
        raise DataError("A row has no id.", hint="Every line says whose it is, in the column `id`.")
    return list(dict.fromkeys(frame[REQUIRED].astype(str)))


def _days(frame: pd.DataFrame) -> np.ndarray:
    """Days of the lines by the calendar, as the till's own clock has them."""
    import pandas as pd

    if not {"time", "amount"} <= set(frame) or frame[["time", "amount"]].isna().to_numpy().any():
        raise DataError("A line has no time or no amount.", hint="Give both for every line, or ids alone.")
    try:
        # the day that the till wrote, whatever zone it says: nothing is moved to another day
        day = pd.to_datetime(frame["time"].astype(str).str.slice(0, 10), format="%Y-%m-%d").to_numpy()
    except (ValueError, OverflowError):
        raise DataError("A time cannot be read.", hint="Write them as 2026-11-29T17:05.") from None
    return np.asarray(day.astype("datetime64[D]").astype(np.int64))


def _visits(frame: pd.DataFrame, ids: list[str], day: np.ndarray) -> Visits:
    """Lines of one receipt and day are one basket; without a receipt's number, those of one moment."""
    amount = frame["amount"].to_numpy(dtype=float)
    if not np.isfinite(amount).all() or np.abs(amount).max() > 1e9:
        raise DataError(
            "An amount is no number, or beyond a thousand million.", hint="In units of money, such as 12.50."
        )
    receipt = frame["time"].astype(str)
    if "basket" in frame:
        receipt = frame["basket"].astype(object).where(frame["basket"].notna(), receipt)
    place = {who: i for i, who in enumerate(ids)}
    lines = {
        "who": frame[REQUIRED].astype(str).map(place).to_numpy(),
        "day": day,
        "receipt": receipt.astype(str).to_numpy(),
        "cents": np.rint(amount * 100).astype(np.int64),
    }
    import pandas as pd

    baskets = pd.DataFrame(lines).groupby(["who", "day", "receipt"], sort=True)["cents"].sum().reset_index()
    if (baskets["cents"] < 0).any():
        raise DataError(
            f"{int((baskets['cents'] < 0).sum())} basket(s) come to less than nothing.",
            hint="Take a return from the purchase it belongs to, and leave out what nothing is left of.",
        )
    return Visits(*(baskets[c].to_numpy().astype(np.int64) for c in ("who", "day", "cents")))


def _of_each(frame: pd.DataFrame, ids: list[str], column: str) -> np.ndarray:
    """One number per id: the last that stands beside it."""
    if column not in frame or frame[column].isna().all():
        what = f"This model reads {column}, a feature of the project's own, which lines cannot tell."
        raise DataError(what, hint="Give it as a column, alike for all lines of an id, or ask by id in the project.")
    last = frame.groupby(frame[REQUIRED].astype(str))[column].last()
    values = np.array([last.get(who, np.nan) for who in ids], dtype=float)
    if np.isnan(values).any():
        raise DataError(f"{column} is not told of every id.", hint="Give it for all lines of an id, alike.")
    return values


def _day_of(text: str) -> int:
    try:
        return (date.fromisoformat(text) - date(1970, 1, 1)).days
    except ValueError:
        raise ParamsError(f"{text!r:.40} is no day.", hint="Write it as 2026-11-29.") from None


def predictor(path: Path) -> TwinPredictor:
    """The predictor of this model file."""
    text = path.read_text(encoding="utf-8")
    return TwinPredictor(stored.from_text(text), text)


def taste_predictor(path: Path) -> TastePredictor | None:
    """The predictor of this file of taste heads; None: it has none for categories."""
    tastes = taste_stored.from_text(path.read_text(encoding="utf-8")).tastes
    return None if tastes is None else TastePredictor(tastes)


def _load_pyfunc(data_path: str) -> TwinPredictor | TastePredictor:
    """What MLflow's loader calls with the place of the model file: the twin's, or that of its tastes."""
    path = Path(data_path)
    return (taste_predictor(path) if path.name == TASTES else None) or predictor(path)


def example(model: TwinModel | None = None) -> pd.DataFrame:
    """Lines of two invented consumers: one shops weekly for 25 in money, one came twice long ago."""
    import pandas as pd

    weekly = pd.date_range("2026-01-05T17:30", periods=40, freq="7D")
    once = pd.to_datetime(["2026-01-05T10:00", "2026-03-25T10:00"])
    moments = [moment.strftime("%Y-%m-%dT%H:%M") for moment in (*weekly, *once)]
    each = {"id": ["weekly"] * len(weekly) + ["once"] * len(once), "time": moments}
    lines = pd.DataFrame({**each, "amount": 25.0, "basket": None, "product": None, "category": None, "quantity": 1.0})
    lines = lines.astype({name: object for name, kind in LINE.items() if kind == TEXT})
    for family in model.own if model else ():
        for column in family.columns:
            lines[column.name] = float(column.centre)
    return lines[[*LINE, *(model.own_columns if model else ())]]


def states() -> pd.DataFrame:
    """States of two such consumers, as the heads of tastes take them."""
    import pandas as pd

    rows = [_household(baskets=40, days=280, recency=3), _household(baskets=2, days=280, recency=200)]
    return pd.DataFrame(rows)[list(STATE)]


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
