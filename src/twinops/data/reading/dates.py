"""Moments as strangers write them, as whole local days; what lies behind the as-of date has not happened."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from zoneinfo import ZoneInfo

from twinops.data.door import BatchRequest
from twinops.data.reading.reading import Fault, Refused
from twinops.entities.day_count import DayCount

EARLIEST = date(1900, 1, 1)


@dataclass(frozen=True)
class Calendar:
    """The shop's own clock, and the count of its days; `as_of` is the last day that may have happened."""

    as_of: date
    days: DayCount
    timezone: str = "America/New_York"

    @classmethod
    def of(cls, asked: BatchRequest) -> Calendar:
        """The calendar of a request; whoever takes moments in needs the project's count of days."""
        if asked.days is None:
            raise ValueError("this request counts no days")
        return cls(asked.as_of, asked.days)

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
            Refused: it is before 1900 or after the as-of date.
        """
        if day < EARLIEST:
            raise Refused(Fault.BAD_TIME)
        if day > self.as_of:
            raise Refused(Fault.FUTURE)
        return self.days.number(day)

    def of_text(self, text: object) -> int:
        """An ISO 8601 date, or date and time with its offset, as a local day.

        >>> Calendar(date(2018, 1, 1), DayCount(date(2017, 1, 1))).of_text("2017-01-02T03:00:00Z")
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
        except ValueError:
            raise Refused(Fault.BAD_TIME) from None
        return self.of_moment(moment)

    def of_moment(self, moment: datetime) -> int:
        """A moment with its offset as a local day.

        Raises:
            Refused: it has none, or has not happened.
        """
        if moment.tzinfo is None:
            raise Refused(Fault.BAD_TIME)
        try:
            return self.of_date(moment.astimezone(UTC).astimezone(self.zone).date())
        except (ValueError, OverflowError):
            raise Refused(Fault.BAD_TIME) from None

    def of_seconds(self, seconds: object) -> int:
        """Whole seconds since 1970 (UTC) as a local day.

        Raises:
            Refused: it is no such number, or not one that has happened.
        """
        if not isinstance(seconds, int) or isinstance(seconds, bool) or not 0 <= seconds < 10**11:
            raise Refused(Fault.BAD_TIME)
        return self.of_moment(datetime.fromtimestamp(seconds, UTC))
