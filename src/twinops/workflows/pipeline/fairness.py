"""Replay the judged decision, assess whom it reaches, and say what other decisions would reach and cost."""

from dataclasses import dataclass

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
from twinops.params import FairnessParams
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


def fairness(
    places: Places, *, keys: KeyStore, replay: FairnessParams, words: DeclaredWords = UNDECLARED
) -> FairnessAssessment:
    """Write `reports/measures/fairness.json` and three pictures.

    Raises:
        ParamsError: `intended_use.yaml` or the policy does not say what is judged, or by which rule.
    """
    tables = SealedTables(places.raw_batches, keys)
    demographics = tables.source("demographics")
    decision, rule = decision_of(places), assessed_of(places, demographics)
    days = Predicted(tables.table(places.predictions, dataset="predictions"), replay.cutoff)
    everyone = replayed(places, days.now, tables)
    reach = _reached(everyone, days, demographics, Asked(decision, rule, replay))
    of = words.sheet
    findings = fairness_findings(reach, replayed=ReplayedDecision(decision, rule, replay, of))
    columns = {name: {"ordered": None if order is None else list(order)} for name, order in held(demographics).items()}
    findings += Findings((), (Fact("profile_columns", columns, Kind.MEASURED, "data/raw/demographics"),))
    places.keep("fairness", findings, words.wording)
    comparisons = tuple(reach.comparisons)
    save(
        selection_rates_picture(comparisons, decision=decision, of=of), places.figure("selection_rates"), words.wording
    )
    save(fairness_ratios_picture(comparisons, rule, of=of), places.figure("fairness_ratios"), words.wording)
    save(reach_against_price_picture(reach.family, rule), places.figure("reach_against_price"), words.wording)
    said = decided(next(fact.value for fact in findings.facts if fact.name == "fairness_decision"))
    return FairnessAssessment(findings, comparisons, said, sentences(comparisons), prices(reach.family))


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
