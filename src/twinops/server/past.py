"""The history of one version from the audit log, with accounts in place of pseudonyms as far as they are known."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, text

from twinops.entities.approval import Act
from twinops.server import ledger, records

if TYPE_CHECKING:
    from twinops.server.review import Dossier
    from twinops.server.store import GovernedStore

WINDOW = 5_000
"""How far back, in entries, the page looks for aliases and refusals; decisions and evidence are found however old."""
REFUSED = '%"kind":"refused"%'
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
class Past:
    """One entry of the log, for people. `more` is a person's reason, or the sentence of a refusal."""

    seq: int
    at: datetime
    who: str
    what: str
    more: str


def history(store: GovernedStore, shown: Dossier) -> tuple[Past, ...]:
    """What happened to this version, newest first."""
    case = shown.case
    known = [shown.recorded.seq, *(r.id for r in case.reviews)]
    with store.ManagedSessionMaker() as session:
        size = ledger.head(session).size
        given = session.execute(text("SELECT seq FROM twinops_evidence WHERE uid = :uid"), {"uid": case.uid}).scalars()
        ruled = {r.id: r.reason for r in records.rulings_of(session, case.uid)}
        start = max(shown.recorded.seq, size - WINDOW)
        found = session.execute(
            text(
                "SELECT seq, body FROM twinops_event WHERE seq IN :known"
                " OR (seq >= :start AND (body LIKE :uid OR body LIKE :refused)) ORDER BY seq DESC"
            ).bindparams(bindparam("known", expanding=True)),
            {
                "known": [*known, *given, *ruled],
                "start": start,
                "uid": f"%{case.uid}%",
                "refused": '%"kind":"refused"%',
            },
        ).all()
        names = ledger.names(session)
    reasons = {**ruled, **{r.id: r.reason for r in case.reviews}}
    entries = ((seq, json.loads(body)) for seq, body in found)
    return tuple(_past(seq, e, names, reasons) for seq, e in entries if _about(e, shown))


def _about(entry: dict[str, Any], shown: Dossier) -> bool:
    about = entry["about"]
    if entry["kind"] != "refused":
        return bool(about.get("uid") == shown.case.uid)
    return about.get("model") == shown.case.name and str(about.get("version")) == str(shown.case.version)


def _past(seq: int, entry: dict[str, Any], names: dict[str, str], reasons: dict[int, str]) -> Past:
    about = entry["about"]
    what = WORDS.get(entry["kind"], entry["kind"])
    if entry["kind"] == "refused":
        what = f"refused: {ACTS.get(about.get('act'), about.get('act', ''))}"
    if entry["kind"] in ("gate.settled", "gate.unsettled"):
        what += f" ({about['gate']}, {about['answer']}, until {about['until']})"
    if about.get("alias"):
        what += f" ({about['alias']})"
    more = reasons.get(seq) or str(about.get("why", "") if entry["kind"] == "refused" else "")
    who = names.get(entry["actor"], entry["actor"])
    return Past(seq, datetime.fromisoformat(entry["at"]), who, what, more.removeprefix("twinops: "))


ACTS = {
    Act.APPROVE.value: "an approval",
    Act.REJECT.value: "a rejection",
    "promote": "setting the alias",
    "resolve": "a ruling",
    "withdraw": "withdrawing a ruling",
}
