"""What the twin must beat: nothing at all, the last horizon again, a regression on recency, frequency and money."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from twinops.params import TrainParams
from twinops.twin.model.glm import Head, Scaling, fit_activity, fit_rate
from twinops.twin.model.predictions import Predictions, exponential, logistic
from twinops.twin.state.examples import Examples
from twinops.twin.state.features import RFM
from twinops.twin.state.terms import columns


@dataclass(frozen=True)
class Naive:
    """The last horizon will repeat; whoever bought in them is active with the share seen among such in training.

    Whoever did not is expected to bring as few baskets and USD as such did: of a certain nothing no likelihood can be
    told. The window's USD as they are answer for the median.
    """

    active_if_bought: float
    active_if_not: float
    baskets_if_not: float
    spend_if_not: float

    def predict(self, table: pa.Table) -> Predictions:
        """The window's baskets and USD again."""
        recent = columns(table, ("baskets_h1", "cents_h1"))
        bought, again = recent["baskets_h1"] > 0, recent["cents_h1"] / 100
        return Predictions.of(
            np.where(bought, self.active_if_bought, self.active_if_not),
            np.where(bought, recent["baskets_h1"], self.baskets_if_not),
            np.where(again > 0, again, self.spend_if_not),
            again,
        )


@dataclass(frozen=True)
class Zero:
    """Nobody comes. Where most do not, no error is easier to beat in appearance than this one's."""

    def predict(self, table: pa.Table) -> Predictions:
        """Nothing, for every row."""
        nothing = np.zeros(table.num_rows)
        return Predictions.of(nothing, nothing, nothing)


@dataclass(frozen=True)
class RfmModel:
    """Logistic and Poisson regressions on logarithms of the RFM columns, fitted as the twin's heads are."""

    scaling: Scaling
    activity: Head
    baskets: Head
    spend: Head

    def predict(self, table: pa.Table) -> Predictions:
        """One prediction per row, in order."""
        z = self.scaling(_logarithms(table))
        return Predictions.of(
            logistic(self.activity.predictor(z)),
            exponential(self.baskets.predictor(z)),
            exponential(self.spend.predictor(z)),
        )


def fit_naive(examples: Examples) -> Naive:
    """Count who came back; one imaginary household of each kind keeps shares off 0 and 1, and means off 0."""
    bought = columns(examples.table, ("baskets_h1",))["baskets_h1"] > 0

    def share(of: np.ndarray) -> float:
        return float((examples.active[of].sum() + 1) / (of.sum() + 2))

    few, little = (float((v[~bought].sum() + 1) / ((~bought).sum() + 2)) for v in (examples.baskets, examples.spend))
    return Naive(share(bought), share(~bought), few, little)


def fit_rfm(examples: Examples, train: TrainParams) -> RfmModel:
    """Fit the three regressions with the same penalties as the twin's."""
    x = _logarithms(examples.table)
    scaling = Scaling.fit(x)
    z = scaling(x)
    return RfmModel(
        scaling,
        activity=fit_activity(z, examples.active, c=train.activity_c),
        baskets=fit_rate(z, examples.baskets, alpha=train.spend_alpha),
        spend=fit_rate(z, examples.spend, alpha=train.spend_alpha),
    )


def _logarithms(table: pa.Table) -> np.ndarray:
    """log(1 + x) of every RFM column, money in USD, and of the mean basket."""
    rfm = columns(table, RFM)
    # the best of nine such sets on the development days 197 and 225
    amounts = [v / 100 if name.startswith("cents") else v for name, v in rfm.items()]
    mean_basket = rfm["cents_total"] / 100 / rfm["baskets_total"]
    return np.asarray(np.log1p(np.column_stack([*amounts, mean_basket])))
