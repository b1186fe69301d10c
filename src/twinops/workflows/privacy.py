"""Attack what was made: the model for who was trained on, and tables that may leave for who is in them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twinops.data.release.generalise import Rule, generalise
from twinops.entities.findings import Findings
from twinops.evaluation.choice import read_choice
from twinops.evaluation.membership import Membership, attack, membership_findings
from twinops.evaluation.privacy_words import privacy_conclusion
from twinops.evaluation.reidentification import AttackRisk, attacks, risk_findings
from twinops.params import ChallengerParams, FeaturesParams, PrivacyParams, ReleaseParams, TrainParams
from twinops.pictures.canvas import save
from twinops.pictures.membership import membership_picture
from twinops.pictures.reidentification import reidentification_picture
from twinops.ports import Engine, KeyStore
from twinops.twin.champion import Recipe
from twinops.twin.examples import Examples, open_examples
from twinops.twin.predictions import Predictions
from twinops.workflows.leaving import banded
from twinops.workflows.places import Places

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


def privacy(  # noqa: PLR0913  (ports and sections are injected by type)
    places: Places,
    *,
    engine: Engine,
    keys: KeyStore,
    params: PrivacyParams,
    release: ReleaseParams,
    grid: FeaturesParams,
    penalties: TrainParams,
    trees: ChallengerParams,
) -> Attacked:
    """Write `reports/measures/privacy.json` and two pictures.

    Raises:
        DataError: too few households to attack anything, or to generalise them.
    """
    known = open_examples(engine, keys, panel=places.panel, labels=places.labels).all_closed()
    choice = read_choice(places.measures("champion"))
    recipe = Recipe(grid, penalties, trees, champion=choice.name, recalibrate=choice.recalibrate)
    found = on_the_model(known, params, recipe)
    source = f"{known.households:,} households, {len(known):,} rows the shipped model is fitted on; refitted on halves"
    members = membership_findings(found, draws=params.draws, seed=params.seed, source=source)
    people = banded(places, keys, day=params.cutoff, control_share=release.control_share, seed=release.seed)
    rule = Rule(release.k, release.l, release.t)
    table = generalise(people.members, people.bands, rule)
    made = {RELEASED: table.middle, BLENDED: people.members.astype(float)}
    risks = {name: attacks(people.attacked(rows), tries=params.tries, seed=params.seed) for name, rows in made.items()}
    tables = risk_findings(risks, _sources(params.cutoff, rule), seed=params.seed)
    findings = members + tables
    places.measures("privacy").parent.mkdir(parents=True, exist_ok=True)
    places.measures("privacy").write_text(findings.to_json(), encoding="utf-8")
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

    many = {"households": len(rows), "models": params.models, "seed": params.seed}
    return {"activity": attack(activity, **many), "spend": attack(spend, **many)}


def _sources(day: int, rule: Rule) -> dict[str, str]:
    half = (
        f"blended data as of day {day} in the bands of the public code-book, one part in the table, the other kept out"
    )
    return {
        RELEASED: f"{half}; generalised to classes of {rule.k}, l {rule.l}, t {rule.t:g}",
        BLENDED: f"{half}; rows as they are, which never leave",
    }
