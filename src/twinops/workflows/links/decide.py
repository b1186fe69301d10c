"""Take down that two records are one person's, are not, or are open again: binding for the linkage from then on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from twinops.data.linkage.intake import HOME
from twinops.entities.persons import PairDecision, contradiction, decisions, folded, groups, sid_of
from twinops.entities.rights import MOST_TEXT, Right, RightsAct, RightsEntry
from twinops.errors import ParamsError
from twinops.ports import Persons
from twinops.workflows.links.pairs import Linkage, RecordPair
from twinops.workflows.subject.desk import WRONG_OFFICE, ActingOfficer, Desk

SAYS = {"join": Right.SAME, "part": Right.NOT_SAME, "reopen": Right.REOPENED}
WORDS = {"join": "are one person's", "part": "are two persons'", "reopen": "may be compared as any two"}
TWO_HOMES = (
    "That would make one person of two registrations, and each has a twin and a ledger of consent of its own. Have the "
    "shop close one of them; the linkage follows."
)
FOLLOWS = "`dvc repro` follows, without -f: commit persons.json and rights.json with it."
GRANTS = frozenset({Right.CONSENTED, Right.UNRESTRICTED})
WORD = frozenset({*GRANTS, Right.WITHDRAWN, Right.OBJECTED, Right.RESTRICTED})


@dataclass(frozen=True)
class PairAsked:
    """What is said of a pair (`join`, `part`, `reopen`), and why. `said_by`: whose words those were that both have."""

    one: str = field(repr=False)
    other: str = field(repr=False)
    says: str
    reason: str = field(repr=False)
    said_by: str = field(default="", repr=False)


@dataclass(frozen=True)
class PairTaken:
    """What became of it, in sentences. `refused`: nothing was written, and why."""

    code: str
    written: int
    sentences: tuple[str, ...] = ()
    refused: str = ""

    def text(self) -> str:
        """In words."""
        return self.refused or "\n".join(self.sentences)


def decide(asked: PairAsked, *, by: str, desk: Desk, persons: Persons) -> PairTaken:
    """Write the decision into the ledger of rights, for both records; the same twice is once.

    Parted, both persons keep every refusal that was told while they were one, and no consent, unless `said_by` says
    which of the two records' person it was who spoke.

    Raises:
        ParamsError: something is not said.
        DataError: there is no such pair.
    """
    _against_silence(asked)
    officer = desk.officer(by)
    if officer is None:
        return PairTaken("", 0, refused=WRONG_OFFICE)
    linkage, entries = Linkage(desk), desk.rights.entries()
    pair = linkage.pair(asked.one, asked.other)
    standing = decisions(entries)
    if refused := _refused(standing, pair, asked.says):
        return PairTaken(pair.code, 0, refused=refused)
    stands = next((d for d in standing if d.records == {pair.one, pair.other}), None)
    if _is_so(stands, asked.says):
        return PairTaken(pair.code, 0, (f"It stood already that the records of pair {pair.code} {WORDS[asked.says]}.",))
    acts = list(_both_ways(pair, asked, officer))
    if asked.says == "part":
        spoke = _Spoken(entries, pair, linkage.around(pair.one))
        acts += spoke.mistaken(officer, _speaker(asked, pair, linkage), persons)
    desk.rights.append(*acts)
    return PairTaken(pair.code, len(acts), (*_told(pair, asked, acts), FOLLOWS))


def _against_silence(asked: PairAsked) -> None:
    if asked.says not in SAYS:
        raise ParamsError(f"{asked.says!r:.30} is no decision about a pair.", hint=f"Choose one of {', '.join(SAYS)}.")
    if not asked.reason.strip() or len(asked.reason) > MOST_TEXT:
        raise ParamsError(
            "A decision about a person has a reason.", hint=f"Say it with --reason, in at most {MOST_TEXT:,} signs."
        )


def _refused(standing: tuple[PairDecision, ...], pair: RecordPair, says: str) -> str:
    if says == "reopen":
        return ""
    against = contradiction(standing, pair.one, pair.other, same=says == "join")
    if against is None:
        return TWO_HOMES if says == "join" and _of_two_homes(standing, pair) else ""
    said = "one person's" if against.same else "two persons'"
    code = RecordPair(against.one, against.other, {}).code
    return (
        f"{against.by} decided on {against.at.date()} that the records of pair {code} are {said}, and both cannot "
        f"hold. `twinops links reopen {code}` takes that back first."
    )


def _of_two_homes(standing: tuple[PairDecision, ...], pair: RecordPair) -> bool:
    """Whether the join would make one person of two home records, directly or by way of others."""
    whole = groups([(pair.one, pair.other), *((d.one, d.other) for d in standing if d.same)])
    return sum(top == whole[pair.one] and r.startswith(f"{HOME}:") for r, top in whole.items()) > 1


def _is_so(stands: PairDecision | None, says: str) -> bool:
    return stands is None if says == "reopen" else stands is not None and stands.same == (says == "join")


def _both_ways(pair: RecordPair, asked: PairAsked, by: ActingOfficer) -> Iterator[RightsAct]:
    """The same in the file of each: both are told what was decided of them, and why."""
    for record, other in ((pair.one, pair.other), (pair.other, pair.one)):
        about, told = {"record": record, "other": other}, {"reason": asked.reason.strip()}
        yield RightsAct(SAYS[asked.says], sid_of(record), by.office, by.person, about=about, told=told)


def _speaker(asked: PairAsked, pair: RecordPair, linkage: Linkage) -> str:
    """The record whose person spoke while both were one; empty: nobody knows.

    Raises:
        ParamsError: it is neither of the two.
    """
    if not asked.said_by.strip():
        return ""
    record = linkage.record(asked.said_by)
    if record not in (pair.one, pair.other):
        raise ParamsError("--said-by names neither of the two records.", hint="Name one of them, or none.")
    return record


@dataclass(frozen=True)
class _Spoken:
    """What was told while two persons were one: entries of one moment in the files of records of both."""

    entries: tuple[RightsEntry, ...]
    pair: RecordPair
    whole: frozenset[str]

    def mistaken(self, by: ActingOfficer, speaker: str, persons: Persons) -> Iterator[RightsAct]:
        """Which entries are nobody's word any more.

        A refusal stays with whoever may have said it; a consent holds for nobody who may not have given it (art. 7(1)).
        """
        sides = self._sides(persons)
        theirs = {sid_of(r) for r in sides[speaker]} if speaker else set()
        others = {sid_of(r) for r in sides[self._opposite(speaker)]} if speaker else set()
        for entry in self._shared():
            if entry.sid not in theirs if entry.right in GRANTS else entry.sid in others:
                about = {"entry": str(entry.seq)}
                yield RightsAct(Right.SAID_BY_ANOTHER, entry.sid, by.office, by.person, about=about)

    def _opposite(self, record: str) -> str:
        return self.pair.other if record == self.pair.one else self.pair.one

    def _shared(self) -> Iterator[RightsEntry]:
        """Entries in files of this person's records that were written for both records at once."""
        sids, both = {sid_of(r) for r in self.whole}, {sid_of(self.pair.one), sid_of(self.pair.other)}
        gone = {(e.sid, e.act.about["entry"]) for e in self.entries if e.right is Right.SAID_BY_ANOTHER}
        words = [e for e in self.entries if e.right in WORD and e.sid in sids and (e.sid, str(e.seq)) not in gone]
        moments: dict[object, set[str]] = {}
        for entry in words:
            moments.setdefault((entry.right, entry.act.purpose, entry.at), set()).add(entry.sid)
        return (e for e in words if both <= moments[e.right, e.act.purpose, e.at])

    def _sides(self, persons: Persons) -> dict[str, frozenset[str]]:
        """Of each record those that certainly go with it: said to be the same, or with it before both were one."""
        sides = {record: {record} for record in (self.pair.one, self.pair.other)}
        for decided in decisions(self.entries):
            for record in sides:
                if decided.same and record in decided.records:
                    sides[record] |= decided.records
        history = persons.history()
        for last in range(1, len(history) + 1):
            person = {r: k.person for r, k in folded(history[:last], ()).records.items() if k.here}
            mine = [person.get(record) for record in sides]
            if mine[0] != mine[1]:
                for record in sides.keys() & person.keys():
                    sides[record] |= {r for r in self.whole if person.get(r) == person[record]}
        return {record: frozenset(side) for record, side in sides.items()}


def _told(pair: RecordPair, asked: PairAsked, acts: list[RightsAct]) -> Iterator[str]:
    yield f"From now on the records of pair {pair.code} {WORDS[asked.says]}."
    mistaken = sum(a.right is Right.SAID_BY_ANOTHER for a in acts)
    if asked.says == "part" and mistaken:
        yield f"{mistaken} entries told while they were one no longer count for whoever did not say them."
    if asked.says == "part" and not asked.said_by:
        yield "What was refused while they were one is kept for both; no consent told then is kept for either."
