"""Records in, persons out: the whole linkage of several sources, one step after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa

from twinops.data.linkage.blocking import candidates
from twinops.data.linkage.model import Model
from twinops.data.linkage.normalise import normalised
from twinops.data.linkage.plausible import Plausible, plausible
from twinops.data.linkage.resolve import Bounds, Decided, JoiningRules, ResolvedPersons, resolved
from twinops.data.linkage.scoring import Pairs, scored
from twinops.data.linkage.splinking import Drawing
from twinops.data.linkage.training import trained
from twinops.entities.persons import PairDecision, record_name
from twinops.errors import DataError
from twinops.ports import Engine

FEWEST = 200
"""With fewer records nothing can be learnt of how people write their names."""


@dataclass(frozen=True)
class LinkageSettings:
    """How to link: draws of the training, rules of joining, the most records that may share a blocking key.

    What a person decided of two records stands whatever is found. A `model` that was learned before is not learned
    again.
    """

    drawing: Drawing
    rules: JoiningRules = field(default_factory=JoiningRules)
    most: int = 100
    lone: tuple[str, ...] = ()
    decisions: tuple[PairDecision, ...] = ()
    model: Model | None = None


@dataclass(frozen=True)
class Linked:
    """The records by place, the candidate pairs worth keeping, how plausible each is, and what was joined."""

    records: pa.Table
    candidates: pa.Table
    pairs: Pairs
    plausible: Plausible
    resolved: ResolvedPersons

    @property
    def model(self) -> Model:
        """The model that decided, with its priors."""
        return self.plausible.model


def linked(engine: Engine, raw: pa.Table, settings: LinkageSettings) -> Linked:
    """Link records in the shape of `normalise.RAW`. Only records that may be blended may be handed in.

    Raises:
        DataError: too few records to learn from.
    """
    if raw.num_rows < FEWEST:
        raise DataError(
            f"Only {raw.num_rows} records may be linked; fewer than {FEWEST} teach nothing.",
            hint="Link more sources, or none.",
        )
    records = normalised(raw)
    decided = _decided(names_of(records), settings.decisions)
    found = candidates(engine, records, lone=settings.lone, most=settings.most)
    drawing = replace(settings.drawing, lone=settings.lone)
    model = settings.model or trained(engine, records, found, drawing)
    pairs = _with_decided(engine, records, scored(engine, records, found, model), decided=decided, model=model)
    source = np.array(records["source"].to_pylist())
    likely = _as_decided(plausible(engine, pairs, source, model), pairs, decided)
    bounds = Bounds(settings.lone, decided)
    return Linked(records, found, pairs, likely, resolved(pairs, likely, source, bounds=bounds, rules=settings.rules))


def names_of(records: pa.Table) -> list[str]:
    """The name of each record in the register of persons."""
    return [record_name(*r) for r in zip(*(records[c].to_pylist() for c in ("source", "record")), strict=True)]


def _decided(names: Sequence[str], decisions: Sequence[PairDecision]) -> Decided:
    """What was decided of records that are here, by place; of the others nothing follows."""
    place = {name: i for i, name in enumerate(names)}
    here = [(d.same, sorted((place[d.one], place[d.other]))) for d in decisions if {d.one, d.other} <= place.keys()]
    same, apart = (frozenset((low, high) for said, (low, high) in here if said is which) for which in (True, False))
    return Decided(same, apart)


def _with_decided(engine: Engine, records: pa.Table, pairs: Pairs, *, decided: Decided, model: Model) -> Pairs:
    """The pairs, and those said to be one person's that share no key or look like strangers."""
    known = set(zip(pairs.left.tolist(), pairs.right.tolist(), strict=True))
    more = sorted(decided.same - known)
    if not more:
        return pairs
    left, right = (pa.array(side, pa.int64()) for side in zip(*more, strict=True))
    added = scored(engine, records, pa.table({"left_id": left, "right_id": right}), model, least_bits=None)
    return Pairs.joined([pairs, added])


def _as_decided(likely: Plausible, pairs: Pairs, decided: Decided) -> Plausible:
    """Where a person decided there is no doubt left: certain, or impossible."""
    same, apart = decided.among(pairs, decided.same), decided.among(pairs, decided.apart)
    return replace(likely, probability=np.where(same, 1.0, np.where(apart, 0.0, likely.probability)))
