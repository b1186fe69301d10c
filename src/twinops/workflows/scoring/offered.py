"""Apply the declared decision to scored twins, and keep back whom the policy's limits of contact protect."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from twinops.data.vault.sealed_tables import SealedTables
from twinops.entities.small_cells import hidden, shown
from twinops.evaluation.fairness.decision import Candidates
from twinops.evaluation.fairness.declaration import spoken
from twinops.governance.law.contact_limits import Contact, ContactLimits, kept_back, refusals
from twinops.governance.open_fields import is_said
from twinops.governance.policy.limits import Policy
from twinops.twin.model.predictions import Predictions
from twinops.workflows.places import Places
from twinops.workflows.policy_file import policy_of
from twinops.workflows.receipts import Receipts
from twinops.workflows.replayed_decision import decision_of, replayed
from twinops.workflows.twin.contacts import complaining, lately

CAMPAIGN = "campaign"
UNNAMED = "the decision, which nobody has named yet"


@dataclass(frozen=True)
class Offered:
    """Who is selected, and of those who is kept back and why (null: contacted). One element a candidate."""

    selected: np.ndarray
    kept_back: np.ndarray
    told: "DecisionTold"


@dataclass(frozen=True)
class DecisionTold:
    """The decision in words and counts; a count of fewer than ten is null."""

    name: str
    by: str
    share: float
    asked: int | None
    selected: int | None
    contacted: int | None
    kept_back: Mapping[str, int | None]


def against_contact(policy: Policy, purpose: str) -> tuple[str, ...]:
    """What the policy says against contacting anybody for this purpose."""
    return refusals(policy.influence, Contact(CAMPAIGN, purpose))


def candidates(sids: list[str], said: Predictions, day: int, assessable: frozenset[str]) -> Candidates:
    """Who may be chosen on the day, scored as the judged decision was: by what the model says."""
    n = len(sids)
    rows = {
        "sid": pa.array(sids, pa.string()),
        "active_probability": said.active_probability,
        "expected_baskets": said.baskets,
        "expected_spend": said.spend,
        "spend_cents": np.zeros(n, dtype=np.int64),  # nobody knows yet
        "may_assess_bias": np.array([sid in assessable for sid in sids], dtype=bool),
    }
    return Candidates(pa.table(rows), day)


def offered(receipts: Receipts, among: Candidates, purpose: str) -> Offered:
    """Select as declared; nobody moves up into the place of one who is kept back: that was never judged.

    Raises:
        ParamsError: the declaration or the policy holds mistakes.
    """
    places, tables = receipts.plane.places, receipts.plane.tables
    decision, limits = decision_of(places), policy_of(places).influence
    selected = replayed(places, among, tables).offered
    chosen = among.sids[selected].tolist()
    kept = {} if limits is None else _kept_back(chosen, tables.of(chosen), places, Asked(limits, purpose, among.day))
    why = np.array([kept.get(sid) for sid in among.sids.tolist()], dtype=object)
    asked, many = shown(len(selected)), shown(len(chosen))
    # with fewer than ten kept back, who is contacted would tell how many
    contacted = None if shown(len(kept)) is None else shown(len(chosen) - len(kept))
    counts = hidden(dict(Counter(kept.values())))
    named = decision.name if is_said(decision.name) else UNNAMED
    told = DecisionTold(named, spoken(decision), decision.share, asked, many, contacted, counts)
    return Offered(selected, why, told)


@dataclass(frozen=True)
class Asked:
    """By which limits, for which purpose and on which day contacts are asked about."""

    limits: ContactLimits
    purpose: str
    day: int


def _kept_back(chosen: list[str], tables: SealedTables, places: Places, asked: Asked) -> dict[str, str]:
    """Of those who were selected, why the policy lets nobody contact them now."""
    had, left_alone = lately(tables, day=asked.day, window_days=asked.limits.window_days), complaining(tables, places)
    found = {}
    for sid in chosen:
        # minors are no candidates: the ledger's answers refuse every purpose for them
        signs = frozenset({"open_complaint"} if sid in left_alone else ())
        found[sid] = kept_back(asked.limits, Contact(CAMPAIGN, asked.purpose, had.get(sid, 0), signs))
    return {sid: why for sid, why in found.items() if why is not None}
