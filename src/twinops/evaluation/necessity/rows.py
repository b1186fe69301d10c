"""What necessity is tested on: established households, the same as if newly met, what sources and attributes tell."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from twinops.data.vault.seal import with_text_sid
from twinops.entities.demographics import NO_ATTRIBUTES, order_of
from twinops.errors import DataError
from twinops.evaluation.necessity.measures import Rows
from twinops.params import FeaturesParams
from twinops.plugins import text_beside
from twinops.ports import Engine
from twinops.twin.own_features._shelf import own_columns
from twinops.twin.state.examples import Examples
from twinops.twin.state.priors import fit_priors
from twinops.twin.state.terms import terms

SOURCES = {
    "campaigns": "campaigns_",
    "redemptions": "redemptions_",
    "crm": "crm_",
    "social": "social_",
    "care": "care_",
}
"""Source -> how its columns of `told_by_sources.sql` begin."""


def established(known: Examples, grid: FeaturesParams, *, learn_until: int, judged: Sequence[int]) -> Rows:
    """All history: the twin's own terms, with priors of the rows that are learned from.

    Days to learn from lie whole horizons apart, back from `learn_until`: closer ones hold the same purchases twice.
    None is so late that its horizon reaches into a judged one, whatever `learn_until` says.

    Raises:
        DataError: there is no day to learn from.
    """
    last = min(learn_until, min(judged) - grid.horizon_days)
    if not (known.cutoff <= last).any():
        raise DataError(
            f"There is no as-of day up to {last} to learn necessity from.",
            hint="Choose later evaluate.cutoffs, or raise minimisation.learn_until.",
        )

    def base(learn: np.ndarray) -> np.ndarray:
        priors = fit_priors(known.where(learn).table, decay_days=grid.decay_days)
        return terms(known.table, priors, horizon_days=grid.horizon_days)

    last = int(known.cutoff[known.cutoff <= last].max())
    apart = (last - known.cutoff) % grid.horizon_days == 0
    learn = known.closed & (known.cutoff <= last) & apart & _may(known, "may_train")
    judge = known.closed & np.isin(known.cutoff, judged) & _may(known, "may_score")
    return Rows(base, known.spend, known.active, known.household, known.cutoff, learn, judge)


def newly_met(rows: Rows, recent: np.ndarray) -> Rows:
    """The same households, of whom only `recent` (rows x columns) is known; none at all for no history."""
    return Rows(lambda _: recent, rows.spend, rows.active, rows.household, rows.cutoff, rows.learn, rows.judge)


def recent_columns(engine: Engine, lines: pa.Table, known: Examples, histories: Sequence[int]) -> dict[int, np.ndarray]:
    """Days of history -> rows x columns; `known` is in order of sid and as-of day."""
    engine.register("transactions", with_text_sid(lines.select(["sid", "day", "basket_id", "sales_cents"])))
    engine.register("asked", known.table.select(["sid", "cutoff"]))
    engine.register("histories", pa.table({"days": pa.array(histories, pa.int64())}))
    found = engine.query(text_beside(__package__, "recent.sql"))
    days = found["days"].to_numpy()
    out = {}
    for h in histories:
        part = found.filter(pa.array(days == h))
        baskets, cents, recency = (part[c].to_numpy().astype(float) for c in ("baskets", "cents", "recency_days"))
        columns = np.column_stack([np.log1p(baskets), np.log1p(cents / 100), np.log1p(recency), baskets > 0])
        out[h] = columns if h else np.zeros((len(part), 1))
    return out


def source_columns(engine: Engine, known: Examples, tables: dict[str, pa.Table]) -> dict[str, np.ndarray]:
    """Source -> rows x columns; `tables` are `campaigns`, `redemptions` and `blend`."""
    for name, table in tables.items():
        engine.register(name, with_text_sid(table))
    engine.register("asked", known.table.select(["sid", "cutoff"]))
    told = engine.query(text_beside(__package__, "told_by_sources.sql"))
    out = {}
    for source, start in SOURCES.items():
        x = np.column_stack([told[c].to_numpy().astype(float) for c in told.column_names if c.startswith(start)])
        out[source] = np.sign(x) * np.log1p(np.abs(x))
    # nothing is told of anyone: the source is off, and there is nothing to test
    return {source: x for source, x in out.items() if (x.std(axis=0) > 0).any()}


def feature_columns(known: Examples) -> dict[str, np.ndarray]:
    """Feature of the project's own -> rows x one column: asked about need as a source is."""
    names = own_columns(known.table.column_names)
    told = {name: np.asarray(known.table[name].to_numpy(), dtype=float)[:, None] for name in names}
    return {name: np.sign(x) * np.log1p(np.abs(x)) for name, x in told.items() if x.std() > 0}


def _may(known: Examples, purpose: str) -> np.ndarray:
    return np.asarray(known.table[purpose].to_numpy(zero_copy_only=False))


def attribute_columns(demographics: pa.Table, sids: Sequence[str]) -> dict[str, np.ndarray]:
    """Attribute that is held -> one row per sid, in order; every sid must be among the demographics.

    Where levels run from little to much, place and its square say nearly all, and cost two columns instead of twelve.
    """
    place = {sid: i for i, sid in enumerate(demographics["sid"].to_pylist())}
    rows = pa.array([place[sid] for sid in sids], pa.int64())
    named = (name for name in demographics.column_names if name not in NO_ATTRIBUTES)
    answers = {name: demographics[name].take(rows).to_pylist() for name in named}
    told = {name: [a for a in given if a is not None] for name, given in answers.items()}
    return {name: _columns(answers[name], order_of(name, levels)) for name, levels in told.items() if levels}


def _columns(answers: list[str | None], levels: Sequence[str] | None) -> np.ndarray:
    """Place and its square for ordered levels, else a column per level; not stated is a column of its own."""
    if levels is not None:
        place = np.array([levels.index(a) if a is not None else -1 for a in answers], dtype=float)
        stated = place >= 0
        scaled = np.where(stated, place / max(len(levels) - 1, 1) - 0.5, 0.0)
        return _telling(np.column_stack([scaled, scaled**2, ~stated]))
    seen = sorted({a for a in answers if a is not None})
    return _telling(np.column_stack([np.array([a == level for a in answers], dtype=float) for level in (*seen, None)]))


def _telling(x: np.ndarray) -> np.ndarray:
    """Without columns that say the same of everyone; at least one stays."""
    differs = x.std(axis=0) > 0
    return x[:, differs] if differs.any() else x[:, :1]
