"""Read the consent ledger as of days: may this subject's data serve this purpose on that day, and if not, why."""

from __future__ import annotations

from collections.abc import Mapping, Set

import pyarrow as pa

from twinops.entities.consent import Event, LegalBasis, Purpose, exclusion
from twinops.plugins import text_beside
from twinops.ports import Engine

CONSENT_ONLY: Mapping[Purpose, LegalBasis] = dict.fromkeys(Purpose, LegalBasis.CONSENT)


def allowed(
    engine: Engine,
    ledger: pa.Table,
    asked: pa.Table,
    *,
    bases: Mapping[Purpose, LegalBasis] = CONSENT_ONLY,
    assessed: Set[Purpose] = frozenset(),
) -> pa.Table:
    """One row per asked (sid, day) and purpose, ordered so: `sid, day, purpose, allowed, reason` (null when allowed).

    `ledger` has `sid, purpose, event, day, seq`; an event counts from its own day on, and of one day's events the one
    with the highest `seq`. `assessed` are the purposes with a signed legitimate-interest assessment. Whoever has no
    entry is answered for all the same, and refused under consent (GDPR art. 7(1)).
    """
    engine.register("consent_ledger", ledger.select(["sid", "purpose", "event", "day", "seq"]))
    engine.register("consent_asked", asked.select(["sid", "day"]))
    # art. 7(1): the controller shows consent; no entry is an answer too, and it refuses
    engine.register("consent_answers", _answers(bases, assessed))
    return engine.query(text_beside(__package__, "consent.sql"))


def _answers(bases: Mapping[Purpose, LegalBasis], assessed: Set[Purpose]) -> pa.Table:
    """What `exclusion` says of every purpose and last event ("none": no event), so that the rule is written once."""
    rows = [
        {
            "purpose": str(purpose),
            "event": str(event or "none"),
            "reason": exclusion(event, basis, assessed=purpose in assessed),
        }
        for purpose, basis in bases.items()
        for event in (None, *Event)
    ]
    return pa.Table.from_pylist(rows, schema=pa.schema([(c, pa.string()) for c in ("purpose", "event", "reason")]))
