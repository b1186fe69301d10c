"""Attack what was made: the model for who was trained on, and tables that may leave for who is in them."""

from dataclasses import dataclass

import numpy as np

from twinops.data.release.generalise import Rule, generalise
from twinops.entities.findings import Findings
from twinops.evaluation.canvas import save
from twinops.evaluation.privacy.carried import carried, carried_findings
from twinops.evaluation.privacy.conclusions import privacy_conclusion
from twinops.evaluation.privacy.membership import Membership, attack, membership_findings
from twinops.evaluation.privacy.membership_picture import membership_picture
from twinops.evaluation.privacy.reidentification import AttackRisk, attacks, risk_findings
from twinops.evaluation.privacy.reidentification_picture import reidentification_picture
from twinops.params import PrivacyParams
from twinops.twin.model.champion import Recipe
from twinops.twin.model.model_file import to_text
from twinops.twin.model.predictions import Predictions
from twinops.twin.state.examples import Examples
from twinops.workflows.learning import Learning
from twinops.workflows.release.banded_table import Banding

SURE = 1e-6
RELEASED, BLENDED = "generalised", "blended"


@dataclass(frozen=True)
class Attacked:
    """What the notebook may show."""

    findings: Findings
    risks: dict[str, tuple[AttackRisk, ...]]
    classes: int
    reached: Rule
    conclusion: str


def privacy(learning: Learning, banding: Banding) -> Attacked:
    """Write `reports/measures/privacy.json` and two pictures.

    Raises:
        DataError: too few households to attack anything, or to generalise them.
    """
    places, params, release = banding.places, banding.privacy, banding.release
    known, recipe = learning.examples().all_closed(), learning.recipe
    found = on_the_model(known, params, recipe)
    source = f"{known.households:,} households, {len(known):,} rows the shipped model is fitted on; refitted on halves"
    members = membership_findings(found, draws=params.draws, seed=params.seed, source=source)
    people = banding.table()
    rule = Rule(release.k, release.l, release.t)
    table = generalise(people.members, people.bands, rule)
    made = {RELEASED: table.middle, BLENDED: people.members.astype(float)}
    risks = {name: attacks(people.attacked(rows), tries=params.tries, seed=params.seed) for name, rows in made.items()}
    tables = risk_findings(risks, _sources(params.cutoff, rule), seed=params.seed)
    file = carried(lambda rows: to_text(recipe.fit(Examples(rows))).encode(), known.table, seed=params.seed)
    held = carried_findings(file, source=f"{len(known):,} rows the shipped model is fitted on", seed=params.seed)
    findings = members + tables + held
    places.keep("privacy", findings)
    save(membership_picture(found, findings), places.figure("membership"))
    save(reidentification_picture(risks, n=len(people.members)), places.figure("reidentification"))
    classes = len(np.unique(table.classes))
    return Attacked(findings, risks, classes, table.reached, privacy_conclusion(findings, risks))


def on_the_model(known: Examples, params: PrivacyParams, recipe: Recipe) -> dict[str, Membership]:
    """The attack on each head, the models made exactly as the one that ships, each from half of the households."""
    _, house = np.unique(known.household, return_inverse=True)
    rows = np.bincount(house)
    kept: dict[bytes, Predictions] = {}

    def predicted(mask: np.ndarray) -> Predictions:
        if mask.tobytes() not in kept:
            kept[mask.tobytes()] = recipe.fit(known.where(mask[house])).predict(known.table)
        return kept[mask.tobytes()]

    def activity(mask: np.ndarray) -> np.ndarray:
        chance = np.clip(predicted(mask).active_probability, SURE, 1 - SURE)
        met = np.where(known.active > 0, chance, 1 - chance)
        return np.bincount(house, np.log(met / (1 - met))) / rows

    def spend(mask: np.ndarray) -> np.ndarray:
        return -np.bincount(house, np.abs(np.log1p(predicted(mask).spend) - np.log1p(known.spend))) / rows

    def baskets(mask: np.ndarray) -> np.ndarray:
        return -np.bincount(house, np.abs(np.log1p(predicted(mask).baskets) - np.log1p(known.baskets))) / rows

    many = {"households": len(rows), "models": params.models, "seed": params.seed}
    return {"activity": attack(activity, **many), "baskets": attack(baskets, **many), "spend": attack(spend, **many)}


def _sources(day: int, rule: Rule) -> dict[str, str]:
    where = "in the bands of the public code-book, one part in the table, the other kept out"
    half = f"blended data as of day {day} {where}"
    return {
        RELEASED: f"{half}; generalised to classes of {rule.k}, l {rule.l}, t {rule.t:g}",
        BLENDED: f"{half}; rows as they are, which never leave",
    }
