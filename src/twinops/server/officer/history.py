"""The history of one version from the audit log, with accounts in place of pseudonyms as far as they are known."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from twinops.entities.approval import Act
from twinops.entities.event import Kind
from twinops.server.officer.dossier import Dossier
from twinops.server.registry import audit_log as ledger
from twinops.server.registry import records
from twinops.server.registry.store import GovernedStore
from twinops.server.registry.tables import EVENT, EVIDENCE

WINDOW = 5_000
"""How far back, in entries, the page looks for aliases and refusals; decisions and evidence are found however old."""
REFUSED = f'"kind":"{Kind.REFUSED.value}"'
WORDS = {
    "version.registered": "registered",
    "version.adopted": "adopted from a single user; roles not separated",
    "evidence.recorded": "evidence handed in",
    "review.requested": "review requested",
    "review.approved": "approved",
    "review.rejected": "rejected",
    "review.changes_asked": "changes asked",
    "review.revoked": "approval revoked",
    "gate.settled": "ruling given",
    "gate.unsettled": "ruling withdrawn",
    "alias.set": "protected alias set",
    "alias.removed": "protected alias taken down",
    "refused": "refused",
}


@dataclass(frozen=True)
class HistoryEntry:
    """One entry of the log, for people. `more` is a person's reason, or the sentence of a refusal."""

    seq: int
    at: datetime
    who: str
    what: str
    more: str


def history(store: GovernedStore, shown: Dossier) -> tuple[HistoryEntry, ...]:
    """What happened to this version, newest first."""
    case = shown.case
    with store.reading() as now:
        given = now.session.execute(select(EVIDENCE.c.seq).where(EVIDENCE.c.uid == case.uid)).scalars()
        ruled = {r.id: r.reason for r in records.rulings_of(now.session, case.uid)}
        known = [shown.recorded.seq, *(r.id for r in case.reviews), *given, *ruled]
        since = max(shown.recorded.seq, ledger.head(now.session).size - WINDOW)
        told = EVENT.c.body.contains(case.uid) | EVENT.c.body.contains(REFUSED)
        about = EVENT.c.seq.in_(known) | ((EVENT.c.seq >= since) & told)
        found = now.session.execute(select(EVENT).where(about).order_by(EVENT.c.seq.desc())).all()
        names = ledger.names(now.session)
    reasons = {**ruled, **{r.id: r.reason for r in case.reviews}}
    entries = [json.loads(row.body) for row in found]
    return tuple(_entry(e, names, reasons) for e in entries if _about(e, shown))


def _about(entry: dict[str, Any], shown: Dossier) -> bool:
    about = entry["about"]
    if entry["kind"] != "refused":
        return bool(about.get("uid") == shown.case.uid)
    return about.get("model") == shown.case.name and str(about.get("version")) == str(shown.case.version)


def _entry(entry: dict[str, Any], names: dict[str, str], reasons: dict[int, str]) -> HistoryEntry:
    about = entry["about"]
    what = WORDS.get(entry["kind"], entry["kind"])
    if entry["kind"] == "refused":
        what = f"refused: {ACTS.get(about.get('act'), about.get('act', ''))}"
    if entry["kind"] in ("gate.settled", "gate.unsettled"):
        what += f" ({about['gate']}, {about['answer']}, until {about['until']})"
    if about.get("alias"):
        what += f" ({about['alias']})"
    more = reasons.get(entry["seq"]) or str(about.get("why", "") if entry["kind"] == "refused" else "")
    who = names.get(entry["actor"], entry["actor"])
    return HistoryEntry(entry["seq"], datetime.fromisoformat(entry["at"]), who, what, more.removeprefix("twinops: "))


ACTS = {
    Act.APPROVE.value: "an approval",
    Act.REJECT.value: "a rejection",
    "promote": "setting the alias",
    "resolve": "a ruling",
    "withdraw": "withdrawing a ruling",
}
