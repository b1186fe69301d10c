"""Which twins may serve a purpose today, and why the others are left out: the doors of one twin, for everybody."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow.compute as pc

from twinops.entities.consent import Purpose, Reason
from twinops.entities.small_cells import hidden
from twinops.twin.state.permissions import LedgerQuestion
from twinops.workflows.receipts import Receipts
from twinops.workflows.twin.open import against


@dataclass(frozen=True)
class Admitted:
    """Sids that may serve, rising; the reasons of all others as counts; who of the former may be assessed for bias."""

    sids: tuple[str, ...]
    left_out: Mapping[str, int]
    assessable: frozenset[str]

    @property
    def told(self) -> dict[str, int | None]:
        """The counts as people may see them: null where it, or another by subtraction, tells of fewer than ten."""
        return hidden(dict(sorted(self.left_out.items())))


def admitted(receipts: Receipts, purpose: str) -> Admitted:
    """Everybody of whom `twinops twin` opens one, read in the ledger as of today as it reads it."""
    filed = receipts.filed()
    # GDPR art. 17: who was erased has no key
    sids = sorted(receipts.plane.keys.subject_keys(filed))
    if not sids:
        return Admitted((), {Reason.ERASED.value: len(filed)} if filed else {}, frozenset())
    asked = receipts.answers(LedgerQuestion(tuple(sids), (), receipts.today))
    now = asked.filter(pc.equal(asked["day"], receipts.today)).sort_by([("sid", "ascending")])
    purposes = sorted(pc.unique(now["purpose"]).to_pylist())
    reasons = {p: now.filter(pc.equal(now["purpose"], p))["reason"].to_pylist() for p in purposes}
    each = list(zip(*reasons.values(), strict=True)) if purposes else [()] * len(sids)
    # the rule is asked once for each way in which somebody answered
    said = {answers: against(dict(zip(purposes, answers, strict=True)), purpose) for answers in set(each)}
    free = [sid for sid, answers in zip(sids, each, strict=True) if said[answers] is None]
    why = Counter(no.reason or "no_basis" for answers in each if (no := said[answers]) is not None)
    if len(filed) > len(sids):
        why[Reason.ERASED.value] = len(filed) - len(sids)
    open_to = reasons.get(Purpose.BIAS_ASSESSMENT.value, ["no basis"] * len(sids))
    assessable = frozenset(sid for sid, reason in zip(sids, open_to, strict=True) if reason is None)
    return Admitted(tuple(free), dict(why), assessable)


def stopped_since(receipts: Receipts, purpose: str) -> frozenset[str]:
    """Who told by command, by now, that the purpose or scoring is not allowed."""
    return receipts.stopped(purpose) | receipts.stopped(Purpose.SCORING.value)
