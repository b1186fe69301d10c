"""The twin's model: priors, scaling and heads. It is text, holds no subject, and loading it runs nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from twinops.errors import DataError
from twinops.twin.model.families import CLASSIC, HEADS, HURDLE, REGRESSION, REGRESSIONS, TREES, Hurdle, Speakers
from twinops.twin.model.glm import Head, Scaling
from twinops.twin.model.predictions import Predictions, exponential, visiting
from twinops.twin.state.terms import Priors, terms
from twinops.twin.strict_json import Count, declared

if TYPE_CHECKING:
    from twinops.twin.model.bgnbd import Classic
    from twinops.twin.model.boosted_trees import Challenger
    from twinops.twin.model.intervals import Intervals, Ranges
    from twinops.twin.model.outcomes import Scatter
    from twinops.twin.model.own_family import OwnFamily

Answers = dict[str, dict[str, np.ndarray]]
"""Family -> head -> one number per row."""

AMOUNTS = ("baskets", "spend")


@declared
@dataclass(frozen=True)
class TrainedOn:
    """What the model has seen, in numbers that say nothing about anyone."""

    rows: Count
    households: Count
    first_cutoff: Count
    last_cutoff: Count


@dataclass(frozen=True)
class TwinModel:
    """Predicts from a table that has the columns `features.STATE`, and from nothing else but features of one's own.

    So a state that lives on between two pipelines, a row of the panel and a request to the server get the same answer.
    The three regressions are always there; of the other families those that `speakers` names. `scatter` says what may
    come of a prediction, `intervals` how wide a range must be.
    """

    horizon_days: int
    decay_days: tuple[int, int, int]
    priors: Priors
    scaling: Scaling
    activity: Head
    baskets: Head
    spend: Head
    scatter: Scatter
    trained_on: TrainedOn
    speakers: Speakers = REGRESSIONS
    hurdle: Hurdle | None = None
    classic: Classic | None = None
    trees: Challenger | None = None
    own: tuple[OwnFamily, ...] = ()
    intervals: Intervals | None = None

    def standardised(self, table: pa.Table) -> np.ndarray:
        """The standardised terms of each row; times a head's weights they are its exact, additive explanation."""
        return self.scaling(terms(table, self.priors, horizon_days=self.horizon_days))

    def predict(self, table: pa.Table) -> Predictions:
        """What each row's household will do in the next `horizon_days`: one prediction per row, in order."""
        return self.scatter.beside(self.means(table))

    def means(self, table: pa.Table) -> Predictions:
        """The same without a median."""
        return spoken(self.answers(table), self.speakers)

    def answers(self, table: pa.Table) -> Answers:
        """What each family that is here says of each head, by its name."""
        z = self.standardised(table)
        chance = visiting(self.activity.predictor(z))
        rates = {head: exponential(getattr(self, head).predictor(z)) for head in AMOUNTS}
        found: Answers = {REGRESSION: {"activity": chance, **rates}}
        if self.hurdle is not None:
            found[HURDLE] = {head: chance * self.hurdle.given(head, z) for head in AMOUNTS}
        if self.classic is not None:
            p = self.classic.predict(table)
            found[CLASSIC] = {"activity": p.active_probability, "baskets": p.baskets, "spend": p.spend}
        if self.trees is not None:
            found[TREES] = {head: self.trees.answer(table, head) for head in self.trees.forests}
        for family in self.own:
            rows = family.rows(z, table)
            found[family.name] = {str(head): family.answer(rows, head) for head in family.heads}
        return found

    @property
    def own_columns(self) -> tuple[str, ...]:
        """Features of the project's own that some family reads, beside the state."""
        return tuple(sorted({column.name for family in self.own for column in family.columns}))

    @property
    def calibrated(self) -> Intervals:
        """The intervals.

        Raises:
            DataError: none were fitted.
        """
        if self.intervals is None:
            raise DataError("Nothing tells how far off a prediction may be.", hint="Run `dvc repro train`.")
        return self.intervals

    def ranges(self, p: Predictions) -> Ranges:
        """The 80 % range of each prediction.

        Raises:
            DataError: no intervals were fitted.
        """
        return self.calibrated.of(p, self.scatter)


def spoken(answers: Answers, speakers: Speakers) -> Predictions:
    """Of each head the plain mean of those that speak, as answers that fit together."""
    return Predictions.of(*(np.mean([answers[f][head] for f in speakers.of(head)], axis=0) for head in HEADS))
