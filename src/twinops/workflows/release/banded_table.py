"""The table that releases and attacks on them start from: the blended data in the bands of the public code-book."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from twinops.data.release.codebook import CodeBand, coded, shipped
from twinops.data.vault.sealed_tables import SealedTables
from twinops.errors import DataError
from twinops.evaluation.privacy.reidentification import Tables
from twinops.params import PrivacyParams, ReleaseParams
from twinops.ports import KeyStore
from twinops.workflows.places import Places

FROM_BLEND = ("has_account", "social_events", "net_sentiment")


@dataclass(frozen=True)
class Banded:
    """Households x bands of codes, in an order that chance decided; `members` are the first, the rest stay out."""

    bands: tuple[CodeBand, ...]
    members: np.ndarray
    control: np.ndarray

    def attacked(self, released: np.ndarray) -> Tables:
        """What an attack on this table needs."""
        secret = next(i for i, band in enumerate(self.bands) if band.sensitive)
        return Tables(self.members, self.control, released, tuple(b.size for b in self.bands), secret)


@dataclass(frozen=True)
class Banding:
    """Which households are banded, as of which day, and how many are left out as control."""

    places: Places
    keys: KeyStore
    privacy: PrivacyParams
    release: ReleaseParams

    def table(self) -> Banded:
        """Households that allow training and scoring, as of `privacy.cutoff`.

        Raises:
            DataError: nobody is left.
        """
        day, bands, tables = self.privacy.cutoff, shipped(), SealedTables(self.places.raw_batches, self.keys)
        panel, blend = tables.table(self.places.panel), tables.table(self.places.blend)
        asked = pc.and_(pc.equal(panel["cutoff"], day), pc.and_(panel["may_train"], panel["may_score"]))
        rows = panel.filter(asked).join(_social(blend, day), "sid", join_type="left outer").sort_by("sid")
        if rows.num_rows == 0:
            raise DataError(f"Nobody may be in a table as of day {day}.", hint="Choose another privacy.cutoff.")
        codes = coded(rows, bands)[np.random.default_rng(self.release.seed).permutation(rows.num_rows)]
        kept = round(len(codes) * (1 - self.release.control_share))
        return Banded(bands, codes[:kept], codes[kept:])


def _social(blend: pa.Table, day: int) -> pa.Table:
    return blend.filter(pc.equal(blend["cutoff"], day)).select(["sid", *FROM_BLEND])
