"""Moments as strangers write them, as whole local days; what lies behind the as-of date has not happened."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from zoneinfo import ZoneInfo

from twinops.data.reading.reading import Fault, Refused

EARLIEST = date(2000, 1, 1)


@dataclass(frozen=True)
class Calendar:
    """Days count from 1 January 2017 by the shop's own clock; `as_of` is the last day that may have happened."""

    as_of: date
    first_day: date = date(2017, 1, 1)
    timezone: str = "America/New_York"

    @cached_property
    def zone(self) -> ZoneInfo:
        """The time zone's rules."""
        return ZoneInfo(self.timezone)

    @property
    def today(self) -> int:
        """The as-of date as a day."""
        return self.of_date(self.as_of)

    def of_date(self, day: date) -> int:
        """A date as a day.

        Raises:
            Refused: it is before 2000 or after the as-of date.
        """
        if day < EARLIEST:
            raise Refused(Fault.BAD_TIME)
        if day > self.as_of:
            raise Refused(Fault.FUTURE)
        return (day - self.first_day).days

    def of_text(self, text: object) -> int:
        """An ISO 8601 date, or date and time with its offset, as a local day.

        >>> Calendar(date(2018, 1, 1)).of_text("2017-01-02T03:00:00Z")
        0

        Raises:
            Refused: it is no such moment, or not one that has happened.
        """
        if not isinstance(text, str) or not 10 <= len(text) <= 40 or not text.isascii():
            raise Refused(Fault.BAD_TIME)
        try:
            if len(text) == 10:
                return self.of_date(date.fromisoformat(text))
            moment = datetime.fromisoformat(text)
            if moment.tzinfo is None:
                raise Refused(Fault.BAD_TIME)
            return self.of_date(moment.astimezone(UTC).astimezone(self.zone).date())
        except (ValueError, OverflowError):
            raise Refused(Fault.BAD_TIME) from None
