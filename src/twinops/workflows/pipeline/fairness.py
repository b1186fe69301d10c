"""Replay the judged decision, assess whom it reaches, and say what other decisions would reach and cost."""

from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from twinops.data.vault.sealed_tables import SealedTables
from twinops.entities.fact import Fact, Kind
from twinops.entities.findings import Findings
from twinops.evaluation.canvas import save
from twinops.evaluation.fairness.conclusions import decided, prices, sentences
from twinops.evaluation.fairness.decision import Candidates, RankedHouseholds
from twinops.evaluation.fairness.declaration import Assessed, Decision
from twinops.evaluation.fairness.family import Crowd, Member, family, group_blends
from twinops.evaluation.fairness.family_picture import reach_against_price_picture
from twinops.evaluation.fairness.findings import AssessedReach, ReplayedDecision, fairness_findings
from twinops.evaluation.fairness.groups import held
from twinops.evaluation.fairness.measures import AttributeComparison, assess
from twinops.evaluation.fairness.ratios_picture import fairness_ratios_picture
from twinops.evaluation.fairness.selection_rates_picture import selection_rates_picture
from twinops.evaluation.statistics import bootstrap
from twinops.params import FairnessParams, changed
from twinops.ports import KeyStore
from twinops.workflows.declared_words import UNDECLARED, DeclaredWords
from twinops.workflows.places import Places
from twinops.workflows.replayed_decision import assessed_groups, assessed_of, decision_of, levels, replayed


@dataclass(frozen=True)
class FairnessAssessment:
    """What the notebook may show: counts and rates of groups, sentences about them, and what else could be declared."""

    findings: Findings
    comparisons: tuple[AttributeComparison, ...]
    decided: str
    found: tuple[str, ...]
    prices: tuple[str, ...]


@dataclass(frozen=True)
class Reached:
    """Whom the decision reaches by attribute and group, and what others of its family would reach and cost."""

    reach: AssessedReach
    asked: "Asked"
    columns: dict[str, Any]

    @property
    def shown(self) -> tuple[AttributeComparison, ...]:
        """What a notebook is given: counts and rates of groups, nobody's."""
        return tuple(self.reach.comparisons)


@dataclass(frozen=True)
class FairnessSteps:
    """The steps of assessing fairness, in order: `decision`, `reach`, `keep`."""

    places: Places
    keys: KeyStore
    replay: FairnessParams
    words: DeclaredWords = UNDECLARED

    def decision(self) -> Decision:
        """The decision that is judged, as declared; nobody chooses it in a notebook.

        Raises:
            ParamsError: `intended_use.yaml` does not say what is judged.
        """
        return decision_of(self.places)

    def reach(self, *, cutoff: int | None = None, draws: int | None = None, seed: int | None = None) -> Reached:
        """Replay the decision on one day, and compare the groups of those who allow bias assessment.

        Raises:
            ParamsError: `intended_use.yaml` or the policy does not say what is judged, or by which rule.
        """
        tables = SealedTables(self.places.raw_batches, self.keys)
        demographics = tables.source("demographics")
        replay = changed(self.replay, cutoff=cutoff, draws=draws, seed=seed)
        asked = Asked(self.decision(), assessed_of(self.places, demographics), replay)
        days = Predicted(tables.table(self.places.predictions, dataset="predictions"), replay.cutoff)
        reach = _reached(replayed(self.places, days.now, tables), days, demographics, asked)
        columns = {
            name: {"ordered": None if order is None else list(order)} for name, order in held(demographics).items()
        }
        return Reached(reach, asked, columns)

    def keep(self, reached: Reached) -> FairnessAssessment:
        """Write `reports/measures/fairness.json` and three pictures."""
        places, reach, asked, of = self.places, reached.reach, reached.asked, self.words.sheet
        findings = fairness_findings(reach, replayed=ReplayedDecision(asked.decision, asked.rule, asked.replay, of))
        findings += Findings((), (Fact("profile_columns", reached.columns, Kind.MEASURED, "data/raw/demographics"),))
        places.keep("fairness", findings, self.words.wording)
        comparisons = tuple(reach.comparisons)
        pictures = {
            "selection_rates": selection_rates_picture(comparisons, decision=asked.decision, of=of),
            "fairness_ratios": fairness_ratios_picture(comparisons, asked.rule, of=of),
            "reach_against_price": reach_against_price_picture(reach.family, asked.rule),
        }
        for name, picture in pictures.items():
            save(picture, places.figure(name), self.words.wording)
        said = decided(next(fact.value for fact in findings.facts if fact.name == "fairness_decision"))
        return FairnessAssessment(findings, comparisons, said, sentences(comparisons), prices(reach.family))


def fairness(
    places: Places, *, keys: KeyStore, replay: FairnessParams, words: DeclaredWords = UNDECLARED
) -> FairnessAssessment:
    """Assess the declared decision, and keep what was found.

    Raises:
        ParamsError: `intended_use.yaml` or the policy does not say what is judged, or by which rule.
    """
    steps = FairnessSteps(places, keys, replay, words)
    return steps.keep(steps.reach())


@dataclass(frozen=True)
class Predicted:
    """The held-out predictions, and the day that is judged."""

    table: pa.Table
    cutoff: int

    @property
    def now(self) -> Candidates:
        """Who may receive an offer on the judged day."""
        return Candidates.on(self.table, cutoff=self.cutoff)

    @property
    def earlier(self) -> tuple[Candidates, ...]:
        """The same on the days before."""
        days = sorted({d for d in self.table["cutoff"].to_pylist() if d < self.cutoff})
        return tuple(Candidates.on(self.table, cutoff=day) for day in days)


@dataclass(frozen=True)
class Asked:
    """The decision, the rule it is judged by, and the draws."""

    decision: Decision
    rule: Assessed
    replay: FairnessParams


def _reached(everyone: RankedHouseholds, days: Predicted, demographics: pa.Table, asked: Asked) -> AssessedReach:
    """Whom the decision reaches, and whom others of its family would."""
    grouped = assessed_groups(everyone, demographics, asked.rule)
    draws = bootstrap.counts(len(everyone), draws=asked.replay.draws, seed=asked.replay.seed)
    among = everyone.only(everyone.assessable)
    comparisons = assess(among, grouped, asked.rule, draws=draws[:, everyone.assessable])
    crowd = Crowd(
        days.now, days.earlier, levels(everyone, grouped), grouped, asked.rule, draws.astype(float), asked.replay.seed
    )
    members: tuple[Member, ...] = family(asked.decision, crowd)
    return AssessedReach(everyone, comparisons, (*members, *group_blends(asked.decision, crowd)) if members else ())
