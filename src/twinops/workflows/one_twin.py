"""Open one twin: whose it is, what they allow today, and the state after their own baskets, nobody else's opened."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from twinops.data import ages, purposes
from twinops.data.only import Only
from twinops.data.seal import read_sealed
from twinops.entities.consent import Purpose
from twinops.errors import DataError
from twinops.params import AgesParams
from twinops.ports import Engine, KeyStore
from twinops.twin import stored, support
from twinops.twin.examples import with_text_sid
from twinops.twin.living import Basket, StreamingState, replay
from twinops.twin.merged import narrowed, said_of_records
from twinops.twin.model import TwinModel
from twinops.twin.permissions import LedgerQuestion, read_consent
from twinops.workflows.features import Standing
from twinops.workflows.places import Places

SERVES = (Purpose.SCORING, Purpose.OFFERS)
"""What a single twin may be opened for; the other purposes need no one's portrait."""

SID = re.compile(r"[0-9a-f]{32}")
UNKNOWN = "No such consumer is held."


@dataclass(frozen=True)
class Opened:
    """One consumer's living state as of `day`, the answers of the ledger by purpose (None: allowed), and the links.

    `lines` are the receipt lines before that day, `keys` opens this consumer's frames and no others.
    """

    sid: str
    day: int
    state: StreamingState
    answers: Mapping[str, str | None]
    links: pa.Table
    lines: pa.Table
    keys: KeyStore

    def refusal(self, purpose: str) -> str | None:
        """Why the twin may not be used for this purpose today, as a sentence; None: it may."""
        declared = [p.value for p in SERVES]
        if purpose not in declared:
            return f"{purpose!r:.60} is no purpose a twin is opened for; declared are {', '.join(declared)}."
        # every use of a twin is a prediction, so scoring must be allowed as well
        for needed in dict.fromkeys((purpose, Purpose.SCORING.value)):
            reason = self.answers.get(needed, "consent_unknown")
            if reason is not None:
                return f"The consumer does not allow {needed} today: {reason.replace('_', ' ')}."
        return None


@dataclass(frozen=True)
class Known:
    """What is needed beside the consumer's own: the shipped model, and where the data can answer."""

    model: TwinModel
    support: support.Support | None


def known(places: Places) -> Known:
    """The shipped model, and the support if it was measured.

    Raises:
        DataError: nothing was trained yet.
    """
    there = places.support.is_file()
    return Known(shipped(places), support.from_text(places.support.read_text(encoding="utf-8")) if there else None)


def shipped(places: Places) -> TwinModel:
    """The model that ships.

    Raises:
        DataError: nothing was trained yet.
    """
    if not places.model.is_file():
        raise DataError("There is no model yet.", hint="Run `make run`, or `dvc repro`.")
    return stored.from_text(places.model.read_text(encoding="utf-8"))


def candidates(who: str, keys: KeyStore) -> list[str]:
    """The sids this id may mean: of the natural id, and itself where it has the shape of one. It is never repeated."""
    asked = [keys.known_sid(who), who if SID.fullmatch(who) else None]
    return list(keys.subject_keys([sid for sid in asked if sid is not None]))


def open_twin(  # noqa: PLR0913  the ports
    who: str,
    *,
    places: Places,
    engine: Engine,
    keys: KeyStore,
    rule: AgesParams,
    day: int,
    decay_days: tuple[int, int, int],
    law: Standing,
) -> Opened:
    """The twin of one consumer as of the day; baskets of that day and later do not enter.

    Raises:
        DataError: nobody is known by this id, or nothing is held.
    """
    meant = Only(keys, frozenset(candidates(who, keys)))
    lines, ledger = (_opened(source, places.raw_batches(source), meant) for source in (HOME_SOURCE, "consent"))
    held = [t["sid"][0].as_py() for t in (lines, ledger) if t.num_rows]
    if not held:
        raise DataError(UNKNOWN, hint="Ask by the id of the source, such as a household's number.")
    sid = held[0]
    lines, ledger = (t.filter(pc.equal(t["sid"], sid)) for t in (lines, ledger))  # an id may mean two; never mix them
    mine = Only(keys, frozenset({sid}))
    born = _opened("births", [places.births], mine) if places.births.is_file() else ages.NOBODY
    links = _opened("links", [places.links], mine) if places.links.is_file() else NO_LINKS
    answers = _answers(places, engine, keys, (sid, day, ledger, born, links, rule), law)
    allowed = dict(zip(answers["purpose"].to_pylist(), answers["reason"].to_pylist(), strict=True))
    adult = ages.since_full_age(purposes.served(lines, law.legal), born, rule)
    before = adult.filter(pc.less(adult["day"], day))
    return Opened(sid, day, _living(engine, before, decay_days), allowed, links, before, mine)


NO_LINKS = pa.table({c: pa.array([], pa.string()) for c in ("sid", "source", "record")})


def _living(engine: Engine, lines: pa.Table, decay_days: tuple[int, int, int]) -> StreamingState:
    """Take in the baskets one by one, as they would have come; a till's number on two days is two visits."""
    engine.register("one_twin_lines", lines)
    baskets = engine.query(_BASKETS)
    events = zip(*(baskets[c].to_pylist() for c in Basket._fields), strict=True)
    return replay((Basket(*e) for e in events), decay_days=decay_days)


_BASKETS = """
SELECT ROW_NUMBER() OVER (ORDER BY day, basket_id) AS basket_id, day, CAST(SUM(sales_cents) AS BIGINT) AS cents
FROM one_twin_lines GROUP BY basket_id, day ORDER BY day, basket_id
"""


def _answers(
    places: Places,
    engine: Engine,
    keys: KeyStore,
    of: tuple[str, int, pa.Table, pa.Table, pa.Table, AgesParams],
    law: Standing,
) -> pa.Table:
    """The ledger today, narrowed to the strictest of all linked records, minors out: as `features` reads it for all."""
    sid, day, ledger, born, links, rule = of
    answers = read_consent(engine, ledger, LedgerQuestion((sid,), (), day), law.bases, assessed=law.assessed)
    batches = places.raw_batches("choices")
    if links.num_rows and batches:
        records = Only(keys, frozenset(links["record"].to_pylist()))
        said = said_of_records(engine, _opened("choices", batches, records), links, today=day)
        answers = narrowed(engine, answers, links, said, today=day)
    return ages.of_age(engine, answers, born, rule)


HOME_SOURCE = "transactions"


def _opened(dataset: str, paths: list[Path], keys: KeyStore) -> pa.Table:
    return with_text_sid(read_sealed(paths, dataset=dataset, keys=keys))
