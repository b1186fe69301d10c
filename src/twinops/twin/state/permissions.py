"""What each household allows on each as-of day, and why the others are left out."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from twinops.data.consent import ledger as consent
from twinops.entities.consent import LegalBasis, Purpose
from twinops.plugins import text_beside
from twinops.ports import Engine


@dataclass(frozen=True)
class LedgerQuestion:
    """Whom to read the ledger for, on which as-of days, and as of which day the pipeline runs."""

    sids: tuple[str, ...]
    cutoffs: tuple[int, ...]
    today: int


def read_consent(
    engine: Engine,
    ledger: pa.Table,
    asked: LedgerQuestion,
    bases: Mapping[Purpose, LegalBasis],
    *,
    assessed: Set[Purpose] = frozenset(),
) -> pa.Table:
    """The ledger's answer for every household, purpose and day; see `consent.allowed`."""
    # today as well: what is withdrawn by now holds back rows about earlier days too (`permissions.sql`)
    days = np.array(sorted({*asked.cutoffs, asked.today}), dtype=np.int64)
    questions = pa.table(
        {"sid": pa.array(np.repeat(asked.sids, len(days)), pa.string()), "day": np.tile(days, len(asked.sids))}
    )
    return consent.allowed(engine, ledger, questions, bases=bases, assessed=assessed)


def permissions(engine: Engine, read: pa.Table, *, today: int) -> pa.Table:
    """One row per household that allows training today and day, with the four `may_*` flags."""
    engine.register("consent_read", read)
    engine.register("clock", pa.table({"today": pa.array([today], pa.int64())}))
    return engine.query(text_beside(__package__, "permissions.sql"))


def reasons(engine: Engine) -> pa.Table:
    """How many households may serve each purpose today, and how many not, by reason: `purpose, reason, households`."""
    return engine.query(text_beside(__package__, "reasons.sql"))
