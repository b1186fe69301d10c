"""The file of taste, coupon and social heads: JSON text, read as if an enemy had written it. A head may be absent."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from twinops.entities.canonical import to_json
from twinops.twin.model.glm import Head
from twinops.twin.model.model import TrainedOn
from twinops.twin.model.model_file import STRANGERS, ScaledTerm, scaled, scaling_of
from twinops.twin.state.terms import Priors
from twinops.twin.strict_json import Days, Name, Number, StrictRecord, parsed, refusing
from twinops.twin.tastes.categories import OWN, Category, Habit, Tastes, shared_names
from twinops.twin.tastes.coupons import Answering, Coupons, term_names
from twinops.twin.tastes.events import SPEEDS
from twinops.twin.tastes.social import Social

SCHEMA = "twinops.tastes/1"
LARGEST_FILE = 1_000_000
MOST_CATEGORIES, MOST_FACTORS, MOST_KINDS, MOST_TERMS = 200, 50, 50, 100


@dataclass(frozen=True)
class Preferences:
    """What is kept beside the twin's model; None: there was nothing to learn it from."""

    tastes: Tastes | None = None
    coupons: Coupons | None = None
    social: Social | None = None


class _WeighedTerm(ScaledTerm):
    weight: Number


class _Category(StrictRecord):
    name: Name
    habits: dict[str, Habit]
    """Its prior at each of the four speeds."""
    centre: Number
    loadings: Annotated[tuple[Number, ...], Field(min_length=1, max_length=MOST_FACTORS)]
    own: Annotated[tuple[ScaledTerm, ...], Field(max_length=len(OWN))]
    intercept: Number
    weights: Annotated[dict[str, Number], Field(max_length=MOST_TERMS)]

    @model_validator(mode="after")
    def _of_this_version(self) -> Self:
        if tuple(term.name for term in self.own) != OWN or set(self.weights) != set(_weighed(len(self.loadings))):
            raise ValueError("a category's terms are not this version's terms")
        if set(self.habits) != set(SPEEDS):
            raise ValueError("a category's priors are not those of the four speeds")
        return self

    def category(self) -> Category:
        """Its weights in the order of its terms."""
        weights = tuple(self.weights[name] for name in _weighed(len(self.loadings)))
        habits = tuple(self.habits[speed] for speed in SPEEDS)
        head = Head(self.intercept, weights)
        return Category(self.name, habits, self.centre, self.loadings, scaling_of(self.own), head)


class _Tastes(StrictRecord):
    horizon_days: Days
    decay_days: tuple[Days, Days, Days, Days]
    pace: Priors
    shared: Annotated[tuple[ScaledTerm, ...], Field(max_length=MOST_TERMS)]
    categories: Annotated[tuple[_Category, ...], Field(min_length=1, max_length=MOST_CATEGORIES)]
    trained_on: TrainedOn

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        factors = {len(category.loadings) for category in self.categories}
        if len(factors) > 1 or tuple(term.name for term in self.shared) != shared_names(*factors):
            raise ValueError("its shared terms are not this version's terms")
        if len({category.name for category in self.categories}) < len(self.categories):
            raise ValueError("a category is given twice")
        return self

    def tastes(self) -> Tastes:
        """The heads themselves."""
        categories = tuple(category.category() for category in self.categories)
        scaling = scaling_of(self.shared)
        return Tastes(self.horizon_days, self.decay_days, self.pace, scaling, categories, self.trained_on)


class _Coupons(StrictRecord):
    horizon_days: Days
    pace: Priors
    answering: Answering
    kinds: Annotated[tuple[Name, ...], Field(max_length=MOST_KINDS)]
    intercept: Number
    terms: Annotated[tuple[_WeighedTerm, ...], Field(max_length=MOST_TERMS)]
    trained_on: TrainedOn

    @model_validator(mode="after")
    def _of_this_version(self) -> Self:
        if tuple(term.name for term in self.terms) != term_names(self.kinds):
            raise ValueError("its terms are not this version's terms")
        return self

    def coupons(self) -> Coupons:
        """The head itself."""
        head, scaling = Head(self.intercept, tuple(term.weight for term in self.terms)), scaling_of(self.terms)
        return Coupons(self.horizon_days, self.pace, self.answering, self.kinds, scaling, head, self.trained_on)


class _TasteFile(StrictRecord):
    schema_version: Literal["twinops.tastes/1"] = Field(alias="schema")
    tastes: _Tastes | None
    coupons: _Coupons | None
    social: Social | None


def to_text(heads: Preferences) -> str:
    """Sorted JSON, one line per number."""
    body = {
        "schema": SCHEMA,
        "tastes": None if heads.tastes is None else _tastes_body(heads.tastes),
        "coupons": None if heads.coupons is None else _coupons_body(heads.coupons),
        "social": None if heads.social is None else asdict(heads.social),
    }
    return to_json(body, indent=1) + "\n"


def from_text(text: str) -> Preferences:
    """Read what `to_text` wrote, and nothing else.

    Raises:
        IntegrityError: anything is missing, unknown, doubled, not finite, out of range or of the wrong kind.
    """
    with refusing("The file holds no taste heads", STRANGERS.format("tastes")):
        file = parsed(_TasteFile, text, at_most=LARGEST_FILE)
    tastes = None if file.tastes is None else file.tastes.tastes()
    return Preferences(tastes, None if file.coupons is None else file.coupons.coupons(), file.social)


def _tastes_body(model: Tastes) -> dict[str, Any]:
    return {
        "horizon_days": model.horizon_days,
        "decay_days": list(model.decay_days),
        "pace": asdict(model.pace),
        "shared": scaled(model.scaling, shared_names(model.factors)),
        "categories": [
            {
                "name": c.name,
                "habits": {s: asdict(c.habits[i]) for i, s in enumerate(SPEEDS)},
                "centre": c.centre,
                "loadings": list(c.loadings),
                "own": scaled(c.scaling, OWN),
                "intercept": c.head.intercept,
                "weights": dict(zip(_weighed(model.factors), c.head.weights, strict=True)),
            }
            for c in model.categories
        ],
        "trained_on": asdict(model.trained_on),
    }


def _coupons_body(model: Coupons) -> dict[str, Any]:
    return {
        "horizon_days": model.horizon_days,
        "pace": asdict(model.pace),
        "answering": asdict(model.answering),
        "kinds": list(model.kinds),
        "intercept": model.head.intercept,
        "terms": [
            term | {"weight": weight}
            for term, weight in zip(scaled(model.scaling, term_names(model.kinds)), model.head.weights, strict=True)
        ],
        "trained_on": asdict(model.trained_on),
    }


def _weighed(factors: int) -> tuple[str, ...]:
    """Names of a category's weights: its own terms, and those that all categories share."""
    return (*OWN, *(f"all_{name}" for name in shared_names(factors)))
