"""The table that releases and attacks on them start from: the blended data in the bands of the public code-book."""

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from twinops.data.release.codebook import CodeBand, coded, shipped
from twinops.data.vault.drawing import drawn
from twinops.data.vault.sealed_tables import SealedTables
from twinops.errors import DataError, IntegrityError
from twinops.evaluation.privacy.reidentification import Tables
from twinops.params import PrivacyParams, ReleaseParams
from twinops.ports import KeyStore
from twinops.workflows.places import Places

FROM_BLEND = ("has_account", "social_events", "net_sentiment")


@dataclass(frozen=True)
class Banded:
    """Subjects x bands of codes, in the order of a keyed hash that also decides who is a member and who is control."""

    bands: tuple[CodeBand, ...]
    members: np.ndarray
    control: np.ndarray

    def own_alone(self) -> "Banded":
        """Without the bands that hang on other subjects: what is left of a subject changes one row, hers."""
        kept = [i for i, band in enumerate(self.bands) if not band.hangs_on_others]
        return replace(
            self,
            bands=tuple(self.bands[i] for i in kept),
            members=self.members[:, kept],
            control=self.control[:, kept],
        )

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
            IntegrityError: somebody stands in it twice.
        """
        day, bands, tables = self.privacy.cutoff, shipped(), SealedTables(self.places.raw_batches, self.keys)
        panel, blend = tables.table(self.places.panel), tables.table(self.places.blend)
        asked = pc.and_(pc.equal(panel["cutoff"], day), pc.and_(panel["may_train"], panel["may_score"]))
        rows = panel.filter(asked).join(_social(blend, day), "sid", join_type="left outer")
        if rows.num_rows == 0:
            raise DataError(f"Nobody may be in a table as of day {day}.", hint="Choose another privacy.cutoff.")
        if len(pc.unique(rows["sid"])) != rows.num_rows:
            raise IntegrityError(
                "Somebody has several rows in the panel, and a release counts each once.",
                hint="Run `dvc repro features`.",
            )
        numbers = self._drawn(rows["sid"].to_pylist())
        order = np.argsort(numbers)
        codes, inside = coded(rows, bands)[order], numbers[order] >= self.release.control_share
        return Banded(bands, codes[inside], codes[~inside])

    def _drawn(self, sids: list[str]) -> np.ndarray:
        """A number in 0 .. 1 by a keyed hash of the subject's sid alone: nobody who comes or goes moves another."""
        return drawn(sids, key=self.keys.batch_key("release", f"members {self.release.seed}"))


def _social(blend: pa.Table, day: int) -> pa.Table:
    return blend.filter(pc.equal(blend["cutoff"], day)).select(["sid", *FROM_BLEND])
