"""What a project declares its texts to say: the subject's word, the currency, and what the data are."""

from dataclasses import asdict, dataclass
from datetime import date
from functools import cached_property
from typing import TypeVar

from twinops.data import journey
from twinops.data.own_sources.declared_law import legal_of
from twinops.entities.coins import WITHOUT_MINOR_UNITS
from twinops.entities.day_count import DayCount
from twinops.entities.fact import Fact, Kind
from twinops.entities.legal import DataSheet, LegalFacts
from twinops.entities.wording import FACT, MANY_FIRST, MONEY, Wording
from twinops.own_params import NOTHING_OWN, OwnParams
from twinops.params import ANY_CONSUMER, SubjectParams

T = TypeVar("T")
UNCOUNTED = DayCount(date.min)
"""Where no project says from which day on it counts."""


@dataclass(frozen=True)
class DeclaredWords:
    """The sections `subject` and `own` of `params.yaml`, and the words that follow from them."""

    own: OwnParams
    subject: SubjectParams = ANY_CONSUMER
    days: DayCount = UNCOUNTED
    """How the project counts its days, by which pictures tell dates."""

    @cached_property
    def wording(self) -> Wording:
        """The words, with the currency that the source of the receipt lines declares."""
        mine = self.own.of_kind("transactions")
        money = self.own.root[mine].money if mine else None
        declared = (money.currency, money.minor_units) if money else journey.CURRENCY
        if declared[0] in WITHOUT_MINOR_UNITS:
            declared = (declared[0], 0)  # it has no smaller coins, whether `minor_units` says so or not
        first_day = None if self.days == UNCOUNTED else self.days.first
        return Wording(self.subject.one, self.subject.many, *declared, first_day)

    def told(self, value: T) -> T:
        """A text, or a record of texts, in these words."""
        return self.wording.told(value)

    @property
    def sheet(self) -> DataSheet:
        """Whom the receipt lines are about, and what they cannot tell."""
        return self.law.sheet

    @property
    def law(self) -> LegalFacts:
        """What the source of the receipt lines declares."""
        return legal_of(self.own).get("transactions", journey.RECEIPTS)

    @property
    def about(self) -> str:
        """Whom the pictures and tables are about, as declared: one line of Markdown for the head of a notebook."""
        law, sheet = self.law, self.law.sheet
        declared = "synthetic" if law.synthetic else "not synthetic"
        made_up = f"; {sheet.made_up}" if sheet.made_up else ""
        return self.told(
            f"**{MANY_FIRST} of {sheet.name}**, declared as {declared}{made_up}: {sheet.whom}. The controller is "
            f"{law.controller}; amounts are in {MONEY}. Provenance, as declared: {law.provenance}"
        )

    @property
    def fact(self) -> Fact:
        """The words as evidence carries them to the documents."""
        mine = self.own.of_kind("transactions")
        currency = f"own.{mine}.money" if mine else "src/twinops/data/journey.py"
        words = {name: value for name, value in asdict(self.wording).items() if name != "first_day"}
        return Fact(FACT, words, Kind.DECLARED, f"params.yaml: subject; {currency}")


UNDECLARED = DeclaredWords(NOTHING_OWN)
"""The words of a project that declares none."""
