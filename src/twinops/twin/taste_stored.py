"""The file of taste, coupon and social heads: JSON text, read as if an enemy had written it. A head may be absent."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from typing import Any, TypeVar

from twinops.entities.canonical import to_json
from twinops.errors import IntegrityError
from twinops.twin.coupons import Answering, Coupons, term_names
from twinops.twin.features import SPEEDS as PACE_SPEEDS
from twinops.twin.heads import Head, Scaling
from twinops.twin.model import TrainedOn
from twinops.twin.social_head import Social
from twinops.twin.state import Pace, Priors
from twinops.twin.strict import entries, number, numbers, record, whole
from twinops.twin.taste_events import SPEEDS
from twinops.twin.tastes import OWN, Category, Habit, Tastes, shared_names

SCHEMA = "twinops.tastes/1"
LARGEST_FILE = 1_000_000
MOST_CATEGORIES, MOST_FACTORS, MOST_KINDS, LONGEST_NAME = 200, 50, 50, 100
_Part = TypeVar("_Part")


@dataclass(frozen=True)
class Preferences:
    """What is kept beside the twin's model; None: there was nothing to learn it from."""

    tastes: Tastes | None = None
    coupons: Coupons | None = None
    social: Social | None = None


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
    try:
        raw = record(_parsed(text), {"schema", "tastes", "coupons", "social"})
        if raw["schema"] != SCHEMA:
            raise ValueError(f"its schema is not {SCHEMA}")
        return Preferences(
            _maybe(raw["tastes"], _tastes), _maybe(raw["coupons"], _coupons), _maybe(raw["social"], _social)
        )
    except (ValueError, RecursionError) as problem:
        raise IntegrityError(
            f"The file holds no taste heads: {str(problem)[:200]}.",
            hint="Run the tastes stage again; do not load models from strangers.",
        ) from None


def _tastes_body(model: Tastes) -> dict[str, Any]:
    shared = shared_names(model.factors)
    return {
        "horizon_days": model.horizon_days,
        "decay_days": list(model.decay_days),
        "pace": asdict(model.pace),
        "shared": [
            {"name": name, "centre": model.scaling.centres[i], "spread": model.scaling.spreads[i]}
            for i, name in enumerate(shared)
        ],
        "categories": [
            {
                "name": c.name,
                "habits": {s: asdict(c.habits[i]) for i, s in enumerate(SPEEDS)},
                "centre": c.centre,
                "loadings": list(c.loadings),
                "own": [
                    {"name": name, "centre": c.scaling.centres[i], "spread": c.scaling.spreads[i]}
                    for i, name in enumerate(OWN)
                ],
                "intercept": c.head.intercept,
                "weights": dict(zip((*OWN, *(f"all_{n}" for n in shared)), c.head.weights, strict=True)),
            }
            for c in model.categories
        ],
        "trained_on": asdict(model.trained_on),
    }


def _tastes(raw: Any) -> Tastes:
    told = record(raw, {"horizon_days", "decay_days", "pace", "shared", "categories", "trained_on"})
    rows = entries(told["categories"], at_most=MOST_CATEGORIES)
    shared = [record(s, {"name", "centre", "spread"}) for s in entries(told["shared"], at_most=100)]
    factors = len(shared) - len(shared_names(0))
    if not 1 <= factors <= MOST_FACTORS or tuple(s["name"] for s in shared) != shared_names(factors):
        raise ValueError("its shared terms are not this version's terms")
    categories = tuple(_category(c, factors) for c in rows)
    if len({c.name for c in categories}) < len(categories):
        raise ValueError("a category is given twice")
    return Tastes(
        horizon_days=_days(told["horizon_days"]),
        decay_days=tuple(_days(d) for d in numbers(told["decay_days"], len(SPEEDS))),
        pace=_priors(told["pace"]),
        scaling=_scaling(shared),
        categories=categories,
        trained_on=_trained_on(told["trained_on"]),
    )


def _category(raw: Any, factors: int) -> Category:
    told = record(raw, {"name", "habits", "centre", "loadings", "own", "intercept", "weights"})
    own = [record(t, {"name", "centre", "spread"}) for t in entries(told["own"], at_most=len(OWN))]
    if tuple(t["name"] for t in own) != OWN:
        raise ValueError("a category's terms are not this version's terms")
    names = (*OWN, *(f"all_{n}" for n in shared_names(factors)))
    weights, habits = record(told["weights"], set(names)), record(told["habits"], set(SPEEDS))
    return Category(
        name=_name(told["name"]),
        habits=tuple(_habit(habits[s]) for s in SPEEDS),
        centre=number(told["centre"]),
        loadings=numbers(told["loadings"], factors),
        scaling=_scaling(own),
        head=Head(number(told["intercept"]), tuple(number(weights[n]) for n in names)),
    )


