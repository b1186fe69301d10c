"""The table that releases and attacks on them start from: the blended data in the bands of the public code-book."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from twinops.data.release.codebook import Band, coded, shipped
from twinops.data.seal import read_sealed
from twinops.errors import DataError
from twinops.evaluation.reidentification import Tables
from twinops.ports import KeyStore
from twinops.twin.examples import with_text_sid
from twinops.workflows.places import Places

FROM_BLEND = ("has_account", "social_events", "net_sentiment")


@dataclass(frozen=True)
class Banded:
    """Households x bands of codes, in an order that chance decided; `members` are the first, the rest stay out."""

    bands: tuple[Band, ...]
    members: np.ndarray
    control: np.ndarray

    def attacked(self, released: np.ndarray) -> Tables:
        """What an attack on this table needs."""
        secret = next(i for i, band in enumerate(self.bands) if band.sensitive)
        return Tables(self.members, self.control, released, tuple(b.size for b in self.bands), secret)


def banded(places: Places, keys: KeyStore, *, day: int, control_share: float, seed: int) -> Banded:
    """Households that allow training and scoring, as of `day`; some are left out as control.

    Raises:
        DataError: nobody is left.
    """
    panel, blend = (
        with_text_sid(read_sealed(path, dataset=path.stem, keys=keys)) for path in (places.panel, places.blend)
    )
    asked = pc.and_(pc.equal(panel["cutoff"], day), pc.and_(panel["may_train"], panel["may_score"]))
    rows = panel.filter(asked).join(_social(blend, day), "sid", join_type="left outer").sort_by("sid")
    bands = shipped()
    if rows.num_rows == 0:
        raise DataError(f"Nobody may be in a table as of day {day}.", hint="Choose another privacy.cutoff.")
    codes = coded(rows, bands)[np.random.default_rng(seed).permutation(rows.num_rows)]
    kept = round(len(codes) * (1 - control_share))
    return Banded(bands, codes[:kept], codes[kept:])


def _social(blend: pa.Table, day: int) -> pa.Table:
    return blend.filter(pc.equal(blend["cutoff"], day)).select(["sid", *FROM_BLEND])
