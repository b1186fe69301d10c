"""The model file: JSON text that holds no subject, read as if an enemy had written it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from twinops.entities.canonical import digest, to_json
from twinops.twin.model.boosted_trees import LARGEST_TEXT, Challenger
from twinops.twin.model.glm import Head, Scaling
from twinops.twin.model.intervals import Intervals
from twinops.twin.model.median import Median
from twinops.twin.model.model import GLM, HEADS, TrainedOn, TwinModel
from twinops.twin.state.terms import TERMS, Priors
from twinops.twin.strict_json import Days, Name, Number, Positive, StrictRecord, parsed, refusing

SCHEMA = "twinops.twin/4"
LARGEST_FILE = 4_000_000
"""The heads take 10,000 characters; a challenger's trees, where they are champion, some hundred thousand."""

STRANGERS = "Run the {} stage again; do not load models from strangers."


class _Intercepts(StrictRecord):
    activity: Number
    baskets: Number
    spend: Number


class ScaledTerm(StrictRecord):
    """A term's place on the scale."""

    name: Name
    centre: Number
    spread: Positive


class _TwinTerm(ScaledTerm, _Intercepts):
    """A term's place on the scale, and its weight in each head."""


_Text = Annotated[str, Field(max_length=LARGEST_TEXT)]


class _Trees(StrictRecord):
    texts: Annotated[dict[Literal["activity", "baskets", "spend"], _Text], Field(min_length=len(HEADS))]
    sha256: str

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.sha256 != digest(self.texts):
            raise ValueError("the digest of the trees does not fit them")
        return self

    def challenger(self, horizon_days: int, priors: Priors) -> Challenger:
        """The trees as a model, looked at one by one."""
        made = Challenger(horizon_days, priors, **self.texts)
        if not made.forests:
            raise ValueError("there are no trees")
        return made


class _TwinFile(StrictRecord):
    schema_version: Literal["twinops.twin/4"] = Field(alias="schema")
    horizon_days: Days
    decay_days: tuple[Days, Days, Days]
    priors: Priors
    intercepts: _Intercepts
    terms: Annotated[tuple[_TwinTerm, ...], Field(max_length=len(TERMS))]
    median: Median
    trained_on: TrainedOn
    champion: Literal["glm", "lightgbm", "average"]
    challenger: _Trees | None
    intervals: Intervals | None

    @model_validator(mode="after")
    def _of_this_version(self) -> Self:
        if [term.name for term in self.terms] != list(TERMS):
            raise ValueError("its terms are not this version's terms")
        # trees are stored where they have a say, and nowhere else
        if (self.champion == GLM) != (self.challenger is None):
            raise ValueError("its champion is not in the file")
        return self

    def model(self) -> TwinModel:
        """The model itself, its trees looked at one by one."""
        trees = None if self.challenger is None else self.challenger.challenger(self.horizon_days, self.priors)
        weights = {name: tuple(getattr(term, name) for term in self.terms) for name in HEADS}
        return TwinModel(
            self.horizon_days,
            self.decay_days,
            self.priors,
            scaling_of(self.terms),
            **{name: Head(getattr(self.intercepts, name), weights[name]) for name in HEADS},
            median=self.median,
            trained_on=self.trained_on,
            champion=self.champion,
            challenger=trees,
            intervals=self.intervals,
        )


def to_text(model: TwinModel) -> str:
    """The model as sorted JSON: one line per number, so that `git diff` shows what training changed."""
    heads: dict[str, Head] = {name: getattr(model, name) for name in HEADS}
    body = {
        "schema": SCHEMA,
        "horizon_days": model.horizon_days,
        "decay_days": list(model.decay_days),
        "priors": asdict(model.priors),
        "intercepts": {name: head.intercept for name, head in heads.items()},
        "terms": [
            term | {name: head.weights[i] for name, head in heads.items()}
            for i, term in enumerate(scaled(model.scaling, TERMS))
        ],
        "median": asdict(model.median),
        "trained_on": asdict(model.trained_on),
        "champion": model.champion,
        "challenger": None if model.challenger is None else model.challenger.to_record(),
        "intervals": None if model.intervals is None else asdict(model.intervals),
    }
    return to_json(body, indent=1) + "\n"


def from_text(text: str) -> TwinModel:
    """Read what `to_text` wrote, and nothing else.

    Raises:
        IntegrityError: anything is missing, unknown, doubled, not finite, out of range or of the wrong kind.
    """
    with refusing("The model file is not a twin model", STRANGERS.format("train")):
        return parsed(_TwinFile, text, at_most=LARGEST_FILE).model()


def trees_from_text(text: str, *, horizon_days: int, priors: Priors) -> Challenger:
    """Trees that were kept by themselves, on terms of these priors.

    Raises:
        IntegrityError: it holds anything else.
    """
    with refusing("The file of trees is not one", STRANGERS.format("evaluate")):
        return parsed(_Trees, text, at_most=LARGEST_FILE).challenger(horizon_days, priors)


def scaled(scaling: Scaling, names: Sequence[str]) -> list[dict[str, Any]]:
    """The places of terms on the scale, by name: what `ScaledTerm` reads."""
    places = zip(names, scaling.centres, scaling.spreads, strict=True)
    return [{"name": name, "centre": centre, "spread": spread} for name, centre, spread in places]


def scaling_of(terms: Sequence[ScaledTerm]) -> Scaling:
    """The scaling that terms in a file make."""
    return Scaling(tuple(term.centre for term in terms), tuple(term.spread for term in terms))