def _coupons_body(model: Coupons) -> dict[str, Any]:
    return {
        "horizon_days": model.horizon_days,
        "pace": asdict(model.pace),
        "answering": asdict(model.answering),
        "kinds": list(model.kinds),
        "intercept": model.head.intercept,
        "terms": [
            {"name": name, "centre": model.scaling.centres[i], "spread": model.scaling.spreads[i],
             "weight": model.head.weights[i]}
            for i, name in enumerate(term_names(model.kinds))
        ],
        "trained_on": asdict(model.trained_on),
    }  # fmt: skip


def _coupons(raw: Any) -> Coupons:
    told = record(raw, {"horizon_days", "pace", "answering", "kinds", "intercept", "terms", "trained_on"})
    if not isinstance(told["kinds"], list) or len(told["kinds"]) > MOST_KINDS:
        raise ValueError("its campaign types are no list, or too many")
    kinds = tuple(_name(k) for k in told["kinds"])
    terms = [record(t, {"name", "centre", "spread", "weight"}) for t in entries(told["terms"], at_most=100)]
    if tuple(t["name"] for t in terms) != term_names(kinds):
        raise ValueError("its terms are not this version's terms")
    answering = record(told["answering"], {f.name for f in fields(Answering)})
    return Coupons(
        horizon_days=_days(told["horizon_days"]),
        pace=_priors(told["pace"]),
        answering=Answering(**{k: _positive(v) for k, v in answering.items()}),
        kinds=kinds,
        scaling=_scaling(terms),
        head=Head(number(told["intercept"]), tuple(number(t["weight"]) for t in terms)),
        trained_on=_trained_on(told["trained_on"]),
    )


def _social(raw: Any) -> Social:
    told = record(raw, {f.name for f in fields(Social)})
    a, b, c = (_positive(m) for m in numbers(told["moods"], 3))
    return Social(_days(told["horizon_days"]), _positive(told["shape"]), _positive(told["exposure"]), (a, b, c))


def _maybe(raw: Any, read: Callable[[Any], _Part]) -> _Part | None:
    return None if raw is None else read(raw)


def _parsed(text: str) -> Any:
    if len(text) > LARGEST_FILE:
        raise ValueError(f"it is longer than {LARGEST_FILE} characters")
    return json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({k for k, _ in pairs}) < len(pairs):
        raise ValueError("a key is given twice")
    return dict(pairs)


def _no_constant(name: str) -> Any:
    raise ValueError(f"it holds {name}")


def _scaling(terms: list[dict[str, Any]]) -> Scaling:
    return Scaling(tuple(number(t["centre"]) for t in terms), tuple(_positive(t["spread"]) for t in terms))


def _habit(raw: Any) -> Habit:
    told = record(raw, {"shape", "exposure"})
    return Habit(_positive(told["shape"]), _positive(told["exposure"]))


def _priors(raw: Any) -> Priors:
    told = record(raw, {f.name for f in fields(Priors)})
    paces = {s: record(told[s], {f.name for f in fields(Pace)}) for s in PACE_SPEEDS}
    made = {s: Pace(_positive(p["shape"]), _positive(p["exposure"]), number(p["basket_usd"])) for s, p in paces.items()}
    if any(p.basket_usd < 0 for p in made.values()) or number(told["log_value_variance"]) < 0:
        raise ValueError("a number that must not be negative is")
    return Priors(**made, log_value=number(told["log_value"]), log_value_variance=number(told["log_value_variance"]))


def _trained_on(raw: Any) -> TrainedOn:
    told = record(raw, {f.name for f in fields(TrainedOn)})
    return TrainedOn(**{k: whole(v) for k, v in told.items()})


def _days(raw: Any) -> int:
    days = whole(int(raw) if isinstance(raw, float) and raw.is_integer() else raw)
    if not 1 <= days <= 36_500:
        raise ValueError("a number of days is out of range")
    return days


def _positive(raw: Any) -> float:
    value = number(raw)
    if value < 1e-12:
        raise ValueError("a number that must be positive is not")
    return value


def _name(raw: Any) -> str:
    if not isinstance(raw, str) or not 1 <= len(raw) <= LONGEST_NAME or not raw.isprintable():
        raise ValueError("a name is no short printable text")
    return raw
