"""The final hold-out: a share of the households, by a keyed hash, that trains, tunes and chooses nothing.

A figure that somebody looks at while choosing is no longer a fair one (Dwork et al. 2015, doi:10.1126/science.aaa9375),
so these households stand apart until a release. They are served like all others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from twinops.data.vault.drawing import drawn
from twinops.entities.wording import MANY
from twinops.params import HoldoutParams
from twinops.ports import KeyStore

FEWEST = 100
"""A smaller hold-out tells too little to be worth what the others lose: its AUC is uncertain by .08 and more."""


@dataclass(frozen=True)
class Apart:
    """Who stands apart, out of so many households; nobody where they would be too few."""

    split: HoldoutParams
    sids: frozenset[str]
    households: int

    @property
    def why_not(self) -> str:
        """Why nobody stands apart; nothing where somebody does."""
        if self.sids:
            return ""
        return (
            f"Of {self.households} {MANY} a share of {self.split.share:g} is fewer than {FEWEST}, "
            "too few to tell anything."
        )

    def told(self) -> dict[str, Any]:
        """Aggregates for the evidence."""
        return {
            "share": self.split.share,
            "salt": self.split.salt,
            "households": len(self.sids),
            "of": self.households,
            "why_not": self.why_not,
        }


def apart(sids: Sequence[str], split: HoldoutParams, *, keys: KeyStore) -> Apart:
    """Draw by a key that never leaves the key store; each household's fate hangs on its own sid."""
    numbers = drawn(sids, key=keys.batch_key("holdout", f"split {split.salt}"))
    found = frozenset(sid for sid, number in zip(sids, numbers, strict=True) if number < split.share)
    return Apart(split, found if len(found) >= FEWEST else frozenset(), len(sids))


def parted(table: pa.Table, sids: frozenset[str]) -> tuple[pa.Table, pa.Table]:
    """The rows of everybody else, and those of the households that stand apart."""
    mask = pc.is_in(table["sid"].cast(pa.string()), value_set=pa.array(sorted(sids), pa.string()))
    return table.filter(pc.invert(mask)), table.filter(mask)
