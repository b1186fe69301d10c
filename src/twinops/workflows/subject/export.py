"""The copy of one person's data, to read and for machines (GDPR arts. 15 and 20): everything held, and made of it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

from twinops.data.reading.csv_records import is_formula
from twinops.entities.canonical import to_json
from twinops.entities.rights import BESIDE, IDENTITY, Right, RightsAct, pseudonym
from twinops.errors import DataError, ParamsError
from twinops.governance import subject_copy
from twinops.governance.assessment import questions
from twinops.governance.copy_cells import in_words
from twinops.governance.copy_words import PURPOSES
from twinops.ports import LearnedFrom
from twinops.twin.answers.portrait import Portrait
from twinops.workflows.compliance_files import text_of
from twinops.workflows.declared_use import uses_of
from twinops.workflows.places import Places
from twinops.workflows.subject.act import entries_of
from twinops.workflows.subject.copy_facts import CopyFacts, gathered
from twinops.workflows.subject.copy_page import is_said, paged
from twinops.workflows.subject.desk import WRONG_OFFICE, Desk
from twinops.workflows.subject.held_rows import SCORES, HeldRows
from twinops.workflows.twin.access import QUARANTINED, rights
from twinops.workflows.twin.open import UNKNOWN, Opener

WHICH = ("person", "record", "other")
"""What in an entry tells records apart by their ids, which may be another's."""
WORDS = {
    Right.CONSENTED: "consent", Right.WITHDRAWN: "consent taken back", Right.OBJECTED: "objection",
    Right.RESTRICTED: "restriction", Right.UNRESTRICTED: "restriction lifted", Right.CORRECTED: "correction",
    Right.HELD: "kept for legal claims", Right.RELEASED: "no longer kept for legal claims",
    Right.ERASURE_ASKED: "erasure asked for", Right.ERASED: "erasure", Right.EXPORTED: "copy of your data",
    Right.CASE: "request", Right.CONTESTED: "decision contested",
    Right.SAID_BY_ANOTHER: "said by another person, so not your word any more",
    Right.SAME: "two records decided to be yours", Right.NOT_SAME: "a record decided not to be yours",
    Right.REOPENED: "that decision taken back",
}  # fmt: skip


@dataclass(frozen=True)
class Identified:
    """Who answers, and how they made sure who asks (art. 12(6))."""

    by: str
    how: str


