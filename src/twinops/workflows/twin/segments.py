"""Tell what segments of consumers are expected to do, and would be if: aggregates with noise, small cells hidden."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from twinops.data.vault.sealed_tables import SealedTables
from twinops.entities.consent import Purpose
from twinops.entities.wording import MANY
from twinops.evaluation.segments.measures import Segment, SegmentsAsked, segment
from twinops.evaluation.statistics.keyed_noise import KeyedNoise
from twinops.governance.law import contact_limits
from twinops.ports import KeyStore
from twinops.twin.answers.what_if import Action, caveat_of
from twinops.workflows.declared_words import UNDECLARED, DeclaredWords
from twinops.workflows.places import Places
from twinops.workflows.policy_file import policy_of
from twinops.workflows.receipts import Receipts
from twinops.workflows.twin.contacts import lately
from twinops.workflows.twin.open import shipped

KEY = ("segments", "noise")
"""Under which key the noise is drawn; it is kept with the keys and opens no data."""

ALLOWED_BY = {Purpose.SCORING.value: "may_score", Purpose.OFFERS.value: "may_offer"}


@dataclass(frozen=True)
class Segmented:
    """The table, or why it is refused; `day` is the as-of day, on that `date`.

    About `asked` households allow the purpose, with noise as in the cells; None: too few to tell.
    """

    by: tuple[str, ...]
    purpose: str
    day: int
    date: str | None
    horizon_days: int
    asked: int | None
    segments: tuple[Segment, ...]
    action: Action | None
    refused: tuple[str, ...]
    caveat: str | None


def segments(
    by: Sequence[str] = ("activity",),
    what_if: str | None = None,
    purpose: str = Purpose.SCORING.value,
    *,
    receipts: Receipts,
    words: DeclaredWords = UNDECLARED,
) -> Segmented:
    """Cut the newest as-of day's households that allow the purpose.

    Raises:
        DataError: there is no model, or no panel yet.
        ParamsError: nobody cuts by such a name, the action is not understood, or the policy holds mistakes.
    """
    places, keys = receipts.plane.places, receipts.plane.keys
    action = None if what_if is None else Action.parse(what_if)
    refused = _refusals(places, action, purpose, tuple(by))
    if refused:
        return Segmented(tuple(by), purpose, 0, None, 0, 0, (), action, words.told(refused), None)
    given = shipped(places)
    # about everybody and no outcome, so the final hold-out is among them
    panel = receipts.plane.tables.parted(places.both(places.panel))
    day = pc.max(panel["cutoff"]).as_py()
    # nobody is predicted who does not allow scoring, whatever the purpose of the table
    rows = panel.filter(pc.and_(pc.equal(panel["cutoff"], day), panel["may_score"]))
    # the panel is of the last run; who objected since is out from that moment
    rows = rows.filter(pc.invert(_among(rows, receipts.stopped(Purpose.SCORING.value))))
    stopped = _among(rows, receipts.stopped(purpose)).to_numpy(zero_copy_only=False)
    within = rows[ALLOWED_BY[purpose]].to_numpy(zero_copy_only=False) & ~stopped
    free = _free(rows, places, keys, day) if action is not None and action.kind == "campaign" else _everybody(rows)
    # a campaign is for whoever may still be contacted; silence and baskets reach nobody
    key = keys.batch_key(*KEY)
    found = segment(rows, given.model, given.support, SegmentsAsked(tuple(by), action, within, free, key))
    caveat = words.told(caveat_of(action)) if action is not None else None
    found = words.told(found)
    on, horizon = receipts.days.date_of(day).isoformat(), given.model.horizon_days
    asked = KeyedNoise.of(rows, key, within).count(np.flatnonzero(within), purpose)
    return Segmented(tuple(by), purpose, day, on, horizon, asked, found, action, (), caveat)


def _refusals(places: Places, action: Action | None, purpose: str, by: tuple[str, ...]) -> tuple[str, ...]:
    """What the policy says against it; without an action only the purpose and the keys are asked about."""
    if purpose not in ALLOWED_BY:
        return (_undeclared(purpose),)
    kind = "silence" if action is None else action.kind
    return contact_limits.refusals(policy_of(places).influence, contact_limits.Contact(kind, purpose, keyed_on=by))


def _undeclared(purpose: str) -> str:
    """Why no segment is made for it, and who would have to say what first."""
    made = f"Until then segments are made for {' and '.join(ALLOWED_BY)}."
    if purpose in {p.value for p in Purpose}:
        return f"{purpose!r} is declared for other work than segments. {made}"
    return (
        f"{purpose!r:.60} is not declared. The controller's data owner would have to declare it under `purposes` in "
        f"compliance/intended_use.yaml, with its legal basis and why, tell {MANY} of it in a notice, and record "
        f"their answers in the consent ledger under that name. {made}"
    )


def _among(rows: pa.Table, sids: frozenset[str]) -> pa.ChunkedArray:
    return pc.is_in(rows["sid"], pa.array(sorted(sids), pa.string()))


def _everybody(rows: pa.Table) -> np.ndarray:
    return np.ones(rows.num_rows, dtype=bool)


def _free(rows: pa.Table, places: Places, keys: KeyStore, day: int) -> np.ndarray:
    """Who has had fewer contacts than the policy allows in the window before the day."""
    limits, tables = policy_of(places).influence, SealedTables(places.raw_batches, keys)
    if limits is None or not tables.collected("campaigns"):
        return _everybody(rows)
    had = lately(tables, day=day, window_days=limits.window_days)
    return np.array([had.get(sid, 0) < limits.most_contacts for sid in rows["sid"].to_pylist()], dtype=bool)
