"""The model file: JSON text, read as if an enemy had written it."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, fields
from typing import Any

from twinops.entities.canonical import to_json
from twinops.errors import IntegrityError
from twinops.twin.challenger import Challenger
from twinops.twin.features import SPEEDS
from twinops.twin.heads import Head, Scaling
from twinops.twin.intervals import Intervals
from twinops.twin.model import CHAMPIONS, GLM, HEADS, TrainedOn, TwinModel
from twinops.twin.state import TERMS, Pace, Priors

SCHEMA = "twinops.twin/3"
LARGEST_FILE = 4_000_000
"""The heads take 10,000 characters; a challenger's trees, where they are champion, some hundred thousand."""

FIELDS = {
    "schema", "horizon_days", "decay_days", "priors", "intercepts", "terms", "trained_on",
    "champion", "challenger", "intervals",
}  # fmt: skip
LARGEST_NUMBER = 1e12


def to_text(model: TwinModel) -> str:
    """The model as sorted JSON: one line per number, so that `git diff` shows what training changed."""
    scaling, heads = model.scaling, {name: getattr(model, name) for name in HEADS}
    body = {
        "schema": SCHEMA,
        "horizon_days": model.horizon_days,
        "decay_days": list(model.decay_days),
        "priors": asdict(model.priors),
        "intercepts": {name: head.intercept for name, head in heads.items()},
        "terms": [
            {"name": name, "centre": scaling.centres[i], "spread": scaling.spreads[i],
             **{h: head.weights[i] for h, head in heads.items()}}
            for i, name in enumerate(TERMS)
        ],
        "trained_on": asdict(model.trained_on),
        "champion": model.champion,
        "challenger": None if model.challenger is None else model.challenger.to_record(),
        "intervals": None if model.intervals is None else model.intervals.to_record(),
    }  # fmt: skip
    return to_json(body, indent=1) + "\n"


def from_text(text: str) -> TwinModel:
    """Read what `to_text` wrote, and nothing else.

    Raises:
        IntegrityError: anything is missing, unknown, doubled, not finite, out of range or of the wrong kind.
    """
    try:
        raw = _record(_parsed(text), FIELDS)
        if raw["schema"] != SCHEMA:
            raise ValueError(f"its schema is not {SCHEMA}")
        return _model(raw)
    except (ValueError, RecursionError) as problem:
        raise IntegrityError(
            f"The model file is not a twin model: {str(problem)[:200]}.",
            hint="Run the train stage again; do not load models from strangers.",
        ) from None


def _model(raw: dict[str, Any]) -> TwinModel:
    decay_days = tuple(_whole(v, at_most=36_500) for v in _list(raw["decay_days"], len(SPEEDS)))
    rows = [_record(t, {"name", "centre", "spread", *HEADS}) for t in _list(raw["terms"], len(TERMS))]
    if [r["name"] for r in rows] != list(TERMS):
        raise ValueError("its terms are not this version's terms")
    intercepts = _record(raw["intercepts"], set(HEADS))
    heads = {h: Head(_number(intercepts[h]), tuple(_number(r[h]) for r in rows)) for h in HEADS}
    seen = _record(raw["trained_on"], {f.name for f in fields(TrainedOn)})
    horizon_days, priors = _whole(raw["horizon_days"], at_most=36_500), _priors(raw["priors"])
    return TwinModel(
        horizon_days=horizon_days,
        decay_days=(decay_days[0], decay_days[1], decay_days[2]),
        priors=priors,
        scaling=Scaling(tuple(_number(r["centre"]) for r in rows), tuple(_positive(r["spread"]) for r in rows)),
        trained_on=TrainedOn(**{k: _whole(v, at_most=10**12) for k, v in seen.items()}),
        champion=_champion(raw),
        challenger=None
        if raw["challenger"] is None
        else Challenger.from_record(raw["challenger"], horizon_days=horizon_days, priors=priors),
        intervals=None if raw["intervals"] is None else Intervals.from_record(raw["intervals"]),
        **heads,
    )


def _champion(raw: dict[str, Any]) -> str:
    """Who speaks; trees are stored where they have a say, and nowhere else."""
    if raw["champion"] not in CHAMPIONS or (raw["champion"] == GLM) != (raw["challenger"] is None):
        raise ValueError("its champion is unknown, or not in the file")
    return str(raw["champion"])


def _priors(raw: Any) -> Priors:
    record = _record(raw, {f.name for f in fields(Priors)})
    paces = {}
    for speed in SPEEDS:
        pace = _record(record[speed], {f.name for f in fields(Pace)})
        paces[speed] = Pace(
            _positive(pace["shape"]), _positive(pace["exposure"]), _number(pace["basket_usd"], at_least=0)
        )
    return Priors(
        **paces,
        log_value=_number(record["log_value"]),
        log_value_variance=_number(record["log_value_variance"], at_least=0),
    )


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


def _record(value: Any, keys: set[str]) -> dict[str, Any]:
    if not isinstance(value, dict) or set(value) != keys:
        raise ValueError(f"a record does not have exactly the fields {', '.join(sorted(keys))}")
    return value


def _list(value: Any, length: int) -> list[Any]:
    if not isinstance(value, list) or len(value) != length:
        raise ValueError(f"a list does not have {length} entries")
    return value


def _number(value: Any, *, at_least: float = -LARGEST_NUMBER) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("a number is something else")
    if abs(value) > LARGEST_NUMBER or not math.isfinite(value) or value < at_least:
        raise ValueError("a number is out of range")
    return float(value)


def _positive(value: Any) -> float:
    number = _number(value, at_least=0)
    if number < 1e-12:
        raise ValueError("a number that must be positive is not")
    return number


def _whole(value: Any, *, at_most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= at_most:
        raise ValueError("a whole number is something else or out of range")
    return value
