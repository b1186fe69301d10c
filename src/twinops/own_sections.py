"""Parts of the declaration of a source: how moments and amounts are written, why it may be held, rules of cells."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

from twinops.entities.consent import LegalBasis, Purpose

OPEN = "open"
"""What the owner has not said yet. Nothing can be promoted before it is said."""

Text = Annotated[str, Field(min_length=1, max_length=2_000)]
AnyPurpose = Annotated[Purpose, Field(strict=False)]
AnyBasis = Annotated[LegalBasis, Field(strict=False)]
TWIN = frozenset({Purpose.TRAINING, Purpose.SCORING})
"""What a trial may serve while its basis is open: nobody is offered anything, nobody's group is looked at."""


class Section(BaseModel):
    """A part of `params.yaml`: frozen, and nothing in it that we do not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


CLOCKS = ("iso", "epoch", "epoch_ms")
"""Ways to write a moment that no letters of strptime describe: ISO 8601, seconds and milliseconds since 1970 (UTC)."""


class TimeParams(Section):
    """How a moment is written (`iso`, `epoch`, `epoch_ms`, or strptime's letters), in which zone, and in which zone
    days are counted.

    `also`: other ways that some cells are written in; a cell that two of them read as two moments is not read.
    """

    format: Annotated[str, Field(min_length=2, max_length=40)] = "iso"
    also: tuple[Annotated[str, Field(min_length=2, max_length=40)], ...] = ()
    zone: str
    counted_in: str | None = None

    @property
    def days_in(self) -> str:
        """The zone whose calendar days count."""
        return self.counted_in or self.zone

    def mistakes(self) -> Iterator[str]:
        """What cannot be acted on."""
        for zone in {self.zone, self.days_in}:
            try:
                ZoneInfo(zone)
            except (KeyError, ValueError, OSError):
                yield f"time: there is no time zone {zone}"
        for one in (self.format, *self.also):
            if one not in CLOCKS and not self._tells_a_day(one):
                yield f"time.format {one!r} does not tell a day; write `iso` or for example '%d/%m/%Y %H:%M'"

    @staticmethod
    def _tells_a_day(format_: str) -> bool:
        """What the letters write they can read again, the day of the month before all."""
        day = datetime(1999, 3, 31, tzinfo=UTC)
        try:
            return datetime.strptime(day.strftime(format_), format_).date() == day.date()  # noqa: DTZ007
        except ValueError:
            return False


class MoneyParams(Section):
    """How amounts are written, and in how many digits the currency's minor unit lies behind the major one.

    `written_in: minor`: 1999 stands for 19.99.
    Tables keep hundredths of the major unit for every currency. Of a currency with more digits that loses some, so it
    must be agreed to: `rounded_to: hundredths` (half to even).
    `discount`: whether discounts are off the price or amount already, or still to be taken off; what is kept is what
    was paid. `discount_as`: they are an amount of the line or of a piece, per cent, or a fraction (0.1 is a tenth).
    """

    decimal: Literal[".", ","] = "."
    thousands: Literal["", ".", ",", " ", "'"] = ""
    minor_units: Annotated[int, Field(ge=0, le=4)] = 2
    written_in: Literal["major", "minor"] = "major"
    rounded_to: Literal["hundredths"] | None = None
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    discount: Literal["taken_off", "to_take_off"] | None = None
    discount_as: Literal["amount", "amount_per_piece", "percent", "fraction"] = "amount"


class OwnLegal(Section):
    """Why the source may be held (GDPR arts. 5, 6, 13, 14, 30); `purposes` says what each column of ours is for.

    `dataset` and `country` are how documents and notebooks call the data and say where their people live.
    What is not known yet is `open`: bases, controller, collected_from, notice, retention_days.
    """

    controller: Text
    provenance: Text
    collected_from: Text
    bases: Annotated[dict[AnyPurpose, AnyBasis], Field(min_length=1)] | Literal["open"]
    purposes: Annotated[dict[str, tuple[AnyPurpose, ...]], Field(min_length=1)]
    retention_days: Annotated[int, Field(ge=1, le=3_650)] | Literal["open"]
    notice: Text
    synthetic: bool
    personal_data: Annotated[str, Field(pattern=r"^https://w3id\.org/dpv")] = "https://w3id.org/dpv#PersonalData"
    dataset: Text | None = None
    country: Text | None = None

    @property
    def open(self) -> tuple[str, ...]:
        """The facts that nobody has said yet."""
        facts = ("bases", "controller", "collected_from", "notice", "retention_days")
        found = [name for name in facts if getattr(self, name) == OPEN]
        by_purpose = isinstance(self.bases, dict) and LegalBasis.OPEN in self.bases.values()
        return ("bases", *found) if by_purpose else tuple(found)

    @property
    def acted_on(self) -> dict[Purpose, LegalBasis]:
        """The basis of each purpose. An open one serves a trial on the owner's machine: training and scoring."""
        used = sorted({p for purposes in self.purposes.values() for p in purposes})
        bases = dict(self.bases) if isinstance(self.bases, dict) else dict.fromkeys(used, LegalBasis.OPEN)
        return {p: basis for p, basis in bases.items() if basis is not LegalBasis.OPEN or p in TWIN}


class CellRules(Section):
    """What cells of a column must be beside what its kind asks, as a data contract says it; others are quarantined."""

    required: bool = False
    minimum: float | None = None
    maximum: float | None = None
    min_length: Annotated[int, Field(ge=0, le=100_000)] | None = None
    max_length: Annotated[int, Field(ge=0, le=100_000)] | None = None
    pattern: Annotated[str, Field(min_length=1, max_length=500)] | None = None
    among: tuple[Annotated[str, Field(max_length=200)], ...] = ()
