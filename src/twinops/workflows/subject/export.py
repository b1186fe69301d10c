"""The copy of one person's data, to read and for machines (GDPR arts. 15 and 20): everything held, and made of it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

import pyarrow.compute as pc

from twinops.data import products
from twinops.data.own_sources.mapping import stood_in
from twinops.data.reading.csv_records import is_formula
from twinops.entities.canonical import to_json
from twinops.entities.consent import Purpose
from twinops.entities.rights import IDENTITY, LearnedVersion, Right, RightsAct, pseudonym
from twinops.entities.wording import MONEY, Wording
from twinops.errors import DataError, ParamsError
from twinops.evaluation.segments.measures import cells_of_one
from twinops.governance import subject_copy
from twinops.governance.assessment import questions
from twinops.governance.copy_cells import CopyNames, in_words, shown
from twinops.governance.copy_cells import told as in_days
from twinops.governance.copy_words import PURPOSES, of_table
from twinops.governance.open_fields import MARK
from twinops.own_params import OwnParams
from twinops.ports import LearnedFrom
from twinops.twin.answers.portrait import Portrait
from twinops.twin.answers.portrait_text import BASIS
from twinops.twin.state.features import WINDOWS
from twinops.workflows.compliance_files import text_of
from twinops.workflows.declared_use import uses_of
from twinops.workflows.places import Places
from twinops.workflows.receipts import TRANSACTIONS
from twinops.workflows.subject.act import entries_of
from twinops.workflows.subject.desk import WRONG_OFFICE, Desk
from twinops.workflows.subject.held_rows import SCORES, HeldRows, OnePerson
from twinops.workflows.twin.access import QUARANTINED, rights, told_to
from twinops.workflows.twin.open import UNKNOWN, Consumer, Opener, shipped

INDEX_NOTE = "Versions that were registered before this index was kept are not in it."
SAID_ONCE = ("logic", "decisions", "recipients", "rights")
"""What the page and the file for machines say alike."""
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


@dataclass(frozen=True)
class _Told:
    """What is known of the person before it is written down."""

    person: OnePerson
    portrait: Portrait | None
    held: tuple[HeldRows, ...]
    made: tuple[HeldRows, ...]
    learned: tuple[LearnedVersion, ...]
    segments: Mapping[str, str]
    words: Wording
    names: CopyNames
    invented: Mapping[str, frozenset[str]]
    """Columns of a source in which a value stands that the shop's data do not tell."""


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
    told = _told(sids, opener, learned)
    files = dict(_files(told, desk))
    name = pseudonym(sids[0])
    act = RightsAct(
        Right.EXPORTED, sids[0], officer.office, officer.person, told={"identified": identified.how.strip()}
    )
    desk.rights.append(act)
    return CopyMade(name, files, sum(len(h.rows) for h in told.held), sum(h.withheld for h in (*told.held, *told.made)))


def _told(sids: tuple[str, ...], opener: Opener, learned: LearnedFrom) -> _Told:
    person = OnePerson(opener.receipts, sids)
    consumer = _household(sids, opener)
    shown = None if consumer is None else told_to(consumer, sids, opener=opener).portrait
    held, made = tuple(person.sources()), tuple(person.made())
    segments = {} if consumer is None else _segments(consumer, opener.places)
    words, own = opener.words.wording, opener.receipts.own
    names = _names(opener)
    invented = {h.name: _invented(h.name, own) for h in held}
    invented |= {h.name: _figures_of(invented) for h in made}
    return _Told(person, shown, held, made, learned.of(sids), segments, words, names, invented)


def _names(opener: Opener) -> CopyNames:
    """What articles, kinds of goods and money are called here."""
    goods = products.opened(opener.places.products).to_pylist()
    called = {row["product_id"]: row["product_type"] or row["product_category"] or "" for row in goods}
    kinds = opener.places.taste_categories
    categories = json.loads(kinds.read_text(encoding="utf-8")) if kinds.is_file() else ()
    return CopyNames(opener.words.wording.currency, opener.grid.horizon_days, called, categories)


def _invented(source: str, own: OwnParams) -> frozenset[str]:
    """Of all files that together make this source, what none of them tells."""
    lacking = [stood_in(own.root[name]) for name in own.all_staged_as(source)]
    columns = frozenset.intersection(*lacking) if lacking else frozenset()
    return columns | {f"{c}ount_cents" for c in columns if c.endswith("_disc")}


