"""Take down what consumers decide about their data, one or a file of them: all of it, or nothing where one is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import Any

import pyarrow as pa

from twinops import plugins
from twinops.data.consent.rights import Standing, under_hold
from twinops.data.own_sources.law import SOURCES
from twinops.data.vault.sealed_file import subjects_in
from twinops.entities.consent import Purpose
from twinops.entities.rights import GOVERNING, MOST_TEXT, Right, RightsAct, RightsEntry, pseudonym
from twinops.errors import DataError, ParamsError
from twinops.governance.subject_cases import RESTRICTS
from twinops.workflows.intake import SUBJECT
from twinops.workflows.subject.desk import WRONG_OFFICE, ActingOfficer, Desk, Whoever
from twinops.workflows.twin.open import UNKNOWN

NOT_A_CHILD = "is under age: a child's consent to be profiled for marketing is not relied on (GDPR art. 8, rec. 71)"
FOLLOWS = (
    "`twin` and `segments` follow at once; `dvc repro` follows in training, scoring and offers, without -f: commit "
    "rights.json and corrections.json with it."
)


@dataclass(frozen=True)
class RightsAsked:
    """What one consumer asks, as it was typed. `row` is its place in a file, 0 where there is none.

    `purpose` is asked of consent, withdrawal and objection; `notice`, `proof` and `given` (the moment) of consent;
    `ground` of restriction; `source`, `column` and `value` of a correction.
    """

    who: str = field(repr=False)
    act: str
    purpose: str = ""
    reason: str = field(default="", repr=False)
    notice: str = ""
    proof: str = field(default="", repr=False)
    given: str = ""
    ground: str = ""
    source: str = ""
    column: str = ""
    value: str = field(default="", repr=False)
    row: int = 0

    def texts(self) -> Iterator[str]:
        """All that was typed."""
        return (value for value in vars(self).values() if isinstance(value, str))


@dataclass(frozen=True)
class RightsTaken:
    """What became of it: consumers by pseudonym, and sentences. `refused`: nothing was written, and why."""

    written: int
    already: int
    subjects: tuple[str, ...]
    sentences: tuple[str, ...]
    refused: tuple[str, ...] = ()

    def text(self) -> str:
        """In words."""
        return "\n".join(self.refused or self.sentences)


@dataclass(frozen=True)
class _Settled:
    """One request judged: acts to write, or why not; a mistake is no refusal."""

    acts: tuple[RightsAct, ...] = ()
    sentence: str = ""
    refused: str = ""
    mistake: str = ""
    subject: str = ""


@dataclass(frozen=True)
class _Case:
    """One request with whom it means."""

    asked: RightsAsked
    sids: tuple[str, ...]
    by: ActingOfficer
    desk: Desk
    standing: Mapping[str, Standing]
    held: frozenset[str]

    def act(self, right: Right, sid: str, **more: Any) -> RightsAct:
        """An act of this request, with the reason."""
        told = {"reason": self.asked.reason.strip()} if self.asked.reason.strip() else {}
        group = {"person": pseudonym(self.sids[0])} if len(self.sids) > 1 else {}
        more = {**more, "about": {**group, **more.get("about", {})}, "told": {**told, **more.get("told", {})}}
        return RightsAct(right, sid, self.by.office, self.by.person, **more)

    def stands(self, sid: str) -> Standing:
        """What stands by command of one record."""
        return self.standing.get(sid, Standing({}))


def act(asked: Sequence[RightsAsked], *, by: str, desk: Desk) -> RightsTaken:
    """Write every request into the ledger of rights, for all records of each consumer; the same twice is once.

    Raises:
        ParamsError: something is not said, or nobody was named who takes it down.
        DataError: requests that cannot be taken; all mistakes at once, and nothing was written.
    """
    officer = desk.officer(by)
    if officer is None:
        return RightsTaken(0, 0, (), (), (WRONG_OFFICE,))
    people, said, held = desk.people(), dict(desk.standing()), under_hold(desk.rights.entries())
    settled = []
    for one in asked:
        case = _Case(one, _sids(people, one), officer, desk, said, held)
        settled.append((one, _settled(case)))
    settled = list(_without_contradiction(settled))
    _against_mistakes(settled)
    refused = tuple(_at(one) + s.refused for one, s in settled if s.refused)
    if refused:
        return RightsTaken(0, 0, (), (), refused)
    acts = _once([a for _, s in settled for a in s.acts])
    if acts:
        desk.rights.append(*acts)
    already = sum(not s.acts for _, s in settled)
    sentences = tuple(_at(one) + s.sentence for one, s in settled)
    subjects = tuple(dict.fromkeys(s.subject for _, s in settled))
    return RightsTaken(len(acts), already, subjects, (*sentences, *((FOLLOWS,) if acts else ())))


def _sids(people: Whoever, one: RightsAsked) -> tuple[str, ...]:
    return people.sids(one.who) if one.who.strip() else ()


def _settled(case: _Case) -> _Settled:
    """Judge one request; whatever is wrong with it is told without repeating it."""
    one = case.asked
    if one.act not in ACTS:
        return _Settled(mistake=f"{one.act!r:.30} is no request; there are {', '.join(ACTS)}")
    if any(len(text) > MOST_TEXT for text in one.texts()):
        return _Settled(mistake=f"a text is longer than {MOST_TEXT:,} signs")
    if not case.sids:
        return _Settled(mistake=UNKNOWN.rstrip("."))
    return ACTS[one.act](case)


def _consent(case: _Case) -> _Settled:
    one, sid = case.asked, case.sids[0]
    if wrong := _against_purpose(one.purpose):
        return _Settled(mistake=wrong)
    if not (one.notice.strip() and one.proof.strip()):
        return _Settled(mistake="consent is shown by the notice it was given on and a proof (art. 7(1)): name both")
    moment = _moment(one.given, case.desk)
    if moment is None:
        return _Settled(mistake="`given` is the moment it was given, as 2026-11-28T09:30, and not ahead")
    if case.desk.under_age(case.sids):
        return _Settled(refused=f"The consumer {NOT_A_CHILD}.")
    before = case.stands(sid)
    words = (case.stands(s).words.get(one.purpose) for s in case.sids)
    if any(w is not None and w.right in (Right.OBJECTED, Right.WITHDRAWN) and moment <= w.at for w in words):
        # art. 21(3): a yes from before the objection is no yes after it
        return _Settled(
            refused=f"The consumer told no to {one.purpose} after that: a consent from before lifts nothing."
        )
    told = {"notice": one.notice.strip(), "proof": one.proof.strip(), "given": moment.isoformat()}
    acts = [
        case.act(Right.CONSENTED, s, purpose=one.purpose, told=told)
        for s in case.sids
        if (w := case.stands(s).words.get(one.purpose)) is None or w.right is not Right.CONSENTED
    ]
    still = " Processing stays restricted until that is lifted." if before.restricted else ""
    still += " A request about it is open and holds it up until it is decided." if before.waits(one.purpose) else ""
    return _told(case, acts, f"consents to {one.purpose}", f"had consented to {one.purpose}", still)


def _refusal(case: _Case, right: Right, words: tuple[str, str]) -> _Settled:
    one = case.asked
    if wrong := _against_purpose(one.purpose):
        return _Settled(mistake=wrong)
    acts = [
        case.act(right, s, purpose=one.purpose)
        for s in case.sids
        if (w := case.stands(s).words.get(one.purpose)) is None or w.right is not right
    ]
    absolute = " It is absolute: no interest outweighs it (art. 21(3))."
    more = absolute if right is Right.OBJECTED and one.purpose == Purpose.OFFERS.value else ""
    return _told(case, acts, f"{words[0]} {one.purpose}", f"{words[1]} {one.purpose}", more)


def _withdraw(case: _Case) -> _Settled:
    return _refusal(case, Right.WITHDRAWN, ("withdraws consent to", "had withdrawn consent to"))


def _object(case: _Case) -> _Settled:
    return _refusal(case, Right.OBJECTED, ("objects to", "had objected to"))


def _restrict(case: _Case) -> _Settled:
    ground = case.asked.ground.strip()
    if ground not in RESTRICTS:
        return _Settled(mistake=f"restriction has a ground of art. 18(1): one of {', '.join(RESTRICTS)}")
    acts = [
        case.act(Right.RESTRICTED, s, about={"ground": f"18(1)({ground})"})
        for s in case.sids
        if case.stands(s).restricted is None
    ]
    return _told(case, acts, "has all use but storage restricted", "had all use but storage restricted")


def _lift(case: _Case) -> _Settled:
    acts = [case.act(Right.UNRESTRICTED, s) for s in case.sids if case.stands(s).restricted is not None]
    told = " Art. 18(3): they are told before this is used again."
    return _told(case, acts, "has the restriction lifted", "has no restriction to lift", told)


HOLDS = tuple(f"17(3)({letter})" for letter in "abcde")


def _hold(case: _Case) -> _Settled:
    ground = case.asked.ground.strip()
    if ground not in HOLDS:
        return _Settled(mistake=f"a hold has a ground of art. 17(3): one of {', '.join(HOLDS)}")
    acts = [case.act(Right.HELD, s, about={"ground": ground}) for s in case.sids if s not in case.held]
    return _told(case, acts, "is under hold: nothing of theirs is erased", "was under hold")


def _release(case: _Case) -> _Settled:
    acts = [case.act(Right.RELEASED, s) for s in case.sids if s in case.held]
    return _told(case, acts, "is no longer under hold", "is under no hold")


def _correct(case: _Case) -> _Settled:
    one = case.asked
    if one.source not in plugins.names(SOURCES):
        return _Settled(mistake=f"{one.source!r:.40} is no source")
    if one.source in ("consent", "choices"):
        return _Settled(mistake="what was allowed is put right with `consent`, `withdraw` or `object`")
    if wrong := _against_value(one):
        return _Settled(mistake=wrong)
    here = subjects_in(case.desk.places.raw_batches(one.source))
    theirs = [s for s in case.sids if s in here]
    if len(theirs) != 1:
        what = "holds nothing of this consumer" if not theirs else "holds several records of theirs: name one by its id"
        return _Settled(mistake=f"{one.source} {what}")
    before = case.desk.receipts.plane.tables.one(theirs[0], one.source)[one.column].to_pylist()[0]
    value = one.value.strip()
    about = {"source": one.source, "field": one.column}
    acts = [] if before is not None and str(before) == value else [
        case.act(Right.CORRECTED, theirs[0], about=about, told={"value": value, "before": str(before)})
    ]  # fmt: skip
    return _told(
        case, acts, f"has {one.column} of {one.source} put right", f"has that {one.column} in {one.source} already"
    )


def _against_value(one: RightsAsked) -> str:
    """Why a value cannot stand in a source's field; nothing where it can."""
    module = plugins.load(SOURCES, one.source)
    subject = getattr(module, "SUBJECT", SUBJECT)
    columns = {c.name: c for c in module.SCHEMA.columns if c.name not in (subject, module.DAY)}
    if module.SCHEMA.key != (subject,):
        return f"{one.source} holds events, not a profile: an event that is wrong is corrected where it was recorded"
    if one.column not in columns:
        return f"{one.column!r:.40} is no field of {one.source}; there are {', '.join(columns)}"
    value, column = one.value.strip(), columns[one.column]
    try:
        typed = pa.chunked_array([pa.array([value], pa.string()).cast(_TYPES[column.kind])])
        fits = bool(value) and value.isprintable() and column.holds(typed)
        if fits and one.column == "born":
            date.fromisoformat(value)
    except (ValueError, pa.ArrowException):
        fits = False
    allowed = f": one of {', '.join(column.allowed)}" if column.allowed else ""
    return "" if fits else f"{one.column} of {one.source} cannot hold that value{allowed}"


