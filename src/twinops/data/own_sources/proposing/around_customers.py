"""Files about the customers of the sales: who they are, what they allowed, and what they refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from twinops.data.own_sources import cell_values as notation
from twinops.data.own_sources.consents.answers import NONE, purposes_in
from twinops.data.own_sources.consents.proved_yes import CONFIRMED
from twinops.data.own_sources.customer_number import AS_WRITTEN, NumberForm
from twinops.data.own_sources.files.cells import printable
from twinops.data.own_sources.proposing import nobody_to_write_to, offer_channels, replaced_numbers, yes_proof
from twinops.data.own_sources.proposing.addresses import NO_ADDRESSES, Addresses
from twinops.data.own_sources.proposing.addressing import NO_ANSWERS
from twinops.data.own_sources.proposing.days_beside import begins_as, day_of, tell_ways
from twinops.data.own_sources.proposing.drafting import (
    Choice,
    Draft,
    Said,
    Troubled,
    code_option,
    column_option,
    draft_of,
    must_exist,
    read_as,
    take_said,
    trouble,
)
from twinops.data.own_sources.proposing.sampling import Sampled, every_cell, headless
from twinops.data.own_sources.recognising import (
    DateFormat,
    born,
    date_format,
    fit,
    is_said,
    of_birth,
    speaks_of,
    words,
)
from twinops.data.reading.plain_letters import plain
from twinops.entities.consent import SAID, Event, Purpose
from twinops.errors import DataError


@dataclass(frozen=True)
class AroundCustomers:
    """Files about the same customers, whose ids are known from the sales."""

    said: Said
    ids: frozenset[str]
    last: date
    numbers: NumberForm = AS_WRITTEN
    addresses: Addresses = NO_ADDRESSES

    def option_for(self, path: Path) -> str | None:
        """The option that a file likely goes with; None: it is about no customer of the sales, or no table."""
        try:
            draft = draft_of("file", path)
        except DataError:
            return None
        cells = draft.file.cells
        shares = (
            (len(own & self.ids), len(own))
            for c in draft.free
            if (own := {self.numbers.alike(x.strip()) for x in cells[c]} - {""})
        )
        if not any(known > 1 and known * _ONE_OF >= of for known, of in shares):
            return None
        if len(draft.free) == 1:
            return "--opt-outs"
        if any(is_said(cells[c]) for c in draft.free):
            return "--opt-ins"
        profiles = words()["profiles"]
        return "--customers" if any(born(c, profiles[r]) for c in draft.free for r in _BORN) else "--also"

    def opt_ins(self, path: Path) -> tuple[Draft, dict[str, Any]]:
        """A table with a column a purpose, or a ledger with a row an answer."""
        draft = self._about_customers("optins", path)
        codes = self._event_codes(draft)
        asked = [c for c in draft.free if is_said([codes.get(x.strip(), x) for x in draft.file.cells[c]])]
        asked = [c for c in asked if not yes_proof.speaks(c) and c != draft.columns.get(CONFIRMED)] or asked
        asked = [c for c in (draft.columns.get("event"),) if c] or asked
        purpose = draft.columns.get("purpose") or next(
            (c for c in draft.free if fit(c, words()["ledger"]["purpose"], an_id=False) > 1), questions_in(draft, asked)
        )
        if purpose is not None and len(asked) == 1:
            body = self._ledger(draft, purpose, asked[0], codes)
            mine = {**body.get("codes", {}), **({"event": codes} if codes else {})}
            return draft, body | ({"codes": mine} if mine else {})
        answers = self._answers(draft, asked, codes)
        draft.answered += answers
        more: dict[str, Any] = {"codes": {"event": codes}} if codes else {}
        more |= yes_proof.proposed(draft, self.said, answers.values(), codes)
        times = self._days_beside(draft, answers)
        if times:
            first = next(iter(times.values()))
            if "time" in draft.columns and len(set(times.values())) == 1 and draft.columns["time"] != first:
                times = {}  # a person said another day
            else:
                draft.columns["time"] = first
                more["times"] = times
        return draft, {"kind": "consent"} | self._dated(draft, "consent") | {"answers": answers} | more

    def _days_beside(self, draft: Draft, answers: Mapping[str, str]) -> dict[str, str]:
        """The day of each purpose, where each has a column of its own: called as the answers are, and something more.

        Nothing where one day is for all of them.
        """
        days = [c for c in draft.file.names if c and not of_birth(c) and date_format(draft.file.cells[c]) is not None]
        days = [c for c in days if not is_said(draft.file.cells[c])]
        found = {p: day for p, theirs in answers.items() if (day := day_of(theirs, days, draft.file.names))}
        if not found:
            return {}
        one = next((c for c in days if not any(begins_as(c, n) for n in draft.file.names if n != c)), None)
        without = [theirs for p, theirs in answers.items() if p not in found]
        if without and one is None:
            what = f"no column is known to hold the day of {', '.join(map(printable, without))}."
            raise Troubled(trouble(draft, what, *(column_option("optins", "time", c) for c in days[:1])))
        times = {p: found.get(p) or str(one) for p in answers}
        for purpose, theirs in times.items():
            draft.choices.append(
                Choice(draft.name, f"day of {purpose}", printable(theirs), "it is called as the answers are")
            )
        return times

    def _event_codes(self, draft: Draft) -> dict[str, str]:
        """Words of theirs for a yes and a no: those that were said, and letters that go together in one language."""
        told = {ours: pairs for ours, pairs in self.said.words_of("optins").items() if ours not in NO_ANSWERS}
        found = {w: m for pairs in told.values() for w, m in pairs.items()}
        for theirs in draft.free:
            levels = {c.strip() for c in draft.file.told(theirs) if not notation.is_nothing(c)}
            pair = notation.PAIRS.get(frozenset(map(plain, levels)))
            if pair and not is_said(draft.file.cells[theirs]) and not levels & set(found):
                found |= {level: "yes" if plain(level) == pair else "no" for level in levels}
                draft.choices.append(
                    Choice(draft.name, "codes", f"{', '.join(sorted(levels))}", "letters for yes and no")
                )
        return found

    def opt_outs(self, path: Path) -> tuple[Draft, dict[str, Any]]:
        """A list of who objected, or of who did and who did not."""
        draft = self._about_customers("optouts", path)
        codes = self.said.words_of("optouts")
        means = codes.get("event", {})
        told = [c for c in draft.free if is_said([means.get(x.strip(), x) for x in draft.file.cells[c]])]
        if len(told) == 1 and "event" not in draft.columns:
            draft.take("event", told[0], "its cells say yes or no: a yes is an objection")
        states = {} if "event" in draft.columns else states_in(draft)
        more: dict[str, Any] = {"codes": codes} if codes else {}
        if states:
            more |= {"holding": states, "constants": {"purpose": str(Purpose.OFFERS)}}
            draft.notes.append(f"{path.name} is a list for mail: by its states somebody gets no offers, and no more.")
        else:
            draft.notes.append("Whoever objected is out of every purpose, unless a column of purposes is mapped.")
        return draft, {"kind": "optouts"} | self._dated(draft, "optouts") | more

    def customers(self, path: Path) -> tuple[Draft, dict[str, Any]]:
        """Attributes for the assessment of groups; names and addresses are not read."""
        draft = self._about_customers("customers", path)
        for ours, role in words()["profiles"].items():
            for theirs in draft.free:
                if ours not in draft.columns and born(theirs, role) and self._answers_it(draft, ours, theirs):
                    draft.take(ours, theirs, "its name says so, and its cells fit")
        replaced_numbers.propose(draft, self.ids, self.numbers)
        replaced_numbers.tell_doubles(draft)
        if "age" in draft.columns and "birth_year" not in self.said.of("customers"):
            draft.columns.pop("birth_year", None)
        if len(draft.columns) == 1:
            few = [c for c in draft.free if 1 < len(set(draft.file.told(c))) <= 20]
            says = f"; {column_option('customers', 'gender', few[0])} says one" if few else ""
            draft.notes.append(
                f"{path.name} holds no attribute that is known by its name: groups cannot be assessed{says}."
            )
        self._tell_twice(draft)
        nobody_to_write_to.tell(draft, self.said)
        codes = {o: w for o, w in self.said.words_of("customers").items() if o not in nobody_to_write_to.SAID}
        body = {"kind": "profiles"} | read_as(draft) | {"columns": dict(draft.columns)}
        body |= {"codes": codes} if codes else {}
        return draft, body | ({"ages_in": self.last.year} if "birth_year" in draft.columns else {})

    def in_their_file(self, path: Path) -> list[tuple[Draft, dict[str, Any]]]:
        """Lists that the customers' file holds by what was said of its columns: who gets no offers, or is out."""
        about = self._about_customers("customers", path)
        made = []
        for name, words_, constants in nobody_to_write_to.sources(about, self.said):
            draft = Draft(name, about.file)
            draft.take("household_id", about.columns["household_id"], "the customers' own number")
            told = "; ".join(f"{printable(c)}: {', '.join(map(printable, w))}" for c, w in words_.items())
            draft.choices.append(Choice(name, "whoever has", told, "you said so"))
            body = {"kind": "optouts"} | read_as(draft) | {"columns": dict(draft.columns), "holding": words_}
            made.append((draft, body | ({"constants": constants} if constants else {})))
        return made

    def _about_customers(self, name: str, path: Path) -> Draft:
        """The column of customers is the one that shares most ids with the sales, unless a person says which."""
        draft = draft_of(name, path)
        if name == "optouts" and draft.file.reads == "csv" and draft.file.header and self._is_somebody(draft.file):
            draft.file = headless(draft.file)  # a list may begin with the first who objected
        columns = {f"{name}.{c}": t for c, t in self.said.of(name).items() if c not in set(Purpose)}
        take_said(draft, replace(self.said, columns=columns))
        if "household_id" in draft.columns:
            return draft
        shared = {c: len({self.numbers.alike(x.strip()) for x in draft.file.cells[c]} & self.ids) for c in draft.free}
        best = max(
            shared, key=lambda c: (shared[c], fit(c, words()["columns"]["household_id"], an_id=True)), default=None
        )
        known = len({self.numbers.alike(x.strip()) for x in draft.file.told(best)}) if best else 0
        mails = {c: self.addresses.share(draft.file.cells[c]) for c in draft.free} if name != "customers" else {}
        mail = max(mails, key=lambda c: mails[c], default=None)
        if mail is not None and mails[mail] > (shared[best] / known if best and known else 0.0):
            self.addresses.take(draft, mail)
            return draft
        if best is None or not shared[best]:
            what = "no column holds ids of customers in the sales; export the same customer number into both files."
            called = [c for c in draft.free if fit(c, words()["columns"]["household_id"], an_id=True) > 1]
            raise Troubled(trouble(draft, what, *(column_option(name, "household_id", c) for c in called[:1])))
        draft.take(
            "household_id", best, f"{shared[best] / known:.0%} of its ids stand in the sales that were looked at"
        )
        if name != "customers":
            self.addresses.beside(draft)
        return draft

    def _is_somebody(self, file: Sampled) -> bool:
        """The first line holds a customer's number, and is no head."""
        return any(self.numbers.alike(n.strip()) in self.ids or self.numbers.fits(n) for n in file.names if n)

    def _answers(self, draft: Draft, asked: list[str], codes: Mapping[str, str]) -> dict[str, str]:
        answers: dict[str, str] = {}
        unknown: dict[str, str] = {}
        for purpose, role in words()["purposes"].items():
            named = self.said.of("optins").get(purpose)
            theirs = named or next((c for c in asked if speaks_of(c, role)), None)
            if theirs is not None:
                must_exist(draft, purpose, theirs)
                why = "you said so" if named else "its cells say yes or no, and its name tells the purpose"
                answers[purpose] = theirs
                draft.choices.append(Choice(draft.name, purpose, printable(theirs), why, _levels(draft, theirs, codes)))
            else:
                more = (c for c in draft.free if speaks_of(c, role) and _few_words(draft, c))
                found = next(more, None)
                unknown |= {purpose: found} if found else {}
        told = [self._unknown_words(draft, p, c, codes) for p, c in (unknown | answers).items()]
        mends = tuple(o for options in told for o in options)
        if mends and (
            not answers or set(answers) & {p for p, c in answers.items() if self._unknown_words(draft, p, c, codes)}
        ):
            levels = "words that are not known for a yes or a no; say which is which, as below."
            raise Troubled(trouble(draft, f"its answers are {levels}", *dict.fromkeys(mends)))
        if mends:
            draft.notes.append(
                f"Some answers of {draft.file.path.name} are in words that are not known: {' '.join(mends)}"
            )
        self._tell_asked(draft, answers, [c for c in asked if c not in answers.values()])
        return answers

    def _unknown_words(self, draft: Draft, purpose: str, theirs: str, codes: Mapping[str, str]) -> list[str]:
        """How to say what the words of a column mean, where none is known; which is the yes only people know."""
        levels = sorted({c.strip() for c in draft.file.told(theirs) if not notation.is_nothing(c)})
        if any(notation.event_of(codes.get(level, level)) for level in levels) or len(levels) > _MOST_WORDS:
            return []
        return [code_option(f"optins.{purpose}", w, m) for w, m in zip(levels, ("yes", "no", "no", "no"), strict=False)]

    def _tell_asked(self, draft: Draft, answers: Mapping[str, str], unused: list[str]) -> None:
        options = " ".join(column_option("optins", "offers", c) for c in unused[:3])
        if answers and unused:
            named = ", ".join(map(printable, unused))
            draft.notes.append(
                f"What {named} ask for is not known, and not read; `--column optins.PURPOSE=NAME` says it ({options})."
            )
        if answers:
            return
        few = unused or [c for c in draft.free if _few_words(draft, c)]
        what = f"no column says what people agreed to; purposes are {', '.join(words()['purposes'])}."
        raise Troubled(trouble(draft, what, *(column_option("optins", "twin_training", c) for c in few[:1])))

    def _ledger(self, draft: Draft, purpose: str, event: str, words_said: Mapping[str, str]) -> dict[str, Any]:
        for ours, theirs, why in (
            ("purpose", purpose, "its name says so"),
            ("event", event, "its cells say yes, no or withdrawn"),
        ):
            if ours not in draft.columns:
                draft.take(ours, theirs, why)
        _all_events_known(draft, words_said)
        codes = self._purposes(draft)
        listed = {p for told in (*codes.values(), *draft.file.told(purpose)) for p in purposes_in(told)}
        draft.answered += [p.value for p in Purpose if p in listed]
        notice = next((c for c in draft.free if fit(c, words()["ledger"]["notice_version"], an_id=False) > 1), None)
        if notice is not None:
            draft.take("notice_version", notice, "its name says so")
        more = offer_channels.proposed(draft, self.said)
        more |= yes_proof.proposed(draft, self.said, [event], words_said)
        more |= {"codes": {"purpose": codes}} if codes else {}
        return {"kind": "consent"} | self._dated(draft, "consent") | more

    def _purposes(self, draft: Draft) -> dict[str, str]:
        """What each of their words for purposes stands for, by what was said or by the word itself."""
        said = self.said.words_of("optins").get("purpose", {})
        there = {c.strip() for c in every_cell(draft.file, draft.columns["purpose"])} - {""}
        lost = [theirs for theirs in said if theirs not in there]
        if lost:
            near = [(n, said[w]) for w in lost for n in get_close_matches(w, sorted(there), 1, 0.6)]
            what = f"{printable(draft.columns['purpose'])} does not hold {', '.join(map(repr, lost))}."
            raise Troubled(trouble(draft, what, *(code_option("optins.purpose", *one) for one in near), mine=True))
        levels = sorted(there - set(Purpose) - set(said))
        roles = words()["purposes"].items()
        told = {level: [p for p, role in roles if fit(level, role, an_id=False) > 0] for level in levels}
        unknown = [level for level, purposes in told.items() if not purposes]
        if unknown:
            named = ", ".join(map(printable, unknown[:10]))
            way = code_option("optins.purpose", unknown[0], "PURPOSE")
            draft.notes.append(
                f"Purposes that are not ours are quarantined: {named}; a no for one counts as a no to every purpose "
                f"until its word is said. If one is ours, `{way}` says it, with commas between several; ours are "
                f"{', '.join(Purpose)}, and {NONE} where it is no purpose of these."
            )
        found = {level: ", ".join(purposes) for level, purposes in told.items() if purposes}
        return found | {theirs: ", ".join(purposes_in(means)) or NONE for theirs, means in said.items()}

    def _dated(self, draft: Draft, kind: str) -> dict[str, Any]:
        """How the file is read, and since when what it says holds."""
        dates = [
            c
            for c in draft.free
            if not of_birth(c) and date_format(draft.file.cells[c]) is not None and not is_said(draft.file.cells[c])
        ]
        dates = [c for c in (draft.columns.get("time"),) if c] or sorted(dates, key=yes_proof.speaks)
        if dates:
            if "time" not in draft.columns:
                draft.take("time", dates[0], "it holds days")
            found = date_format(draft.file.cells[dates[0]]) or DateFormat("iso")
            time: dict[str, Any] = {"time": found.declared(self.said.zone)}
            tell_ways(draft, dates[0], found)
        elif kind == "consent":
            time = {"undated_from": self.last.isoformat()}
            draft.notes.append(
                f"The answers have no day: they hold from {self.last} on, the last day of the sales. If it is known "
                "since when they held, `undated_from` says it."
            )
        else:
            time = {}
        return read_as(draft) | {"columns": dict(draft.columns)} | time

    def _answers_it(self, draft: Draft, ours: str, theirs: str) -> bool:
        told = [c for c in draft.file.told(theirs) if not notation.is_nothing(c)]
        if ours == "birth_year":
            readable = sum(_has_year(c) for c in told)
            return bool(told) and readable > 0.8 * len(told)
        if ours == "age" and not any(c.isdigit() for cell in told for c in cell):
            return False  # a `cidade` is a town, though it ends like `idade`
        return 1 < len(set(told)) <= 20

    def _tell_twice(self, draft: Draft) -> None:
        cells = [c.strip() for c in draft.file.told(draft.columns["household_id"])]
        twice = len(cells) - len(set(cells))
        if twice:
            draft.notes.append(
                f"{twice:,} rows of {len(cells):,} name a customer that stood above: the first row is taken."
            )


