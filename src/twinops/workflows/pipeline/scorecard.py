"""Put the twin's scorecard together: coverage, freshness, spread, groups and every as-of day, all with intervals."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import cast

import numpy as np

from twinops.data.threads import side_by_side
from twinops.entities.fact import Fact
from twinops.entities.findings import Findings
from twinops.errors import DataError
from twinops.evaluation.accuracy.importance_picture import importance_fact, importance_picture
from twinops.evaluation.canvas import save
from twinops.evaluation.fairness.groups import assessed, group_labels
from twinops.evaluation.scorecard import coverage, freshness
from twinops.evaluation.scorecard import measures as measured_together
from twinops.evaluation.scorecard.conclusions import scorecard_conclusion
from twinops.evaluation.scorecard.coverage import Covered, coverage_measures, covered
from twinops.evaluation.scorecard.coverage_picture import coverage_picture
from twinops.evaluation.scorecard.freshness import Ages, freshness_measures, measure_freshness
from twinops.evaluation.scorecard.freshness_picture import freshness_picture
from twinops.evaluation.scorecard.measures import Origin, Scored, measure_origin
from twinops.evaluation.scorecard.origins import Origins
from twinops.evaluation.scorecard.rolling_picture import rolling_picture
from twinops.evaluation.scorecard.segment_mean import fit_segments
from twinops.evaluation.statistics.bootstrap import counts
from twinops.evaluation.statistics.setting import Setting
from twinops.params import EvaluateParams, ScorecardParams
from twinops.twin.baselines.recency_frequency_value import fit_naive, fit_rfm
from twinops.twin.model.boosted_trees import ready
from twinops.twin.model.intervals import fit_intervals
from twinops.twin.model.model import TwinModel
from twinops.twin.model.model_file import trees_from_text
from twinops.twin.model.outcomes import with_scatter
from twinops.twin.model.recipe import Recipe
from twinops.twin.state.examples import Examples
from twinops.workflows.data_plane import DataPlane
from twinops.workflows.declared_use import attributes_of
from twinops.workflows.learning import Learning


@dataclass(frozen=True)
class Scorecard:
    """What the notebook may show: measures with their intervals, figures of groups, and what `evaluate` had found."""

    findings: Findings
    accuracy: Findings

    @property
    def conclusion(self) -> str:
        """What the intervals allow us to say."""
        return scorecard_conclusion(self.findings)


def scorecard(learning: Learning, held_out: EvaluateParams, settings: ScorecardParams) -> Scorecard:
    """Write `reports/measures/scorecard.json` and four pictures.

    Raises:
        DataError: nobody was chosen, a held-out day cannot be measured, or there are too few days before it.
    """
    plane, recipe = learning.plane, learning.recipe
    places, known = plane.places, learning.examples()
    origins = _origins(known, recipe)
    # two horizons and a grid step at least before an origin: one to learn from, one to calibrate on
    days = [d for d in recipe.grid.cutoffs if settings.first_origin <= d and _closed(known, d) and _taught(origins, d)]
    draws = counts(_count(known), draws=settings.draws, seed=settings.seed)
    ready()
    asked = sorted({*days, *held_out.cutoffs})
    each = side_by_side([partial(measure_origin, origins, day, draws) for day in asked])
    measured = dict(zip(asked, each, strict=True))
    given = _Given(recipe, held_out, settings, draws, places.held_out_trees)
    groups = _groups(origins.known, plane, held_out.cutoffs)
    findings = _findings(origins, measured, given, groups)
    places.keep("scorecard", findings, learning.words.wording)
    save(coverage_picture(findings), places.figure("coverage"), learning.words.wording)
    save(freshness_picture(findings), places.figure("freshness"), learning.words.wording)
    save(importance_picture(findings), places.figure("importance"), learning.words.wording)
    save(rolling_picture(findings, held_out=held_out.cutoffs), places.figure("rolling_origin"), learning.words.wording)
    return Scorecard(findings, places.kept("accuracy"))


def _taught(origins: Origins, day: int) -> bool:
    """Whether a model for that day could be learned: early days of a small shop have too few households."""
    try:
        origins.past(day)
    except DataError:
        return False
    return True


def _origins(known: Examples, recipe: Recipe) -> Origins:
    """The twin as it ships on held-out days; its heads alone on the many other days, where trees would take minutes."""
    return Origins(
        known,
        recipe.grid.horizon_days,
        {
            "twin": recipe.fit,
            "heads": recipe.quick.fit,
            "rfm": lambda past: with_scatter(fit_rfm(past, recipe.penalties), past),
            "naive": fit_naive,
            "segment": lambda past: with_scatter(fit_segments(past), past),
        },
        heads="twin" if recipe.quick == recipe else "heads",
    )


@dataclass(frozen=True)
class _Given:
    """What the kinds of figure share: recipe, sections of `params.yaml`, and the draws of households."""

    recipe: Recipe
    held_out: EvaluateParams
    settings: ScorecardParams
    draws: np.ndarray
    trees: Path
    """Grown by `evaluate` for the last held-out day."""


def _groups(known: Examples, plane: DataPlane, days: tuple[int, ...]) -> dict[str, np.ndarray]:
    """Every household's group in each declared attribute, of those that allow bias assessment."""
    sids, assessable = _people(known, days)
    demographics = plane.tables.source("demographics")
    return group_labels(sids, assessable, demographics, assessed(demographics, attributes_of(plane.places)))