_TYPES: Mapping[str, pa.DataType] = MappingProxyType({"whole": pa.int64(), "text": pa.string(), "number": pa.float64()})


def _told(case: _Case, acts: Sequence[RightsAct], done: str, already: str, more: str = "") -> _Settled:
    name = pseudonym(case.sids[0])
    records = f" ({len(case.sids)} records)" if len(case.sids) > 1 else ""
    sentence = f"{name}{records} {done}.{more}" if acts else f"{name} {already}; nothing was written twice."
    return _Settled(tuple(acts), sentence, subject=name)


def _against_purpose(purpose: str) -> str:
    declared = [p.value for p in Purpose]
    return "" if purpose in declared else f"{purpose!r:.40} is no declared purpose; there are {', '.join(declared)}"


def _moment(given: str, desk: Desk) -> datetime | None:
    """When it was given, in UTC unless said; now where nothing is. None: not readable, or ahead."""
    try:
        said = datetime.fromisoformat(given.strip()) if given.strip() else desk.rights.now()
    except ValueError:
        return None
    said = said if said.tzinfo is not None else said.replace(tzinfo=UTC)
    return said if said <= desk.rights.now() else None


def _without_contradiction(settled: Sequence[tuple[RightsAsked, _Settled]]) -> Iterator[tuple[RightsAsked, _Settled]]:
    """Yes and no of one consumer to one purpose in one file: nobody knows which came last."""
    said: dict[tuple[str, str | None], tuple[Right, int]] = {}
    for one, found in settled:
        wrong = ""
        for a in found.acts:
            right, row = said.setdefault((a.sid, a.purpose), (a.right, one.row))
            opposed = right is not a.right and (right in GOVERNING) == (a.right in GOVERNING)
            wrong = f"says otherwise than line {row} of the same consumer" if opposed else wrong
        yield one, (_Settled(mistake=wrong) if wrong else found)