_BORN = ("birth_year", "gender")


_ONE_OF = 5
"""A column holds customers where one of so many of its ids stands in the sales."""


def _has_year(cell: str) -> bool:
    try:
        return bool(notation.year(cell))
    except notation.Unreadable:
        return False


def states_in(draft: Draft) -> dict[str, list[str]]:
    """Of a list with states those that keep somebody out: all but such as `active`, which get mail."""
    active = frozenset(map(plain, words()["active"]))
    for theirs in draft.free:
        found = {x.strip() for x in draft.file.told(theirs)}
        fine = {x for x in found if plain(x) in active}
        if fine and 1 < len(found) <= _STATES and fit(theirs, words()["ledger"]["event"], an_id=False) > 0:
            out, named = sorted(found - fine), ", ".join(map(printable, sorted(fine)))
            why = f"{named} keeps nobody out; every other state there does"
            draft.choices.append(Choice(draft.name, f"whoever has in {printable(theirs)}", ", ".join(out), why))
            return {theirs: out}
    return {}


_STATES = 12


def questions_in(draft: Draft, asked: Collection[str]) -> str | None:
    """The column with what people were asked: a few sentences, and a row for each answer of a customer; or none."""
    who = draft.file.told(draft.columns["household_id"])
    if len({*who}) == len(who):
        return None
    found = {c: {x.strip() for x in draft.file.told(c)} for c in draft.free if c not in asked}
    long = {
        c: sum(len(x.split()) for x in said) / len(said) for c, said in found.items() if 1 < len(said) <= _QUESTIONS
    }
    return max((c for c, words_ in long.items() if words_ >= _A_SENTENCE), key=lambda c: long[c], default=None)


