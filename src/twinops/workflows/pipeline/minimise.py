"""Ask of every personal attribute and source whether the twin needs it, and what behaviour gives away without it."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from twinops.data import products
from twinops.data.consent import special_categories
from twinops.entities.fact import Fact, Kind
from twinops.entities.findings import Findings
from twinops.entities.wording import MANY
from twinops.evaluation.canvas import save
from twinops.evaluation.necessity import measures as necessity
from twinops.evaluation.necessity import retention, revealed
from twinops.evaluation.necessity.measures import ESTABLISHED, Rows, TestedUnit, Trial, tested
from twinops.evaluation.necessity.picture import attributes_picture, sources_picture
from twinops.evaluation.necessity.retention import ATTRIBUTE, SOURCE, TOGETHER
from twinops.evaluation.necessity.rows import (
    attribute_columns,
    established,
    feature_columns,
    newly_met,
    recent_columns,
    source_columns,
)
from twinops.params import EvaluateParams, FeaturesParams, MinimisationParams
from twinops.twin.state.examples import FEWEST_HOUSEHOLDS, Examples, open_examples
from twinops.twin.state.priors import fit_priors
from twinops.twin.state.terms import terms
from twinops.workflows.data_plane import DataPlane
from twinops.workflows.declared_words import UNDECLARED, DeclaredWords

FROM_THE_START = ("crm", "social")
"""Sources that may tell of someone who is newly met; campaigns and coupons come with time."""
PURCHASES = "purchases"


@dataclass(frozen=True)
class Minimised:
    """What the notebook may show: outcomes with their intervals, and the proposal."""

    findings: Findings
    conclusion: str
    proposals: tuple[str, ...]


@dataclass(frozen=True)
class Setup:
    """What every question of need is asked with."""

    plane: DataPlane
    grid: FeaturesParams
    held_out: EvaluateParams
    rule: MinimisationParams
    words: DeclaredWords = UNDECLARED

    def rows(self, known: Examples) -> Rows:
        """The rows of established households, to learn from and to be judged on."""
        return established(known, self.grid, learn_until=self.rule.learn_until, judged=self.held_out.cutoffs)


ASKED = ["sid", "day", "basket_id", "product_id", "sales_cents"]
"""Columns of the receipt lines that are asked about need."""


@dataclass(frozen=True)
class NeedTables:
    """The tables that are asked about need, each opened once."""

    demographics: pa.Table
    lines: pa.Table
    scores: pa.Table


def minimise(setup: Setup) -> Minimised:
    """Write `reports/measures/minimise.json` and two pictures.

    Personal attributes are looked at under the purpose `bias_assessment` alone, of households that allow it, in
    regressions that are thrown away; nothing of them reaches the twin.
    """
    places, tables, rule = setup.plane.places, setup.plane.tables, setup.rule
    known = open_examples(setup.plane.engine, setup.plane.keys, panel=places.panel, labels=places.labels)
    scores = tables.table(places.predictions, dataset="predictions")
    lines = pa.concat_tables(part.select(ASKED) for part in tables.source_in_parts("transactions"))
    opened = NeedTables(tables.source("demographics"), lines, scores)
    declared = _declared(known, opened.demographics)
    by_attribute = _attributes(declared, opened, setup)
    by_source = _sources(known, opened.lines, setup)
    away = _revealed(declared, opened, setup)
    findings = _findings((*by_attribute, *by_source), away, setup)
    places.keep("minimise", findings, setup.words.wording)
    save(attributes_picture(findings), places.figure("necessity_attributes"), setup.words.wording)
    save(sources_picture(findings), places.figure("necessity_sources"), setup.words.wording)
    proposals = next(f.value["items"] for f in findings.facts if f.name == "retention_proposal")
    found = (*by_attribute, *by_source)
    return Minimised(findings, retention.necessity_conclusion(found, rule), tuple(p["text"] for p in proposals))


def _attributes(declared: Examples, opened: NeedTables, setup: Setup) -> tuple[TestedUnit, ...]:
    if len(declared) == 0 or declared.households < FEWEST_HOUSEHOLDS:
        return ()
    rule, rows = setup.rule, setup.rows(declared)
    units = attribute_columns(opened.demographics, declared.table["sid"].to_pylist())
    units[TOGETHER] = np.column_stack(list(units.values()))
    recent = recent_columns(setup.plane.engine, opened.lines, declared, rule.histories)
    newly = [tested(newly_met(rows, recent[days]), units, rule, Trial(ATTRIBUTE, days)) for days in rule.histories]
    return (*tested(rows, units, rule, Trial(ATTRIBUTE, ESTABLISHED)), *(t for found in newly for t in found))


def _sources(known: Examples, lines: pa.Table, setup: Setup) -> tuple[TestedUnit, ...]:
    engine, tables, rule = setup.plane.engine, setup.plane.tables, setup.rule
    told = {name: tables.source(name) for name in ("campaigns", "redemptions")}
    told["blend"] = tables.table(setup.plane.places.blend)
    units, rows = source_columns(engine, known, told) | feature_columns(known), setup.rows(known)
    all_history = Trial(SOURCE, ESTABLISHED, activity=True)
    nothing = newly_met(rows, np.zeros((len(known), 1)))
    purchases = tested(nothing, {PURCHASES: rows.base(rows.learn)}, rule, all_history)
    early = {name: x for name, x in units.items() if name in FROM_THE_START}
    recent = recent_columns(engine, lines, known, rule.histories) if early else {}
    newly = [tested(newly_met(rows, x), early, rule, Trial(SOURCE, days)) for days, x in recent.items()]
    return (*purchases, *tested(rows, units, rule, all_history), *(t for found in newly for t in found))


def _declared(known: Examples, demographics: pa.Table) -> Examples:
    """Rows of households that declared something and allow bias assessment on that day."""
    declared = pc.is_in(known.table["sid"], value_set=demographics["sid"].combine_chunks())
    return Examples(known.table.filter(pc.and_(declared, known.table["may_assess_bias"])))


@dataclass(frozen=True)
class GivenAway:
    """What purchases until a day reveal of attributes."""

    traits: tuple[revealed.Revealed, ...]
    day: int


def _revealed(declared: Examples, opened: NeedTables, setup: Setup) -> GivenAway:
    """What purchases until the last scored day give away, and the score of that day alone."""
    grid, demographics, scores = setup.grid, opened.demographics, opened.scores
    day = int(pc.max(scores["cutoff"]).as_py())
    scores = scores.filter(pc.equal(scores["cutoff"], day))
    spend = dict(zip(scores["sid"].to_pylist(), scores["expected_spend"].to_pylist(), strict=True))
    scored = np.array([s in spend for s in declared.table["sid"].to_pylist()], dtype=bool)
    rows = declared.where((declared.cutoff == day) & scored)
    sids = rows.table["sid"].to_pylist()
    if not sids:
        return GivenAway((), day)
    place = {sid: i for i, sid in enumerate(demographics["sid"].to_pylist())}
    own = terms(rows.table, fit_priors(rows.table, decay_days=grid.decay_days), horizon_days=grid.horizon_days)
    bought = _categories(rows, opened.lines, setup)
    behaviour = revealed.Behaviour(bought, own, np.array([spend[s] for s in sids]))
    return GivenAway(revealed.measure_revealed(behaviour, demographics.take([place[s] for s in sids]), setup.rule), day)


def _categories(rows: Examples, lines: pa.Table, setup: Setup) -> np.ndarray | None:
    """Purchases by category; None where there is no table of products."""
    goods, engine = products.opened(setup.plane.places.products), setup.plane.engine
    if not goods.num_rows:
        return None
    engine.register("transactions", lines.select(["sid", "day", "product_id"]))
    denied = special_categories.denied(engine, goods, by=special_categories.of(setup.words.own))
    return revealed.category_columns(engine, denied, rows.table.select(["sid", "cutoff"]))


def _findings(found: tuple[TestedUnit, ...], away: GivenAway, setup: Setup) -> Findings:
    rule, held_out = setup.rule, setup.held_out
    days = ", ".join(map(str, held_out.cutoffs))
    source = f"held-out as-of days {days}; learned from as-of days up to {rule.learn_until}"
    purpose = {
        "attributes": f"bias_assessment: of {MANY} that allow it, in regressions that are thrown away",
        "sources": f"twin_training and twin_scoring: of {MANY} that allow them",
        "not_a_feature": "no personal attribute, nor the fact that one was declared, is a feature of the twin",
    }
    facts = (
        retention.necessity_fact(found, rule),
        retention.proposal_fact(found, rule),
        Fact("minimisation_purpose", purpose, Kind.MEASURED, "src/twinops/workflows/pipeline/minimise.py"),
    )
    given_away = revealed.revealed_measures(away.traits, rule, day=away.day)
    measures = [*retention.necessity_measures(found, rule, source=source), *given_away]
    return Findings(tuple(measures), facts, (*necessity.SHOWN, *revealed.SHOWN))
