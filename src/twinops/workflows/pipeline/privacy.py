"""Attack what was made: the model for who was trained on, and tables that may leave for who is in them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from twinops.data.release.generalise import Generalised, Rule, generalise
from twinops.entities.fact import Fact, Kind
from twinops.entities.findings import Findings
from twinops.entities.wording import MANY
from twinops.errors import DataError
from twinops.evaluation.canvas import save
from twinops.evaluation.privacy.carried import carried, carried_findings
from twinops.evaluation.privacy.conclusions import privacy_conclusion
from twinops.evaluation.privacy.membership import (
    Membership,
    attack,
    by_household,
    membership_findings,
    met,
    near,
    unattacked,
)
from twinops.evaluation.privacy.membership_picture import membership_picture
from twinops.evaluation.privacy.reidentification import AttackRisk, attacks, risk_findings
from twinops.evaluation.privacy.reidentification_picture import reidentification_picture
from twinops.params import PrivacyParams
from twinops.twin.model.model_file import to_text
from twinops.twin.model.predictions import Predictions
from twinops.twin.model.recipe import Recipe
from twinops.twin.state.examples import Examples
from twinops.twin.tastes.model_file import from_text
from twinops.workflows.data_plane import DataPlane
from twinops.workflows.learning import Learning
from twinops.workflows.release.banded_table import Banded, Banding
from twinops.workflows.tasting import TasteRules, TasteTables, opened

RELEASED, BLENDED = "generalised", "blended"
NOT_GENERALISED = "generalised_not_made"


@dataclass(frozen=True)
class Attacked:
    """What the notebook may show."""

    findings: Findings
    risks: dict[str, tuple[AttackRisk, ...]]
    table: str
    """How far the generalised table is from its rows, in words; or why there is none."""
    conclusion: str


def privacy(learning: Learning, banding: Banding, rules: TasteRules) -> Attacked:
    """Write `reports/measures/privacy.json` and two pictures.

    Raises:
        DataError: too few households to learn a model from.
    """
    places, params, release = banding.places, banding.privacy, banding.release
    known, recipe = learning.examples().all_closed(), learning.recipe
    heads, unmet = _on_the_heads(known, params, recipe)
    beside, why_not = on_the_tastes(learning.plane, rules, params)
    found, why_not = heads | beside, unmet | why_not
    source = f"rows the head of {{head}} that ships is fitted on; refitted on halves of its {MANY}"
    members = membership_findings(found, draws=params.draws, seed=params.seed, source=source) + unattacked(why_not)
    people = banding.table()
    rule = Rule(release.k, release.l, release.t)
    table, why = _generalised(people, rule)
    made = {RELEASED: None if table is None else table.middle, BLENDED: people.members.astype(float)}
    risks = {
        name: () if rows is None else attacks(people.attacked(rows), tries=params.tries, seed=params.seed)
        for name, rows in made.items()
    }
    tables = risk_findings(risks, _sources(params.cutoff, rule), seed=params.seed)
    if why:
        tables += Findings((), (Fact(NOT_GENERALISED, why, Kind.MEASURED, _sources(params.cutoff, rule)[RELEASED]),))
    file = carried(lambda rows: to_text(recipe.fit(Examples(rows))).encode(), known.table, seed=params.seed)
    held = carried_findings(file, source=f"{len(known):,} rows the shipped model is fitted on", seed=params.seed)
    findings = members + tables + held
    wording = learning.words.wording
    places.keep("privacy", findings, wording)
    save(membership_picture(found, findings), places.figure("membership"), wording)
    save(reidentification_picture(risks, n=len(people.members)), places.figure("reidentification"), wording)
    return Attacked(findings, risks, why or _reached(table), privacy_conclusion(findings, risks))


def _generalised(people: Banded, rule: Rule) -> tuple[Generalised | None, str]:
    """The table that may leave, or why none may: then nothing is attacked, because there is nothing."""
    try:
        return generalise(people.members, people.bands, rule), ""
    except DataError as problem:
        return None, str(problem).partition(" Hint:")[0]


def _reached(table: Generalised | None) -> str:
    if table is None:
        return ""
    return (
        f"The generalised table has {len(np.unique(table.classes))} classes of at least {table.reached.k} {MANY}, "
        f"with at least {table.reached.l} different bands of spend in each, within {table.reached.t:.2f} of "
        "everybody's spread."
    )


HEADS = ("activity", "baskets", "spend", "spend_median")


def _on_the_heads(
    known: Examples, params: PrivacyParams, recipe: Recipe
) -> tuple[dict[str, Membership], dict[str, str]]:
    """The attack on each head that ships; or why none could be attacked, which is not that none leaks."""
    try:
        return on_the_model(known, params, recipe), {}
    except DataError as problem:
        return {}, dict.fromkeys(HEADS, str(problem).partition(" Hint:")[0])


def on_the_model(known: Examples, params: PrivacyParams, recipe: Recipe) -> dict[str, Membership]:
    """The attack on each head, the models made exactly as the one that ships, each from half of the households.

    Spend is attacked twice: by its mean and by its median.
    """
    _, house = np.unique(known.household, return_inverse=True)
    kept: dict[bytes, Predictions] = {}

    def predicted(mask: np.ndarray) -> Predictions:
        if mask.tobytes() not in kept:
            kept[mask.tobytes()] = recipe.fit(known.where(mask[house])).predict(known.table)
        return kept[mask.tobytes()]

    meets: dict[str, Callable[[Predictions], np.ndarray]] = {
        "activity": lambda p: met(p.active_probability, known.active),
        "baskets": lambda p: near(p.baskets, known.baskets),
        "spend": lambda p: near(p.spend, known.spend),
        "spend_median": lambda p: near(p.spend_median, known.spend),
    }

    def by(meet: Callable[[Predictions], np.ndarray]) -> Membership:
        return _attacked(house, lambda mask: meet(predicted(mask)), params)

    return {head: by(meet) for head, meet in meets.items()}


def on_the_tastes(
    plane: DataPlane, rules: TasteRules, params: PrivacyParams
) -> tuple[dict[str, Membership], dict[str, str]]:
    """The same attack on each head of the file of tastes; and which of them ship and could not be attacked, and why."""
    shipped = from_text(plane.places.tastes_model.read_text(encoding="utf-8"))
    tables = opened(plane.places, plane.tables, rules)
    ask = {"tastes": _on_categories, "coupons": _on_coupons, "social": _on_social}
    found: dict[str, Membership] = {}
    why_not: dict[str, str] = {}
    for head, attacked in ask.items():
        if getattr(shipped, head) is not None:
            try:
                found[head] = attacked(tables, rules, params)
            except DataError as problem:
                why_not[head] = str(problem).partition(" Hint:")[0]
    return found, why_not


def _on_categories(tables: TasteTables, rules: TasteRules, params: PrivacyParams) -> Membership:
    """Log-odds of what was and was not bought of, all categories together."""
    rows = tables.rows.all_closed()
    house = np.unique(rows.household, return_inverse=True)[1]

    def meets(mask: np.ndarray) -> np.ndarray:
        head = tables.taste_head(rows.where(mask[house]), rules)
        return np.asarray(met(head.predict(rows), rows.chosen).sum(axis=1))

    return _attacked(house, meets, params)


def _on_coupons(tables: TasteTables, rules: TasteRules, params: PrivacyParams) -> Membership:
    rows = tables.receipts.all_closed()
    house = np.unique(np.array(rows.table["sid"].to_pylist(), dtype=str), return_inverse=True)[1]
    return _attacked(
        house, lambda mask: met(rules.coupon_head(rows.where(mask[house])).predict(rows), rows.responded), params
    )


def _on_social(tables: TasteTables, rules: TasteRules, params: PrivacyParams) -> Membership:
    rows = tables.social.where(tables.social.may_train)
    house = np.unique(rows.household, return_inverse=True)[1]
    return _attacked(
        house, lambda mask: near(rules.social_head(rows.where(mask[house])).activity(rows), rows.more_events), params
    )


def _attacked(house: np.ndarray, meets: Callable[[np.ndarray], np.ndarray], params: PrivacyParams) -> Membership:
    """By how well models of some households meet each row; `house` numbers the households of the rows from 0."""
    many = {"households": len(np.unique(house)), "models": params.models, "seed": params.seed}
    return attack(lambda mask: by_household(house, meets(mask)), **many)


def _sources(day: int, rule: Rule) -> dict[str, str]:
    where = "in the bands of the public code-book, one part in the table, the other kept out"
    half = f"blended data as of day {day} {where}"
    return {
        RELEASED: f"{half}; generalised to classes of {rule.k}, l {rule.l}, t {rule.t:g}",
        BLENDED: f"{half}; rows as they are, which never leave",
    }
