"""Replay the judged decision, assess whom it reaches, and say what reaching groups more evenly would cost."""

from dataclasses import dataclass

import pyarrow as pa

from twinops.data.own_sources.declared import law_on
from twinops.data.sources import demographics as demographics_source
from twinops.data.vault.sealed_tables import SealedTables
from twinops.entities.findings import Findings
from twinops.errors import ParamsError
from twinops.evaluation.canvas import save
from twinops.evaluation.fairness.conclusions import decided, prices, sentences
from twinops.evaluation.fairness.decision import RankedHouseholds, replayed
from twinops.evaluation.fairness.declaration import Declaration, read_decision
from twinops.evaluation.fairness.findings import ReplayedDecision, fairness_findings
from twinops.evaluation.fairness.groups import HELD, groupings
from twinops.evaluation.fairness.measures import AttributeComparison, assess
from twinops.evaluation.fairness.mitigation import BLENDS, Mitigated, mitigate
from twinops.evaluation.fairness.ratios_picture import fairness_ratios_picture
from twinops.evaluation.fairness.selection_rates_picture import selection_rates_picture
from twinops.evaluation.statistics import bootstrap
from twinops.own_params import NOTHING_OWN, OwnParams
from twinops.params import FairnessParams
from twinops.ports import KeyStore
from twinops.workflows.places import Places


@dataclass(frozen=True)
class FairnessAssessment:
    """What the notebook may show: counts and rates of groups, sentences about them, and the price of mitigation."""

    findings: Findings
    comparisons: tuple[AttributeComparison, ...]
    mitigated: tuple[Mitigated, ...]
    decided: str
    found: tuple[str, ...]
    prices: tuple[str, ...]


def fairness(
    places: Places, *, keys: KeyStore, replay: FairnessParams, own: OwnParams = NOTHING_OWN
) -> FairnessAssessment:
    """Write `reports/measures/fairness.json` and two pictures.

    Raises:
        ParamsError: `intended_use.yaml` does not say what is judged, or `params.yaml` says something else.
        DataError: a declared attribute is not in the demographics, or nobody may be assessed.
    """
    declared = _declared(places, replay)
    tables = SealedTables(places.raw_batches, keys)
    predictions = tables.table(places.predictions, dataset="predictions")
    demographics = tables.source("demographics")
    everyone = replayed(predictions, cutoff=replay.cutoff, share=replay.offer_share)
    comparisons, mitigated = assess_groups(everyone.only(everyone.assessable), demographics, declared, replay)
    of = law_on(own, demographics_source).sheet
    findings = fairness_findings(everyone, comparisons, mitigated, replayed=ReplayedDecision(declared, replay, of))
    places.keep("fairness", findings)
    save(selection_rates_picture(comparisons, share=replay.offer_share, of=of), places.figure("selection_rates"))
    save(fairness_ratios_picture(comparisons, declared.fairness, of=of), places.figure("fairness_ratios"))
    said = decided(next(fact.value for fact in findings.facts if fact.name == "fairness_decision"))
    return FairnessAssessment(findings, comparisons, mitigated, said, sentences(comparisons), prices(mitigated))


def _declared(places: Places, replay: FairnessParams) -> Declaration:
    """The decision is the controller's to declare; a parameter that differs would judge another one."""
    declared = read_decision(places.compliance / "intended_use.yaml")
    if declared.decision.share != replay.offer_share:
        asked, fixed = replay.offer_share, declared.decision.share
        raise ParamsError(
            f"fairness.offer_share is {asked:g}, but the declared decision selects {fixed:g}.",
            hint="The judged decision is fixed in compliance/intended_use.yaml; set the parameter to it.",
        )
    return declared


def assess_groups(
    people: RankedHouseholds, demographics: pa.Table, declared: Declaration, replay: FairnessParams
) -> tuple[tuple[AttributeComparison, ...], tuple[Mitigated, ...]]:
    """What was found about every attribute, and what reaching its groups more evenly would cost."""
    draws = bootstrap.counts(len(people), draws=replay.draws, seed=replay.seed)
    grouped = groupings(people, demographics, declared.fairness)
    comparisons = assess(people, grouped, declared.fairness, draws=draws)
    attributes = [g for g in grouped if g.attribute != HELD and len(g.groups) > 1]
    tried = [mitigate(people, g, blend=blend, draws=draws) for g in attributes for blend in BLENDS]
    return comparisons, tuple(m for m in tried if m is not None)
