"""Learn what households buy of, which coupons they answer and how they write; measure it on held-out days."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from matplotlib.figure import Figure

from twinops.data.blend import TEXTS
from twinops.data.own_sources.law import law_of
from twinops.data.threads import side_by_side
from twinops.data.vault.sealed_tables import SealedTables
from twinops.entities.fact import Fact, Kind
from twinops.entities.findings import Findings
from twinops.entities.measure import Measure
from twinops.entities.wording import ONE
from twinops.errors import DataError
from twinops.evaluation.canvas import save
from twinops.evaluation.statistics.bootstrap import counts
from twinops.evaluation.tastes import categories as taste_measures
from twinops.evaluation.tastes import coupons as coupon_measures
from twinops.evaluation.tastes import social as social_measures
from twinops.evaluation.tastes.categories_picture import factors_picture, tastes_picture, tried_picture
from twinops.evaluation.tastes.conclusions import champions, tastes_conclusion
from twinops.evaluation.tastes.coupons_picture import coupons_picture
from twinops.evaluation.tastes.scoring import renumbered, score_coupons, score_social, score_tastes
from twinops.own_params import OwnParams
from twinops.ports import KeyStore
from twinops.twin.model.boosted_trees import ready
from twinops.twin.tastes import baselines
from twinops.twin.tastes.coupon_rows import CouponRows
from twinops.twin.tastes.model_file import Preferences, from_text, to_text
from twinops.twin.tastes.social import SocialRows
from twinops.whole_files import write
from twinops.workflows import tasting
from twinops.workflows.declared_words import UNDECLARED, DeclaredWords
from twinops.workflows.places import Places
from twinops.workflows.tasting import TasteRules, TasteTables, opened

_Made = TypeVar("_Made")


@dataclass(frozen=True)
class Tasted:
    """What the notebook may show: heads, measures with their intervals, and what was newly tried."""

    heads: Preferences
    findings: Findings
    tried: tuple[taste_measures.Tried, ...]

    @property
    def conclusion(self) -> str:
        """What the intervals allow us to say."""
        return tastes_conclusion(self.findings)


@dataclass
class _Found:
    """What was found so far, and what was not and why."""

    measures: list[Measure] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)
    pictures: dict[str, Figure] = field(default_factory=dict)

    def attempt(self, what: str, make: Callable[[], _Made]) -> _Made | None:
        """The result, or nothing and the reason kept: a project may lack products, campaigns or accounts."""
        try:
            return make()
        except DataError as problem:
            self.missing[what] = str(problem).partition(" Hint:")[0]
            return None

    def findings(self) -> Findings:
        """All of it, as it is written."""
        kept = champions({m.name: m for m in self.measures})
        more = {"tastes_not_measured": self.missing, "taste_champions": kept}
        facts = (Fact(name, value, Kind.MEASURED, "tastes") for name, value in more.items())
        return Findings(tuple(self.measures), (*self.facts, *facts))


def tastes(places: Places, keys: KeyStore, rules: TasteRules, words: DeclaredWords = UNDECLARED) -> Tasted:
    """Write `models/tastes.json`, `reports/measures/tastes.json` and four pictures.

    Every head is measured as it is made: refitted for each held-out day on what was closed by then.
    """
    tables, found = opened(places, SealedTables(places.raw_batches, keys), rules), _Found()
    if tables.drawn_of is not None:
        drawn = {"households": tasting.MOST_HOUSEHOLDS, "of": tables.drawn_of}
        found.facts.append(Fact("tastes_drawn", drawn, Kind.MEASURED, "src/twinops/workflows/tasting.py"))
    heads = _shipped(found, tables, rules)
    write(places.tastes_model, to_text(heads))
    tried = _measured_tastes(found, tables, rules)
    _measured_coupons(found, tables.receipts, rules)
    _measured_social(found, tables.social, rules, synthetic=made_up(words.own))
    found.pictures["tastes_together"] = factors_picture(heads.tastes)
    findings = found.findings()
    places.keep("tastes", findings, words.wording)
    for name, figure in found.pictures.items():
        save(figure, places.figure(name), words.wording)
    # what is shown is what was written
    return Tasted(from_text(places.tastes_model.read_text(encoding="utf-8")), findings, tried)


def _shipped(found: _Found, tables: TasteTables, rules: TasteRules) -> Preferences:
    """The heads that ship, learned from everything that is closed."""
    social = tables.social
    return Preferences(
        found.attempt("tastes", lambda: tables.taste_head(tables.rows.all_closed(), rules)),
        found.attempt("coupons", lambda: rules.coupon_head(tables.receipts.all_closed())),
        found.attempt("social", lambda: rules.social_head(social.where(social.may_train))),
    )


def _measured_tastes(found: _Found, tables: TasteTables, rules: TasteRules) -> tuple[taste_measures.Tried, ...]:
    names, rule = tables.names, rules.tastes
    ready()
    asked = partial(score_tastes, tables.rows, names=names, recipe=rules.recipe, new_after_days=rule.new_after_days)
    each = [partial(asked, day) for day in rules.held_out.cutoffs]
    scored = found.attempt("category measures", lambda: side_by_side(each))
    days, who = renumbered(scored or [])
    tried = taste_measures.newly_tried(days, names)
    if days:
        draws = counts(who, draws=rule.draws, seed=rule.seed)
        measure = partial(taste_measures.measure_tastes, days, draws, seed=rule.seed)
        found.measures += found.attempt("category measures", measure) or []
        found.facts += taste_measures.taste_facts(days, names, tried)
        trees = {
            **baselines.TREES.model_dump(),
            "learned_from": f"every {baselines.TREES_SHARE}th {ONE}-day, {baselines.TREES_ROWS} at most",
        }
        found.facts.append(Fact("taste_trees", trees, Kind.MEASURED, "src/twinops/twin/tastes/baselines.py"))
    measures = {m.name: m for m in found.measures}
    found.pictures["tastes"] = tastes_picture(measures)
    found.pictures["tastes_tried"] = tried_picture(tried, measures, after_days=rule.new_after_days)
    return tried


def _measured_coupons(found: _Found, receipts: CouponRows, rules: TasteRules) -> None:
    offers = rules.coupons
    scored = found.attempt("coupon measures", lambda: score_coupons(receipts, rules.grid, offers))
    drawn = None
    if scored is not None:
        draws = counts(int(scored.household.max()) + 1, draws=offers.draws, seed=offers.seed)
        measure = partial(coupon_measures.measure_coupons, scored, draws, seed=offers.seed, top=offers.top_share)
        if measured := found.attempt("coupon measures", measure):
            found.measures += measured
            found.facts += coupon_measures.coupon_facts(scored)
            drawn = coupon_measures.curves(scored, draws)
    measures = {m.name: m for m in found.measures}
    found.pictures["coupons"] = coupons_picture(drawn, measures, top=offers.top_share)


def made_up(own: OwnParams) -> bool:
    """Some of what people wrote is declared as synthetic, or nothing of it is your own."""
    law = law_of(own)
    return any(law[source].synthetic for source in TEXTS if not own.root or own.staged_as(source) is not None)


def _measured_social(found: _Found, social: SocialRows, rules: TasteRules, *, synthetic: bool) -> None:
    rule, days = rules.tastes, [d for d in rules.held_out.cutoffs if len(social.scored_at(d))]
    horizon_days = rules.grid.horizon_days
    scored = found.attempt("social measures", lambda: [score_social(social, d, horizon_days) for d in days])
    if scored:
        draws = counts(int(social.household.max()) + 1, draws=rule.draws, seed=rule.seed)
        measure = partial(social_measures.measure_social, scored, draws, seed=rule.seed, synthetic=synthetic)
        found.measures += found.attempt("social measures", measure) or []
    told = {"reading": social_measures.reading(synthetic=synthetic), "as_of_days": days}
    found.facts.append(Fact("social_head", told, Kind.MEASURED, "tastes: data/twin/blend.parquet"))
