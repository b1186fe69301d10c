"""The receipt lines under the law: on which bases they serve, as of which day, and whose they may be."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property, partial
from itertools import pairwise

import pyarrow as pa

from twinops.data import journey
from twinops.data.consent import ages, purposes
from twinops.data.consent.rights import NOTHING_ASKED, standing, with_rights
from twinops.data.own_sources.declared_law import WHOLE, legal_of
from twinops.data.vault.sealed_file import subjects_in
from twinops.data.vault.sealed_rows import SealedRows
from twinops.data.vault.sealed_tables import SealedTables
from twinops.entities.consent import REFUSALS, LegalBasis, Purpose
from twinops.entities.day_count import DayCount
from twinops.entities.legal import LegalFacts
from twinops.errors import DataError
from twinops.own_params import NOTHING_OWN, OwnParams
from twinops.params import AgesParams
from twinops.ports import KeyStore, RightsRead
from twinops.twin.state.linked_permissions import narrowed, said_of_records
from twinops.twin.state.permissions import LedgerQuestion, read_consent
from twinops.whole_files import told_in
from twinops.workflows.beside_records import bases_of_records, said_beside
from twinops.workflows.data_plane import DataPlane
from twinops.workflows.places import Places
from twinops.workflows.policy_file import assessments

TRANSACTIONS = "transactions"
CONSENT = "consent"
ADULTS = AgesParams()


@dataclass(frozen=True)
class Standing:
    """What the receipt lines may serve: on which basis, and for which purposes an assessment stands."""

    legal: LegalFacts
    bases: Mapping[Purpose, LegalBasis]
    assessed: frozenset[Purpose]


@dataclass(frozen=True)
class Ties:
    """What was chosen beside records, and which records were linked to households."""

    choices: pa.Table
    links: pa.Table


@dataclass(frozen=True)
class Receipts:
    """The receipt lines of a project, as of one day."""

    plane: DataPlane
    as_of: date
    days: DayCount
    adults: AgesParams = ADULTS
    own: OwnParams = NOTHING_OWN
    rights: RightsRead = NOTHING_ASKED

    @property
    def today(self) -> int:
        """The as-of day, counted."""
        return self.days.number(self.as_of)

    @cached_property
    def standing(self) -> Standing:
        """As declared for the receipt lines, shipped or your own.

        Raises:
            ParamsError: they are not declared for training.
        """
        legal, signed = (
            legal_of(self.own).get(TRANSACTIONS, journey.RECEIPTS),
            assessments(self.plane.places, on=self.as_of),
        )
        names = (TRANSACTIONS, self.own.staged_as(TRANSACTIONS))
        return Standing(legal, purposes.bases_of(legal), frozenset(p for name, p in signed if name in names))

    def unserved(self, purpose: str) -> str:
        """Why nobody is served for a purpose that is not among the bases."""
        name = self.own.staged_as(TRANSACTIONS)
        return purposes.unserved(self.standing.legal, purpose, declared_in=f"own.{name}" if name else TRANSACTIONS)

    @cached_property
    def known_until(self) -> int:
        """The first day nothing is known of."""
        return min(self.today, reached(self.plane.places, self.days))

    @property
    def full_age(self) -> ages.FullAge:
        """From which day on somebody is of age."""
        return ages.FullAge(self.adults, self.days)

    @cached_property
    def births(self) -> pa.Table:
        """See `births`."""
        return births(self.plane.places, self.plane.keys)

    def filed(self) -> tuple[str, ...]:
        """Everybody of whom a twin is opened, rising: with a receipt, or with a word in the ledger of consent and none
        yet. Of the erased too; no frame is opened.
        """
        batches = self.plane.places.raw_batches
        return tuple(sorted(subjects_in([*batches(TRANSACTIONS), *batches(CONSENT)])))

    def lines(self) -> pa.Table:
        """Every line, as it was sealed."""
        return self.plane.tables.source(TRANSACTIONS)

    def served(self, lines: pa.Table) -> pa.Table:
        """The lines without what may not serve a twin: undeclared columns, and days before full age."""
        return self.sealed().then(lines)

    def sealed(self) -> SealedRows:
        """The lines that serve, not opened yet."""
        then = partial(_serving, legal=self.standing.legal, births=self.births, full_age=self.full_age)
        return self.plane.tables.rows(TRANSACTIONS, then)

    def parts(self) -> Iterator[pa.Table]:
        """The lines that serve, of some subjects after the other: all of a large shop's need not fit into memory."""
        return self.sealed().opened()

    def with_rights(self, ledger: pa.Table) -> pa.Table:
        """A ledger of consent or choices, with what was told by command in it."""
        return with_rights(ledger, self.rights, days=self.days, today=self.today)

    def stopped(self, purpose: str) -> frozenset[str]:
        """Who told by command that this purpose is not allowed, whatever tables that were made before still say."""
        said = standing(self.rights.entries()).items()
        return frozenset(sid for sid, one in said if one.event(purpose) in REFUSALS)

    def answers(self, asked: LedgerQuestion) -> pa.Table:
        """The ledger's answers, today's narrowed to the strictest of all linked records, minors out."""
        engine, law, tied = self.plane.engine, self.standing, ties(self.plane.places, self.plane.keys, self.own)
        # records before households: the engine keeps the ledger that was read last, and rows are counted by it again
        said = None if tied is None else self.of_records(tied, asked.today)
        ledger = self.with_rights(self.plane.tables.source(CONSENT))
        answers = read_consent(engine, ledger, asked, law.bases, assessed=law.assessed)
        if tied is not None and said is not None:
            answers = narrowed(engine, answers, tied.links, said, today=asked.today)
        return ages.of_age(engine, answers, self.births, self.full_age)

    def of_records(self, tied: Ties, today: int) -> pa.Table:
        """What was said beside linked records, each by its source's own basis."""
        bases = bases_of_records(self.own)
        choices = self.with_rights(tied.choices)
        return said_of_records(self.plane.engine, choices, tied.links, today=today, bases=bases)