def _against_mistakes(settled: Sequence[tuple[RightsAsked, _Settled]]) -> None:
    wrong = [_at(one) + s.mistake for one, s in settled if s.mistake]
    if not settled:
        raise ParamsError("Nothing is asked.", hint="Name a consumer, or a file with one request a line.")
    if len(settled) == 1 and settled[0][1].mistake == UNKNOWN.rstrip("."):
        raise DataError(UNKNOWN, hint="Ask by the id of the source, such as a consumer's number, or by a subject id.")
    if wrong:
        more = f"\n  … and {len(wrong) - 50} more" if len(wrong) > 50 else ""
        raise DataError(
            f"{len(wrong)} request(s) cannot be taken, so none was:\n  " + "\n  ".join(wrong[:50]) + more,
            hint="Mend them all, then take them again.",
        )


def _at(one: RightsAsked) -> str:
    return f"line {one.row}: " if one.row else ""


def _once(acts: Sequence[RightsAct]) -> list[RightsAct]:
    """A file that asks the same twice asks it once."""
    seen, kept = set(), []
    for one in acts:
        key = (one.right, one.sid, one.purpose, tuple(sorted(one.about.items())), str(one.told.get("value")))
        if key not in seen:
            seen.add(key)
            kept.append(one)
    return kept


ACTS: Mapping[str, Callable[[_Case], _Settled]] = MappingProxyType(
    {
        "consent": _consent,
        "withdraw": _withdraw,
        "object": _object,
        "restrict": _restrict,
        "lift": _lift,
        "correct": _correct,
        "hold": _hold,
        "release": _release,
    }
)
"""What may be asked."""


def entries_of(rights: Sequence[RightsEntry], sids: Sequence[str]) -> tuple[RightsEntry, ...]:
    """What stands in the ledger of somebody's records."""
    theirs = frozenset(sids)
    return tuple(e for e in rights if e.sid in theirs)
