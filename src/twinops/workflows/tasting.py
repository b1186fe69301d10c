"""What the heads of tastes, coupons and social interaction are learned from and how, to make them or to attack them."""

from dataclasses import dataclass

from twinops.data.vault.sealed_file import subjects_in
from twinops.data.vault.sealed_tables import SealedTables
from twinops.params import CouponsParams, EvaluateParams, FeaturesParams, SignalsParams, TastesParams
from twinops.twin.tastes.categories import TasteRecipe, Tastes, fit_tastes
from twinops.twin.tastes.coupon_rows import CouponRows, coupon_rows
from twinops.twin.tastes.coupons import Coupons, fit_coupons
from twinops.twin.tastes.rows import TasteRows, taste_rows
from twinops.twin.tastes.social import Social, SocialRows, fit_social, social_rows
from twinops.whole_files import told_in
from twinops.workflows.places import Places

MOST_HOUSEHOLDS = 25_000
"""So many learn and are measured: a head has some thirty terms, and its rows of more would not fit into memory."""


@dataclass(frozen=True)
class TasteRules:
    """What the heads are learned and measured by, from `params.yaml`."""

    grid: FeaturesParams
    held_out: EvaluateParams
    tastes: TastesParams
    coupons: CouponsParams
    texts: SignalsParams

    @property
    def recipe(self) -> TasteRecipe:
        """How the head of categories is made."""
        rule, grid = self.tastes, self.grid
        return TasteRecipe(rule.decay_days, grid.decay_days, rule.factors, rule.penalty_c, grid.horizon_days)

    def coupon_head(self, past: CouponRows) -> Coupons:
        """The head of coupons, as it ships."""
        recipe, c = self.recipe, self.coupons.penalty_c
        return fit_coupons(past, pace_days=recipe.pace_days, penalty_c=c, horizon_days=recipe.horizon_days)

    def social_head(self, past: SocialRows) -> Social:
        """The social head, as it ships."""
        return fit_social(past, horizon_days=self.grid.horizon_days)


@dataclass(frozen=True)
class TasteTables:
    """What the heads learn from, opened, and the names of the chosen categories."""

    names: tuple[str, ...]
    rows: TasteRows
    receipts: CouponRows
    social: SocialRows
    drawn_of: int | None = None
    """Of how many households `MOST_HOUSEHOLDS` were drawn; None: all are there."""

    def taste_head(self, past: TasteRows, rules: TasteRules) -> Tastes:
        """The head of categories, as it ships."""
        return fit_tastes(past, self.names, rules.recipe)


def opened(places: Places, tables: SealedTables, rules: TasteRules) -> TasteTables:
    """Unseal all of it; of a large shop's households so many as learn: the first by their sids, which are no numbers of
    theirs and tell nothing of them.
    """
    everybody = sorted(subjects_in([places.panel]))
    drawn = len(everybody) > MOST_HOUSEHOLDS
    tables = tables.of(everybody[:MOST_HOUSEHOLDS]) if drawn else tables
    with told_in(places.taste_categories) as told:
        names = tuple(map(str, told))
    made = ("categories", "category_labels", "coupons", "coupon_consent")
    states, labels, coupons, consent = (tables.table(places.taste(name)) for name in made)
    horizon_days, window_days = rules.grid.horizon_days, rules.texts.window_days
    return TasteTables(
        names,
        taste_rows(tables.table(places.panel), states, labels, categories=len(names)),
        coupon_rows(coupons, consent),
        social_rows(tables.table(places.blend), horizon_days=horizon_days, window_days=window_days),
        len(everybody) if drawn else None,
    )