_QUESTIONS, _A_SENTENCE = 60, 4


def _all_events_known(draft: Draft, codes: Mapping[str, str]) -> None:
    """Refuse a ledger with a word that nobody knows: it may take back a yes.

    Raises:
        Troubled: with how to say what such words mean.
    """
    theirs = draft.columns["event"]
    there = {c.strip() for c in every_cell(draft.file, theirs) if not notation.is_nothing(c)}
    unknown = sorted(w for w in there if notation.event_of(codes.get(w, w)) is None and w not in SAID)
    if unknown:
        what = f"{printable(theirs)} has words that are not known for a yes, a no or a withdrawal: {len(unknown)}."
        few = unknown if len(unknown) <= _MOST_WORDS else []  # more of them may be about somebody
        raise Troubled(trouble(draft, what, *(code_option("optins.event", w, Event.WITHDRAWN) for w in few)))


_MOST_WORDS = 4
"""So many words an answer may have that are told; more of them may be about somebody."""


def _few_words(draft: Draft, theirs: str) -> bool:
    """Its cells are few words, each of them many people's."""
    found = Counter(c.strip() for c in draft.file.told(theirs) if not notation.is_nothing(c))
    return 1 < len(found) <= _MOST_WORDS and date_format(draft.file.cells[theirs]) is None


def _levels(draft: Draft, theirs: str, codes: Mapping[str, str]) -> tuple[str, ...]:
    """Shares of yes and no: aggregates, where they are large enough to name nobody."""
    found = Counter(notation.event_of(codes.get(c.strip(), c)) or "other" for c in draft.file.told(theirs))
    return tuple(f"{event} {n / found.total():.0%}" for event, n in found.most_common(2) if n >= 10)
