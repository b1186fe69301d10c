"""The model as it ships: whoever was chosen, with the challenger's trees where they have a say."""

from __future__ import annotations

from dataclasses import dataclass, replace

from twinops.params import ChallengerParams, FeaturesParams, TrainParams
from twinops.twin.model.boosted_trees import Challenger, fit_challenger
from twinops.twin.model.fit import fit_twin
from twinops.twin.model.intervals import fit_intervals
from twinops.twin.model.median import fit_median
from twinops.twin.model.model import GLM, TwinModel
from twinops.twin.model.recalibration import recalibrate
from twinops.twin.state.examples import Examples


@dataclass(frozen=True)
class Recipe:
    """How a model is made of rows whose horizon is closed; `champion` is one of `model.CHAMPIONS`."""

    grid: FeaturesParams
    penalties: TrainParams
    trees: ChallengerParams
    champion: str = GLM
    recalibrate: bool = False

    def heads(self, known: Examples) -> TwinModel:
        """The regressions alone."""
        return fit_twin(known, self.grid, self.penalties)

    def fit(self, known: Examples) -> TwinModel:
        """Learn the heads and, if they have a say, the trees."""
        model = self.heads(known)
        if self.recalibrate:
            model = recalibrate(model, known, self.heads)
        if self.champion == GLM:
            return model
        # trees remember rows better than regressions do, so they are stored only where they have a say
        return spoken_by(self.champion, model, fit_challenger(known, self.grid, self.trees), known)

    def fit_with_intervals(self, known: Examples) -> TwinModel:
        """The same model, and ranges calibrated on the last closed window."""
        model = self.fit(known)
        return replace(model, intervals=fit_intervals(known, self.fit, horizon_days=self.grid.horizon_days))


def spoken_by(champion: str, heads: TwinModel, trees: Challenger, known: Examples) -> TwinModel:
    """The heads and the trees as one model; its median is learned beside the mean that this champion says."""
    model = replace(heads, champion=champion, challenger=trees)
    return replace(model, median=fit_median(model.predict(known.table).spend, known.spend))
