"""Records in, persons out: the whole linkage of several sources, one step after the other."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa

from twinops.data.linkage.blocking import candidates
from twinops.data.linkage.model import Model
from twinops.data.linkage.normalise import normalised
from twinops.data.linkage.plausible import Plausible, plausible
from twinops.data.linkage.resolve import JoiningRules, ResolvedPersons, resolved
from twinops.data.linkage.scoring import Pairs, scored
from twinops.data.linkage.splinking import Drawing
from twinops.data.linkage.training import trained
from twinops.errors import DataError
from twinops.ports import Engine

FEWEST = 200
"""With fewer records nothing can be learnt of how people write their names."""


@dataclass(frozen=True)
class LinkageSettings:
    """How to link: draws of the training, rules of joining, the most records that may share a blocking key."""

    drawing: Drawing
    rules: JoiningRules = field(default_factory=JoiningRules)
    most: int = 100
    lone: tuple[str, ...] = ()


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
    found = candidates(engine, records, lone=settings.lone, most=settings.most)
    model = trained(engine, records, found, replace(settings.drawing, lone=settings.lone))
    pairs = scored(records, found, model)
    source = np.array(records["source"].to_pylist())
    likely = plausible(engine, pairs, source, model)
    return Linked(
        records, found, pairs, likely, resolved(pairs, likely, source, lone=settings.lone, rules=settings.rules)
    )