def _figures_of(invented: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """What was worked out of shops that nobody told."""
    told = "store_id" not in invented.get(TRANSACTIONS, ())
    return frozenset() if told else frozenset(f"stores_{w}" for w in WINDOWS)


def _household(sids: Sequence[str], opener: Opener) -> Consumer | None:
    """The one of their records that a twin may be of; None: only other sources know them."""
    for sid in sids:
        try:
            return opener.consumer(sid)
        except DataError:
            continue
    return None


def _segments(consumer: Consumer, places: Places) -> Mapping[str, str]:
    """The groups the person is counted in; nobody is predicted who does not allow it."""
    if consumer.refusal(Purpose.SCORING.value) is not None or not places.model.is_file():
        return {}
    rows = consumer.tables.parted(places.both(places.panel), otherwise=consumer.lines.slice(0, 0))
    if "cutoff" not in rows.column_names or not rows.num_rows:
        return {}
    newest = rows.filter(pc.equal(rows["cutoff"], pc.max(rows["cutoff"])))
    given = shipped(places)
    return cells_of_one(newest, given.model, given.support)


def _files(told: _Told, desk: Desk) -> Iterator[tuple[str, bytes]]:
    whole = _whole(told, desk)
    yield "data.json", (to_json(told.words.told(_plain(whole)), indent=1) + "\n").encode()
    yield "your-data.html", subject_copy.page(told.words.told(_paged(whole, told))).encode()
    for prefix, tables in (("", told.held), ("made_", told.made)):
        for table in tables:
            yield f"csv/{prefix}{table.name}.csv", _csv(table)


def _whole(told: _Told, desk: Desk) -> dict[str, Any]:
    """All that is told, once, for the page and for machines."""
    places, receipts = desk.places, desk.receipts
    use, p = uses_of(places), told.portrait
    events = entries_of(desk.rights.entries(), told.person.sids)
    return {
        "subject": pseudonym(told.person.sids[0]),
        "controller": use.controller.name,
        "contact": use.controller.contact,
        "made_on": desk.today.isoformat(),
        "as_of": receipts.as_of.isoformat(),
        "sources": [_source(h) for h in told.held],
        "made": [{"name": h.name, "words": h.words, "rows": list(h.rows)} for h in told.made],
        "expected": None if p is None or p.expected is None else asdict(p.expected),
        "reasons": [] if p is None else [asdict(r) for r in p.reasons],
        "changes": [] if p is None else list(p.changes),
        "tastes": [] if p is None else [asdict(t) for t in p.tastes],
        "segments": dict(told.segments),
        "logic": Portrait.logic,
        "permissions": [] if p is None else [asdict(a) for a in p.permissions],
        "events": [_event(e, desk) for e in events],
        "decisions": [*_decisions(use, events, desk), *_picked(told.made)],
        "learned": [asdict(v) for v in told.learned],
        "recipients": list(_recipients(places)),
        "rights": [r for r in rights(places) if r != QUARANTINED],
    }


def _source(held: HeldRows) -> dict[str, Any]:
    law = held.of_law
    return {
        "name": held.name, "from": law.collected_from, "purposes": {p.value: b.value for p, b in law.bases.items()},
        "kept_days": law.retention_days, "notice": law.notice, "synthetic": law.synthetic,
        "withheld": held.withheld, "rows": list(held.rows),
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
    if not all(map(_is_said, (d.name, d.effect))):
        yield "The shop has not said yet what your forecast is used to decide: until it has, nothing may be."
    else:
        yield f"What your forecast is used to decide: {d.name}. {d.effect} It is decided {alone}."
    if _is_said(d.contest):
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
            yield f"{row['as_of']}: you were {picked} {PURPOSES.get(row['purpose'], row['purpose'])}{why}."


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
        "factor": "times what is expected of the average",
    }  # fmt: skip
    return {"format": "twinops subject copy 1", **whole, "meaning": meaning}


def _paged(whole: Mapping[str, Any], told: _Told) -> dict[str, Any]:
    """For people."""
    allowed = [PURPOSES.get(a["purpose"], a["purpose"]) for a in whole["permissions"] if a["allowed"]]
    total = sum(len(h.rows) for h in told.held)
    return {
        **{k: whole[k] for k in SAID_ONCE},
        "title": f"Your data at {whole['controller']}" if _is_said(whole["controller"]) else "Your data",
        "contact": whole["contact"] if _is_said(whole["contact"]) else "nobody is named yet; ask in the shop",
        "made_on": _day(whole["made_on"]),
        "as_of": _day(whole["as_of"]),
        "dpo": "",
        "total": f"{total:,} record{'' if total == 1 else 's'}",
        "sources": [_shown(h, told, _about(h)) for h in told.held],
        "made": [_shown(h, told, "") for h in told.made],
        "tastes": [f"{t['category'].capitalize()}: a chance of {t['chance']:.0%}" for t in whole["tastes"]],
        "forecast": list(_forecast(told.portrait)),
        "reasons": [{**r, "factor": f"{r['factor']:.2f}"} for r in whole["reasons"]],
        "changes": whole["changes"],
        "segments": list(whole["segments"].items()),
        "allowed": allowed,
        "permissions": [
            {"purpose": PURPOSES.get(a["purpose"], a["purpose"]),
             "answer": "allowed" if a["allowed"] else f"not allowed: {str(a['reason']).replace('_', ' ')}"}
            for a in whole["permissions"]
        ],
        "events": [
            {**e, "at": f"{_day(e['at'][:10])}, {e['at'][11:]}", "told": _in_words({**e["about"], **e["told"]})}
            for e in whole["events"]
        ],
        "learned": [f"{v['model']} version {v['version']}." for v in whole["learned"]],
        "index_note": INDEX_NOTE,
        "withheld": list(_withheld(told)),
    }  # fmt: skip


def _in_words(told: Mapping[str, Any]) -> str:
    return "; ".join(f"{k}: {v}" for k, v in told.items())


def _day(text: str) -> str:
    return in_words(date.fromisoformat(text))


def _is_said(text: str) -> bool:
    return not text.startswith(MARK)


def _said(text: str) -> str:
    """What the shop says, or that it has not."""
    return text if _is_said(text) else "which nobody has said yet"


def _shown(held: HeldRows, told: _Told, about: str) -> dict[str, Any]:
    words, n = of_table(held.name), len(held.rows)
    prefix = "" if held in told.held else "made_"
    return {
        "title": in_days(words.title, told.names),
        "says": words.says,
        "count": f"{n:,} record{'' if n == 1 else 's'}",
        "about": about,
        "table": shown(held.rows, names=told.names, invented=told.invented.get(held.name, frozenset())),
        "file": f"{prefix}{held.name}.csv",
    }


def _about(held: HeldRows) -> str:
    law = held.of_law
    uses = ", ".join(f"{PURPOSES.get(p.value, p.value)} ({b.value.replace('_', ' ')})" for p, b in law.bases.items())
    kept = (
        "Nobody has said how long it is kept."
        if law.retention_days is None
        else f"Kept for {law.retention_days:,} days."
    )
    made_up = " Made up for a demonstration." if law.synthetic else ""
    return f"From {_said(law.collected_from)}. Used {uses}. {kept} Told in: {_said(law.notice)}.{made_up}"


def _forecast(p: Portrait | None) -> Iterator[str]:
    if p is None or p.expected is None:
        return
    e = p.expected
    yield f"For the next {e.horizon_days} days, {BASIS[e.basis]}:"
    if e.active_probability is not None:
        yield f"The chance that you shop at all is {e.active_probability:.0%}."
    yield f"Baskets: {e.baskets:.1f}; in 80 of 100 like cases {e.baskets_range[0]:.0f} to {e.baskets_range[1]:.0f}."
    low, high = e.spend_range
    yield f"Spend: {e.spend:,.0f} {MONEY} on average; in 80 of 100 like cases {low:,.0f} to {high:,.0f} {MONEY}."
    yield f"{p.average_usd:,.0f} {MONEY} are expected of the average; yours is that, multiplied by what stands below."


def _withheld(told: _Told) -> Iterator[str]:
    count = sum(h.withheld for h in (*told.held, *told.made))
    if count:
        yield (
            f"{count:,} cell{'' if count == 1 else 's'} may tell of another person: held back until somebody "
            "has looked (art. 15(4)). Ask the contact above."
        )
    yield QUARANTINED
    yield "The keys that your data are locked with, and all that is about others."


def _csv(held: HeldRows) -> bytes:
    """One table; a cell that a spreadsheet would run is made harmless."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(held.columns)
    for row in held.rows:
        writer.writerow([f"'{v}" if isinstance(v, str) and is_formula(v) else v for v in row.values()])
    return out.getvalue().encode("utf-8-sig")