def _findings(origins: Origins, measured: dict[int, Origin], given: _Given, groups: dict[str, np.ndarray]) -> Findings:
    held_out, settings, draws = given.held_out, given.settings, given.draws
    scored = [_scored(origins, day) for day in held_out.cutoffs]
    twin, naive = _held(origins, scored)
    setting = Setting(
        len(np.unique(np.concatenate([d.rows.household for d in scored]))),
        settings.draws,
        settings.seed,
        f"held-out as-of days {', '.join(map(str, held_out.cutoffs))}; all made for each on closed rows only",
    )
    ages = _reachable(origins, held_out, settings)
    aged = measure_freshness(origins, held_out.cutoffs, draws, ages=ages)
    measures = [
        *coverage_measures(twin, naive, draws, setting),
        *measured_together.gain_measures([measured[d] for d in held_out.cutoffs], setting, baseline="segment"),
        *measured_together.spread_measures(scored, draws, setting),
        *freshness_measures(aged, setting),
    ]
    facts = (
        measured_together.rolling_fact(list(measured.values())),
        measured_together.group_fact(scored, twin, draws, groups),
        _importance(origins, given),
    )
    shown = (*coverage.SHOWN, *measured_together.SPREAD, *freshness.presented(ages), *measured_together.SHOWN)
    return Findings(tuple(measures), facts, shown)


def _importance(origins: Origins, given: _Given) -> Fact:
    """What moves the forecasts of the last held-out day, by the heads and by the trees."""
    day = max(given.held_out.cutoffs)
    heads = given.recipe.heads(origins.past(day))
    text = given.trees.read_text(encoding="utf-8")
    trees = trees_from_text(text, horizon_days=heads.horizon_days, priors=heads.priors)
    return importance_fact(heads, trees, origins.rows(day).table)


def _reachable(origins: Origins, held_out: EvaluateParams, settings: ScorecardParams) -> Ages:
    """The ages for which there is a state, or a model, before every held-out day."""
    first, days = int(origins.known.cutoff.min()), set(origins.known.cutoff.tolist())
    state = [a for a in settings.state_ages if all(d - a in days for d in held_out.cutoffs)]
    heads = [
        a
        for a in settings.head_ages
        if all(
            d - a in days and d - a - origins.horizon_days >= first and _taught(origins, d - a)
            for d in held_out.cutoffs
        )
    ]
    return Ages(state, heads)


def _scored(origins: Origins, day: int) -> Scored:
    rows = origins.rows(day)
    return Scored(rows, origins.model("twin", day).predict(rows.table))


def _held(origins: Origins, scored: list[Scored]) -> tuple[list[Covered], list[Covered]]:
    """Per day what the twin's ranges held, and what the range of everybody held."""
    twin, naive = [], []
    for day in scored:
        past = origins.past(int(day.rows.cutoff[0]))
        intervals = fit_intervals(past, origins.fits["twin"], horizon_days=origins.horizon_days)
        model = cast(TwinModel, origins.model("twin", int(day.rows.cutoff[0])))
        ours, everybody = covered(day.rows, day.said, intervals, scatter=model.scatter)
        twin.append(ours)
        naive.append(everybody)
    return twin, naive


def _people(known: Examples, days: tuple[int, ...]) -> tuple[list[str], np.ndarray]:
    """The sid of every household number, and whether it allows bias assessment on any of these days."""
    sids = np.full(_count(known), "", dtype=object)
    sids[known.household] = known.table["sid"].to_pylist()
    allowed = np.isin(known.cutoff, days) & known.table["may_assess_bias"].to_numpy(zero_copy_only=False)
    assessable = np.zeros(len(sids), dtype=bool)
    assessable[known.household[allowed]] = True
    return sids.tolist(), assessable


def _count(known: Examples) -> int:
    return int(known.household.max()) + 1


def _closed(known: Examples, day: int) -> bool:
    return bool(known.closed[known.cutoff == day].any())
