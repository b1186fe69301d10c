"""Open one twin: whose it is, what they allow today, and the state after their own baskets, nobody else's opened."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import pyarrow as pa
import pyarrow.compute as pc

from twinops.data.consent import ages, purposes
from twinops.data.own_sources.customer_number import as_filed
from twinops.data.vault.sealed_tables import SealedTables
from twinops.entities.consent import TWIN_SERVES, Purpose
from twinops.errors import DataError
from twinops.own_params import OwnParams
from twinops.params import FeaturesParams
from twinops.ports import Engine, KeyStore
from twinops.twin.answers.forecast import Forecasts, forecasts
from twinops.twin.answers.opening import Opening
from twinops.twin.model import model_file as stored
from twinops.twin.model.model import TwinModel
from twinops.twin.own_features._shelf import own_features
from twinops.twin.own_features.computed import of_one
from twinops.twin.state.linked_permissions import narrowed
from twinops.twin.state.permissions import LedgerQuestion, read_consent
from twinops.twin.state.streaming import Basket, StreamingState, replay
from twinops.twin.support import support
from twinops.twin.support.support import Support
from twinops.workflows.beside_records import said_beside
from twinops.workflows.declared_words import UNDECLARED, DeclaredWords
from twinops.workflows.places import Places
from twinops.workflows.receipts import TRANSACTIONS, Receipts, Ties

SERVES = TWIN_SERVES

SID = re.compile(r"[0-9a-f]{32}")
UNKNOWN = "No such consumer is held."


@dataclass(frozen=True)
class Consumer:
    """One consumer's streaming state as of `day`, the ledger's answers by purpose (None: allowed), and the links.

    `lines` are the receipt lines before that day, `tables` opens this consumer's frames and no others.
    """

    sid: str
    day: int
    state: StreamingState
    answers: Mapping[str, str | None]
    links: pa.Table
    lines: pa.Table
    tables: SealedTables
    own: Mapping[str, float] = field(default_factory=dict)
    """The project's own features, by column."""
    unserved: Mapping[str, str] = field(default_factory=dict)
    """Why a purpose without an answer serves nobody."""

    def refusal(self, purpose: str) -> str | None:
        """Why the twin may not be used for this purpose today, as a sentence; None: it may."""
        found = against(self.answers, purpose, self.unserved)
        return None if found is None else found.sentence


@dataclass(frozen=True)
class Against:
    """Why a twin may not be used: the ledger's reason, None where no basis or no such purpose is declared."""

    reason: str | None
    sentence: str


def against(
    answers: Mapping[str, str | None], purpose: str, unserved: Mapping[str, str] = MappingProxyType({})
) -> Against | None:
    """What the ledger's answers by purpose say against using a twin for this one; None: it may be used.

    `unserved` says why a purpose without an answer serves nobody, where that is known.
    """
    declared = [p.value for p in SERVES]
    if purpose not in declared:
        sentence = f"{purpose!r:.60} is no purpose a twin is opened for; declared are {', '.join(declared)}."
        return Against(None, sentence)
    # every use of a twin is a prediction, so scoring must be allowed as well
    for needed in dict.fromkeys((purpose, Purpose.SCORING.value)):
        if needed not in answers:
            return Against(None, unserved.get(needed, f"No basis is declared for {needed}, so it serves nobody."))
        reason = answers[needed]
        if reason is not None:
            return Against(reason, f"The consumer does not allow {needed} today: {reason.replace('_', ' ')}.")
    return None


@dataclass(frozen=True)
class Shipped:
    """What answers for every twin: the model, and where the data can answer (None: not measured)."""

    model: TwinModel
    support: Support | None

    def twin(self, consumer: Consumer) -> Opening:
        """The consumer's twin."""
        return Opening(self.model, self.support, consumer.state, consumer.day, consumer.own)

    def forecasts(self, states: pa.Table) -> Forecasts:
        """What is expected of each row of states, as of one twin."""
        return forecasts(states, model=self.model, support=self.support)


@dataclass(frozen=True)
class Opened:
    """A consumer and their twin."""

    consumer: Consumer
    twin: Opening


