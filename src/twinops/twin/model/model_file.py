"""The model file: JSON text that holds no subject, read as if an enemy had written it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from twinops.entities.canonical import digest, to_json
from twinops.twin.model.bgnbd import BgNbd, Classic, GammaGamma, Usual
from twinops.twin.model.boosted_trees import LARGEST_TEXT, Challenger
from twinops.twin.model.families import CLASSIC, HEADS, HURDLE, TREES, Hurdle, Speakers
from twinops.twin.model.glm import Head, Scaling
from twinops.twin.model.intervals import Intervals
from twinops.twin.model.model import TrainedOn, TwinModel
from twinops.twin.model.outcomes import Scatter
from twinops.twin.model.own_family import OwnFamily
from twinops.twin.state.terms import TERMS, Priors
from twinops.twin.strict_json import Days, Name, Number, Positive, StrictRecord, parsed, refusing

SCHEMA = "twinops.twin/5"
LARGEST_FILE = 4_000_000
"""Heads without trees take 20,000 characters; trees, where they have a say, some hundred thousand."""

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


class _Weighted(StrictRecord):
    """A head by itself: an intercept, and a weight per term."""

    intercept: Number
    weights: Annotated[tuple[Number, ...], Field(min_length=len(TERMS), max_length=len(TERMS))]

    def head(self) -> Head:
        return Head(self.intercept, self.weights)


class _HurdleHeads(StrictRecord):
    """Of those who come."""

    baskets: _Weighted
    spend: _Weighted

    def made(self) -> Hurdle:
        return Hurdle(self.baskets.head(), self.spend.head())


class _ClassicParameters(StrictRecord):
    """Eleven numbers about everybody."""

    baskets: BgNbd
    value: GammaGamma
    usual: Usual

    def made(self, horizon_days: int) -> Classic:
        return Classic(horizon_days, self.baskets, self.value, self.usual)


_Text = Annotated[str, Field(max_length=LARGEST_TEXT)]


class _Trees(StrictRecord):
    texts: Annotated[dict[Literal["activity", "baskets", "spend"], _Text], Field(min_length=1)]
    sha256: str

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.sha256 != digest(self.texts):
            raise ValueError("the digest of the trees does not fit them")
        return self

    def model(self, horizon_days: int, priors: Priors, *, windows: bool) -> Challenger:
        """The trees as a model, looked at one by one."""
        made = Challenger(horizon_days, priors, **self.texts, windows=windows)
        if set(made.forests) != set(self.texts):
            raise ValueError("there are no trees")
        return made


class _TwinFile(StrictRecord):
    schema_version: Literal["twinops.twin/5"] = Field(alias="schema")
    horizon_days: Days
    decay_days: tuple[Days, Days, Days]
    priors: Priors
    intercepts: _Intercepts
    terms: Annotated[tuple[_TwinTerm, ...], Field(max_length=len(TERMS))]
    scatter: Scatter
    trained_on: TrainedOn
    speakers: Speakers
    hurdle: _HurdleHeads | None
    classic: _ClassicParameters | None
    trees: _Trees | None
    own: Annotated[tuple[OwnFamily, ...], Field(max_length=20)] = ()
    intervals: Intervals | None

    @model_validator(mode="after")
    def _of_this_version(self) -> Self:
        if [term.name for term in self.terms] != list(TERMS):
            raise ValueError("its terms are not this version's terms")
        # what has no say is not stored, and what has one is
        stored = {HURDLE: self.hurdle, CLASSIC: self.classic, TREES: self.trees}
        if any((found is None) == bool(self.speakers.where(family)) for family, found in stored.items()):
            raise ValueError("who speaks is not who is in the file")
        if self.trees is not None and set(self.trees.texts) != set(self.speakers.where(TREES)):
            raise ValueError("its trees are of other heads")
        if [f.name for f in self.own] != list(self.speakers.own):
            raise ValueError("its own families are not those that speak")
        for family in self.own:
            columns = len(TERMS) + len(family.columns)
            alike = set(family.heads) == set(self.speakers.where(family.name))
            if not alike or not all(kept.fits(columns) for kept in family.heads.values()):
                raise ValueError(f"{family.name} is of other heads or columns")
        return self

    def model(self) -> TwinModel:
        """The model itself, its trees looked at one by one."""
        weights = {name: tuple(getattr(term, name) for term in self.terms) for name in HEADS}
        return TwinModel(
            self.horizon_days,
            self.decay_days,
            self.priors,
            scaling_of(self.terms),
            **{name: Head(getattr(self.intercepts, name), weights[name]) for name in HEADS},
            scatter=self.scatter,
            trained_on=self.trained_on,
            speakers=self.speakers,
            hurdle=None if self.hurdle is None else self.hurdle.made(),
            classic=None if self.classic is None else self.classic.made(self.horizon_days),
            trees=None if self.trees is None else self.trees.model(self.horizon_days, self.priors, windows=False),
            own=self.own,
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
        "scatter": asdict(model.scatter),
        "trained_on": asdict(model.trained_on),
        "speakers": asdict(model.speakers),
        "hurdle": None if model.hurdle is None else asdict(model.hurdle),
        "classic": None if model.classic is None else _without_horizon(asdict(model.classic)),
        "trees": None if model.trees is None else model.trees.to_record(),
        "intervals": None if model.intervals is None else asdict(model.intervals),
        **({"own": [_own(family) for family in model.own]} if model.own else {}),
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
        return parsed(_Trees, text, at_most=LARGEST_FILE).model(horizon_days, priors, windows=True)


def _own(family: OwnFamily) -> dict[str, Any]:
    heads = {head: kept.model_dump(mode="json") for head, kept in family.heads.items()}
    return {"name": family.name, "columns": [asdict(column) for column in family.columns], "heads": heads}


def _without_horizon(classic: dict[str, Any]) -> dict[str, Any]:
    """A horizon is told once a file."""
    return {name: value for name, value in classic.items() if name != "horizon_days"}


def scaled(scaling: Scaling, names: Sequence[str]) -> list[dict[str, Any]]:
    """The places of terms on the scale, by name: what `ScaledTerm` reads."""
    places = zip(names, scaling.centres, scaling.spreads, strict=True)
    return [{"name": name, "centre": centre, "spread": spread} for name, centre, spread in places]


def scaling_of(terms: Sequence[ScaledTerm]) -> Scaling:
    """The scaling that terms in a file make."""
    return Scaling(tuple(term.centre for term in terms), tuple(term.spread for term in terms))