def _serving(lines: pa.Table, *, legal: LegalFacts, births: pa.Table, full_age: ages.FullAge) -> pa.Table:
    """See `Receipts.served`; a cluster does it too, so it holds nothing but what it says."""
    return ages.since_full_age(purposes.served(lines, legal), births, full_age)


def births(places: Places, keys: KeyStore) -> pa.Table:
    """Who was born when, as far as it is known: `sid`, `birth_day` (the project's day numbers, so mostly negative)."""
    return SealedTables(places.raw_batches, keys).table(places.births, otherwise=ages.NOBODY)


def ties(places: Places, keys: KeyStore, own: OwnParams = NOTHING_OWN) -> Ties | None:
    """Which records were linked to households; None: none was, or nothing was chosen beside any."""
    tables = SealedTables(places.raw_batches, keys)
    if not places.links.is_file() or not tables.collected("choices"):
        return None
    links = tables.table(places.links)
    return Ties(said_beside(tables, own), links) if links.num_rows else None


def reached(places: Places, days: DayCount) -> int:
    """The first day after the last collected month; of receipts that came in one go, after the last of them.

    Raises:
        DataError: there is no month, or one is missing in between: its baskets would be taken for silence.
    """
    months = sorted(p.stem for p in places.raw_batches(TRANSACTIONS))
    if months == [WHOLE]:
        return _after_all(places)
    if not months:
        raise DataError("No month of transactions was collected.", hint="Run `dvc repro`.")
    firsts = [date.fromisoformat(f"{m}-01") for m in months]
    for earlier, later in pairwise(firsts):
        if later != _next_month(earlier):
            raise DataError(
                f"There is no batch for {_next_month(earlier):%Y-%m}, but there is one for {later:%Y-%m}.",
                hint="List every month in `months`; a month without receipts has an empty batch.",
            )
    return days.number(_next_month(firsts[-1]))


def _after_all(places: Places) -> int:
    """The day after the newest row of the one batch.

    Raises:
        DataError: it holds none.
    """
    with told_in(places.counts(TRANSACTIONS, WHOLE)) as told:
        if told["newest_day"] is None:
            raise DataError("The receipts hold no row.", hint="See `twinops sources check`.")
        return int(told["newest_day"]) + 1


def _next_month(first: date) -> date:
    return date(first.year + first.month // 12, first.month % 12 + 1, 1)