@dataclass(frozen=True)
class CopyMade:
    """The files of the copy, by path; `refused`: why there is none."""

    subject: str
    files: Mapping[str, bytes] = field(repr=False)
    records: int = 0
    withheld: int = 0
    refused: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Without what is in them."""
        return {**{k: v for k, v in vars(self).items() if k != "files"}, "files": sorted(self.files)}


def export(who: str, *, identified: Identified, desk: Desk, opener: Opener, learned: LearnedFrom) -> CopyMade:
    """Make the copy, and write into the ledger that it was made, for whom, and how they were identified.

    Raises:
        ParamsError: it is not said how the asker was identified.
        DataError: nobody is held by this id.
    """
    if not identified.how.strip():
        raise ParamsError(
            "Say how it was checked who asks: --identified-by, such as `passport at the counter`.",
            hint="The copy goes to nobody else (art. 12(6)).",
        )
    officer = desk.officer(identified.by)
    if officer is None:
        return CopyMade("", {}, refused=WRONG_OFFICE)
    sids = desk.people().sids(who)
    if not sids:
        raise DataError(UNKNOWN, hint="Ask by the id of the source, such as a consumer's number.")
    told = gathered(sids, opener, learned)
    files = dict(_files(told, desk))
    name = pseudonym(sids[0])
    act = RightsAct(
        Right.EXPORTED, sids[0], officer.office, officer.person, told={"identified": identified.how.strip()}
    )
    desk.rights.append(act)
    return CopyMade(name, files, sum(len(h.rows) for h in told.held), sum(h.withheld for h in (*told.held, *told.made)))


def _files(told: CopyFacts, desk: Desk) -> Iterator[tuple[str, bytes]]:
    whole = _whole(told, desk)
    yield "data.json", (to_json(told.words.told(_plain(whole)), indent=1) + "\n").encode()
    yield "your-data.html", subject_copy.page(told.words.told(paged(whole, told))).encode()
    for prefix, tables in (("", told.held), ("made_", told.made)):
        for table in tables:
            yield f"csv/{prefix}{table.name}.csv", _csv(table)


def _whole(told: CopyFacts, desk: Desk) -> dict[str, Any]:
    """All that is told, once, for the page and for machines."""
    places, receipts = desk.places, desk.receipts
    use, p = uses_of(places), told.portrait
    events = [e for e in entries_of(desk.rights.entries(), told.person.sids) if BESIDE not in e.act.about]
    return {
        "subject": pseudonym(told.person.sids[0]),
        "controller": use.controller.name,
        "contact": use.controller.contact,
        "made_on": desk.today.isoformat(),
        "as_of": receipts.as_of.isoformat(),
        "sources": [_source(h, told.unread.get(h.name)) for h in told.held],
        "made": [{"name": h.name, "words": h.words, "rows": list(h.rows)} for h in told.made],
        "expected": None if p is None or p.expected is None else asdict(p.expected),
        "average_spend": None if p is None or p.expected is None else p.average_usd,
        "reasons": [] if p is None else [asdict(r) for r in p.reasons],
        "changes": [] if p is None else list(p.changes),
        "tastes": [] if p is None else [asdict(t) for t in p.tastes],
        "segments": dict(told.segments),
        "segments_day": told.segments_day,
        "logic": Portrait.logic,
        "permissions": [] if p is None else [asdict(a) for a in p.permissions],
        "events": [_event(e, desk) for e in events],
        "decisions": [*_decisions(use, events, desk), *_picked(told.made)],
        "learned": [asdict(v) for v in told.learned],
        "recipients": list(_recipients(places)),
        "rights": [r for r in rights(places) if r != QUARANTINED],
    }


def _source(held: HeldRows, unread: str | None) -> dict[str, Any]:
    law = held.of_law
    return {
        "name": held.name, "from": law.collected_from, "purposes": {p.value: b.value for p, b in law.bases.items()},
        "kept_days": law.retention_days, "notice": law.notice, "synthetic": law.synthetic,
        "withheld": held.withheld, "not_read": unread, "rows": list(held.rows),
    }  # fmt: skip


def _event(entry: Any, desk: Desk) -> dict[str, Any]:
    # why a record is not yours may tell whose it is (art. 15(4))
    told = {} if entry.right in IDENTITY else dict(desk.rights.told(entry))
    what = WORDS[entry.right] + (f": {entry.act.purpose}" if entry.act.purpose else "")
    return {"at": entry.at.isoformat()[:16], "what": what, "by": f"{entry.act.person}, {entry.act.office}",
            "about": {k: v for k, v in entry.act.about.items() if k not in WHICH}, "told": told}  # fmt: skip


def _decisions(use: Any, events: Sequence[Any], desk: Desk) -> Iterator[str]:
    d = use.decision
    alone = "by a computer alone" if d.solely_automated == "true" else "not by a computer alone"
    if not all(map(is_said, (d.name, d.effect))):
        yield "The shop has not said yet what your forecast is used to decide: until it has, nobody may decide by it."
    else:
        yield f"What your forecast is used to decide: {d.name}. {d.effect} It is decided {alone}."
    if is_said(d.contest):
        yield f"If you do not agree with it: {d.contest}"
    for entry in events:
        if entry.right is Right.CONTESTED:
            told = desk.rights.told(entry)
            outcome = entry.act.about.get("outcome", "taken in")
            said = told.get("reason", "")
            yield f"{entry.at:%Y-%m-%d}: you contested a decision; a person answered: {outcome}. {said}"


def _picked(made: Sequence[HeldRows]) -> Iterator[str]:
    """What was decided each time, by the lists that are kept."""
    for row in (row for table in made if table.name == SCORES for row in table.rows):
        if row.get("selected") is not None:
            why = f", and not contacted: {str(row['kept_back']).replace('_', ' ')}" if row["kept_back"] else ""
            picked = "picked" if row["selected"] else "not picked"
            made_for = PURPOSES.get(row["purpose"], row["purpose"])
            yield f"On a list of {in_words(date.fromisoformat(row['as_of']))}, made {made_for}, you were {picked}{why}."


def _recipients(places: Places) -> Iterator[str]:
    path = places.compliance / "dpia.yaml"
    actors = questions.read(text_of(path)).declared.actors if path.is_file() else None
    said = None if actors is None else actors.recipients
    if said is None:
        yield "The controller has not declared who receives data; ask the contact above."
    else:
        yield f"Recipients: {'; '.join(said) or 'nobody'}."
    helpers = None if actors is None else actors.processors
    if helpers is not None:
        yield f"Who works on it for the controller: {'; '.join(helpers) or 'nobody'}."


def _plain(whole: Mapping[str, Any]) -> dict[str, Any]:
    """For machines: with what the fields mean."""
    meaning = {
        "your_record": "which of your own records in a source the row is of: 1 is the one you are known by",
        "*_cents": "money in hundredths", "*_millionths": "in millionths", "cutoff": "the day up to which was counted",
        "expected": "what is expected of the coming days; *_range holds 80 of 100 like cases",
        "factor": "times what is expected of the average; average_spend times all of them is expected.spend",
    }  # fmt: skip
    return {"format": "twinops subject copy 1", **whole, "meaning": meaning}


def _csv(held: HeldRows) -> bytes:
    """One table; a cell that a spreadsheet would run is made harmless."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(held.columns)
    for row in held.rows:
        writer.writerow([f"'{v}" if isinstance(v, str) and is_formula(v) else v for v in row.values()])
    return out.getvalue().encode("utf-8-sig")
