"""The model as it ships: whoever was chosen for each head, and of the other families those that have a say."""

from __future__ import annotations

from dataclasses import dataclass, replace

from twinops.params import ChallengerParams, FeaturesParams, TrainParams
from twinops.twin.model.bgnbd import Classic, fit_classic
from twinops.twin.model.boosted_trees import Challenger, grow
from twinops.twin.model.families import CLASSIC, HURDLE, REGRESSIONS, TREES, Speakers
from twinops.twin.model.fit import fit_hurdle, fit_twin
from twinops.twin.model.intervals import fit_intervals
from twinops.twin.model.model import TwinModel
from twinops.twin.model.outcomes import fit_scatter
from twinops.twin.model.recalibration import recalibrate
from twinops.twin.model.used_terms import AS_SHIPPED, UsedTerms
from twinops.twin.state.examples import Examples


@dataclass(frozen=True)
class Recipe:
    """How a model is made of rows whose horizon is closed; `speakers` says who speaks for each head."""

    grid: FeaturesParams
    penalties: TrainParams
    trees: ChallengerParams
    speakers: Speakers = REGRESSIONS
    recalibrate: bool = False
    terms: UsedTerms = AS_SHIPPED

    def heads(self, known: Examples) -> TwinModel:
        """The regressions alone."""
        return fit_twin(known, self.grid, self.penalties, self.terms)

    def fit(self, known: Examples) -> TwinModel:
        """Learn the regressions and every other family that has a say."""
        model = self.heads(known)
        if self.recalibrate:
            model = recalibrate(model, known, self.heads)
        if self.speakers == REGRESSIONS:
            return model
        model = self.joined(model, known)
        return replace(model, scatter=fit_scatter(model.means(known.table), known.baskets, known.spend))

    def joined(self, model: TwinModel, known: Examples) -> TwinModel:
        """The model with the families that `speakers` name; trees remember rows better, so only where they speak."""
        said, trees = self.speakers, self.speakers.where(TREES)
        blank = Challenger(self.grid.horizon_days, model.priors, windows=False)
        return replace(
            model,
            speakers=said,
            hurdle=fit_hurdle(model, known, self.penalties, self.terms) if said.where(HURDLE) else None,
            classic=classic_of(known, horizon_days=self.grid.horizon_days) if said.where(CLASSIC) else None,
            trees=grow(blank, known, self.trees, trees) if trees else None,
        )

    def fit_with_intervals(self, known: Examples) -> TwinModel:
        """The same model, and ranges calibrated on the last closed window."""
        model = self.fit(known)
        return replace(model, intervals=fit_intervals(known, self.fit, horizon_days=self.grid.horizon_days))

    @property
    def quick(self) -> Recipe:
        """The same without trees, which take minutes where a model is made for many days."""
        return replace(self, speakers=self.speakers.without(TREES))


def classic_of(known: Examples, *, horizon_days: int) -> Classic:
    """BG/NBD and gamma-gamma, fitted to the histories of the newest day of these rows."""
    newest = known.where(known.cutoff == known.cutoff.max())
    return fit_classic(newest.table, horizon_days=horizon_days)