@dataclass(frozen=True)
class Opener:
    """Opens one twin at a time, as of one day, by what is declared and allowed on it."""

    receipts: Receipts
    grid: FeaturesParams
    words: DeclaredWords = UNDECLARED

    @property
    def places(self) -> Places:
        """Where everything lies."""
        return self.receipts.plane.places

    def open(self, who: str) -> Opened:
        """The consumer known by this id, with their twin.

        Raises:
            DataError: nothing was trained yet, nobody is known by this id, or nothing is held.
        """
        given = shipped(self.places)
        consumer = self.consumer(who)
        return Opened(consumer, given.twin(consumer))

    def consumer(self, who: str) -> Consumer:
        """One consumer as of the day; baskets of that day and later do not enter.

        Raises:
            DataError: nobody is known by this id, or nothing is held.
        """
        filed, day = self._filed(who), self.receipts.today
        # GDPR art. 5(1)(b): columns not declared for a twin are emptied; what was bought before full age makes no state
        served = purposes.served(filed.lines, self.receipts.standing.legal)
        grown = ages.since_full_age(served, filed.born, self.receipts.full_age)
        before = grown.filter(pc.less(grown["day"], day))
        state = _replayed(self.receipts.plane.engine, before, self.grid.decay_days)
        own = of_one(before, day, own_features(), self.receipts.plane.engine)
        answers = self._answers(filed)
        unserved = {p.value: self.receipts.unserved(p) for p in SERVES if p not in answers}
        return Consumer(filed.sid, day, state, answers, filed.links, before, filed.tables, own, unserved)

    def _filed(self, who: str) -> _Filed:
        """The consumer's tables. An id may mean two, a natural id and a sid: they are never mixed."""
        plane = self.receipts.plane
        meant = plane.tables.of(candidates(who, plane.keys, self.receipts.own))
        lines, ledger = meant.source(TRANSACTIONS), meant.source("consent")
        held = [t["sid"][0].as_py() for t in (lines, ledger) if t.num_rows]
        if not held:
            raise DataError(UNKNOWN, hint="Ask by the id of the source, such as a consumer's number.")
        mine = plane.tables.of(held[:1])
        lines, ledger = (t.filter(pc.equal(t["sid"], held[0])) for t in (lines, ledger))
        born = mine.table(plane.places.births, otherwise=ages.NOBODY)
        links = mine.table(plane.places.links, otherwise=NO_LINKS)
        return _Filed(held[0], lines, ledger, born, links, mine)

    def _answers(self, filed: _Filed) -> dict[str, str | None]:
        """The ledger today, narrowed to the strictest of all linked records, minors out: as `features` reads it."""
        engine, tables = self.receipts.plane.engine, self.receipts.plane.tables
        law, day = self.receipts.standing, self.receipts.today
        asked = LedgerQuestion((filed.sid,), (), day)
        answers = read_consent(engine, self.receipts.with_rights(filed.ledger), asked, law.bases, assessed=law.assessed)
        if filed.links.num_rows and tables.collected("choices"):
            # the strictest of what was said beside any linked record counts
            beside = said_beside(tables.of(filed.links["record"].to_pylist()), self.receipts.own)
            said = self.receipts.of_records(Ties(beside, filed.links), day)
            answers = narrowed(engine, answers, filed.links, said, today=day)
        told = ages.of_age(engine, answers, filed.born, self.receipts.full_age)
        return dict(zip(told["purpose"].to_pylist(), told["reason"].to_pylist(), strict=True))


@dataclass(frozen=True)
class _Filed:
    """The tables that are filed by one consumer, and the reader that opens theirs alone."""

    sid: str
    lines: pa.Table
    ledger: pa.Table
    born: pa.Table
    links: pa.Table
    tables: SealedTables


def shipped(places: Places) -> Shipped:
    """The shipped model, and the support if it was measured.

    Raises:
        DataError: nothing was trained yet.
    """
    model, path = shipped_model(places), places.support
    return Shipped(model, support.from_text(path.read_text(encoding="utf-8")) if path.is_file() else None)


def shipped_model(places: Places) -> TwinModel:
    """The model that ships.

    Raises:
        DataError: nothing was trained yet.
    """
    if not places.model.is_file():
        raise DataError("There is no model yet.", hint="Run `make run`, or `dvc repro`.")
    return stored.from_text(places.model.read_text(encoding="utf-8"))


def candidates(who: str, keys: KeyStore, own: OwnParams) -> list[str]:
    """The sids this id may mean: of the natural id, as it is written or in the form that the shop's files have it, and
    itself where it has the shape of one. It is never repeated.
    """
    asked = [*map(keys.known_sid, as_filed(who, own)), who if SID.fullmatch(who) else None]
    return list(keys.subject_keys([sid for sid in asked if sid is not None]))


NO_LINKS = pa.table({c: pa.array([], pa.string()) for c in ("sid", "source", "record")})


def _replayed(engine: Engine, lines: pa.Table, decay_days: tuple[int, int, int]) -> StreamingState:
    """Take in the baskets one by one, as they would have come; a till's number on two days is two visits."""
    engine.register("one_twin_lines", lines)
    baskets = engine.query(_BASKETS)
    events = zip(*(baskets[c].to_pylist() for c in Basket._fields), strict=True)
    return replay((Basket(*e) for e in events), decay_days=decay_days)


_BASKETS = """
SELECT ROW_NUMBER() OVER (ORDER BY day, basket_id) AS basket_id, day, CAST(SUM(sales_cents) AS BIGINT) AS cents
FROM one_twin_lines GROUP BY basket_id, day ORDER BY day, basket_id
"""
