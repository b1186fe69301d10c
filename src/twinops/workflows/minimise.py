"""Ask of every personal attribute and source whether the twin needs it, and what behaviour gives away without it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from twinops.data import special
from twinops.data.door import Asked
from twinops.data.seal import read_sealed
from twinops.entities.fact import Fact, Kind
from twinops.entities.findings import Findings
from twinops.evaluation.attributes import attribute_columns
from twinops.evaluation.necessity import ESTABLISHED, TestedUnit, Trial, tested
from twinops.evaluation.necessity_rows import established, newly_met, recent_columns, source_columns
from twinops.evaluation.retention import (
    ATTRIBUTE,
    SOURCE,
    TOGETHER,
    necessity_conclusion,
    necessity_fact,
    necessity_measures,
    proposal_fact,
)
from twinops.evaluation.revealed import Behaviour, Revealed, category_columns, measure_revealed, revealed_measures
from twinops.params import EvaluateParams, FeaturesParams, MinimisationParams, SourcesParams
from twinops.pictures.canvas import save
from twinops.pictures.necessity import attributes_picture, sources_picture
from twinops.ports import Engine, KeyStore
from twinops.twin.examples import FEWEST_HOUSEHOLDS, Examples, open_examples, with_text_sid
from twinops.twin.priors import fit_priors
from twinops.twin.state import terms
from twinops.workflows.collect import asked_for
from twinops.workflows.places import Places

FROM_THE_START = ("crm", "social")
"""Sources that may tell of someone who is newly met; campaigns and coupons come with time."""
PURCHASES = "purchases"


@dataclass(frozen=True)
class Minimised:
    """What the notebook may show: outcomes with their intervals, and the proposal."""

    findings: Findings
    conclusion: str
    proposals: tuple[str, ...]


def minimise(  # noqa: PLR0913  the injected ports and sections; nothing passes them by hand
    places: Places,
    *,
    engine: Engine,
    keys: KeyStore,
    grid: FeaturesParams,
    held_out: EvaluateParams,
    rule: MinimisationParams,
    sources: SourcesParams,
) -> Minimised:
    """Write `reports/measures/minimise.json` and two pictures.

    Personal attributes are looked at under the purpose `bias_assessment` alone, of households that allow it, in
    regressions that are thrown away; nothing of them reaches the twin.
    """
    known = open_examples(engine, keys, panel=places.panel, labels=places.labels)
    demographics = with_text_sid(_raw("demographics", places, keys))
    lines = read_sealed(places.raw_batches("transactions"), dataset="transactions", keys=keys)
    scores = with_text_sid(read_sealed(places.predictions, dataset="predictions", keys=keys))
    setup, declared = (engine, lines, grid, held_out, rule), _declared(known, demographics)
    by_attribute = _attributes(declared, demographics, setup)
    by_source = _sources(known, setup, places, keys)
    asked = asked_for("all", places, sources)
    revealed = _revealed(declared, (demographics, scores, lines), asked, setup)
    findings = _findings((*by_attribute, *by_source), revealed, rule, held_out)
    places.measures("minimise").parent.mkdir(parents=True, exist_ok=True)
    places.measures("minimise").write_text(findings.to_json(), encoding="utf-8")
    save(attributes_picture(findings), places.figure("necessity_attributes"))
    save(sources_picture(findings), places.figure("necessity_sources"))
    proposals = next(f.value["items"] for f in findings.facts if f.name == "retention_proposal")
    found = (*by_attribute, *by_source)
    return Minimised(findings, necessity_conclusion(found, rule), tuple(p["text"] for p in proposals))


Setup = tuple[Engine, pa.Table, FeaturesParams, EvaluateParams, MinimisationParams]


def _attributes(declared: Examples, demographics: pa.Table, setup: Setup) -> tuple[TestedUnit, ...]:
    engine, lines, grid, held_out, rule = setup
    if len(declared) == 0 or declared.households < FEWEST_HOUSEHOLDS:
        return ()
    units = attribute_columns(demographics, declared.table["sid"].to_pylist())
    units[TOGETHER] = np.column_stack(list(units.values()))
    rows = established(declared, grid, learn_until=rule.learn_until, judged=held_out.cutoffs)
    recent = recent_columns(engine, lines, declared, rule.histories)
    newly = [tested(newly_met(rows, recent[days]), units, rule, Trial(ATTRIBUTE, days)) for days in rule.histories]
    return (*tested(rows, units, rule, Trial(ATTRIBUTE, ESTABLISHED)), *(t for found in newly for t in found))


def _sources(known: Examples, setup: Setup, places: Places, keys: KeyStore) -> tuple[TestedUnit, ...]:
    engine, lines, grid, held_out, rule = setup
    told = {name: _raw(name, places, keys) for name in ("campaigns", "redemptions")}
    told["blend"] = read_sealed(places.blend, dataset="blend", keys=keys)
    units = source_columns(engine, known, told)
    rows = established(known, grid, learn_until=rule.learn_until, judged=held_out.cutoffs)
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


def _revealed(
    declared: Examples, opened: tuple[pa.Table, pa.Table, pa.Table], asked: Asked, setup: Setup
) -> tuple[tuple[Revealed, ...], int]:
    """What purchases until the last scored day give away, and the score of that day alone."""
    demographics, scores, lines = opened
    engine, _, grid, _, rule = setup
    day = int(pc.max(scores["cutoff"]).as_py())
    scores = scores.filter(pc.equal(scores["cutoff"], day))
    spend = dict(zip(scores["sid"].to_pylist(), scores["expected_spend"].to_pylist(), strict=True))
    scored = np.array([s in spend for s in declared.table["sid"].to_pylist()], dtype=bool)
    rows = declared.where((declared.cutoff == day) & scored)
    sids = rows.table["sid"].to_pylist()
    if not sids:
        return (), day
    place = {sid: i for i, sid in enumerate(demographics["sid"].to_pylist())}
    own = terms(rows.table, fit_priors(rows.table, decay_days=grid.decay_days), horizon_days=grid.horizon_days)
    behaviour = Behaviour(_categories(rows, engine, lines, asked), own, np.array([spend[s] for s in sids]))
    return measure_revealed(behaviour, demographics.take([place[s] for s in sids]), rule), day


def _categories(rows: Examples, engine: Engine, lines: pa.Table, asked: Asked) -> np.ndarray | None:
    """Purchases by category; None where there is no table of products."""
    if not asked.file("products").is_file():
        return None
    engine.register("transactions", with_text_sid(lines.select(["sid", "day", "product_id"])))
    return category_columns(engine, special.denied(engine, asked), rows.table.select(["sid", "cutoff"]))


def _findings(
    found: tuple[TestedUnit, ...],
    revealed: tuple[tuple[Revealed, ...], int],
    rule: MinimisationParams,
    held_out: EvaluateParams,
) -> Findings:
    days = ", ".join(map(str, held_out.cutoffs))
    source = f"held-out as-of days {days}; learned from as-of days up to {rule.learn_until}"
    purpose = {
        "attributes": "bias_assessment: of households that allow it, in regressions that are thrown away",
        "sources": "twin_training and twin_scoring: of households that allow them",
        "not_a_feature": "no personal attribute, nor the fact that one was declared, is a feature of the twin",
    }
    facts = (
        necessity_fact(found, rule),
        proposal_fact(found, rule),
        Fact("minimisation_purpose", purpose, Kind.MEASURED, "src/twinops/workflows/minimise.py"),
    )
    traits, day = revealed
    measures = [*necessity_measures(found, rule, source=source), *revealed_measures(traits, rule, day=day)]
    return Findings(tuple(measures), facts)


def _raw(name: str, places: Places, keys: KeyStore) -> pa.Table:
    return read_sealed(places.raw(name, "all"), dataset=name, keys=keys)
